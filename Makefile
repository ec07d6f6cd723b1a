# make demo and make test need Python and make alone: they build .venv themselves.
# Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export MPLBACKEND ?= Agg

CHECKERS := memcheck racecheck initcheck synccheck
.PHONY: demo exercises test docs results matrix test-gpu $(CHECKERS) bench-gpu soak coverage clean

# Python compiles a module when it is first imported: most of those installed never are. Where a
# variable forbids it to keep what it compiled, every process would compile matplotlib once more.
unexport PYTHONDONTWRITEBYTECODE
# An editable install notes the clone's path in a file that Python before 3.13 reads as the locale says:
# as ASCII under LC_ALL=C, as UTF-8 under LANG=C.
ifneq (,$(filter C POSIX,$(LC_ALL)))
unexport LC_ALL
export LANG := C
endif
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable

# A test process a core. The slowest tests are shown, for `make test` has minutes only.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal \
    --durations 10

$(VENV)/made:
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'minicnn needs Python 3.11 or newer, this is ' + sys.version)"
	$(PYTHON) -m venv $(VENV)
	touch $@

# A stamp is newer than pyproject.toml when the environment is up to date.
$(VENV)/installed: $(VENV)/made pyproject.toml
	$(INSTALL) .
	touch $@

$(VENV)/installed-tests: $(VENV)/made pyproject.toml
	$(INSTALL) ".[test,cuda,mpi]"
	touch $(VENV)/installed $@

$(VENV)/installed-docs: $(VENV)/made pyproject.toml
	$(INSTALL) ".[docs]"
	touch $(VENV)/installed $@

INTERPRETED := -p tests.ptx.plugin tests/cuda tests/ptx

# results/demo.png, and a training under the microscope: results/microscope.html
demo: $(VENV)/installed
	$(BIN)/python examples/demo.py

# How far you are; one of them: .venv/bin/python examples/exercises 08 (docs/exercises.md)
exercises: $(VENV)/installed
	$(BIN)/python examples/exercises

# The simulator is chosen when numba is imported, and the interpreter of PTX takes the place of a
# GPU, so the tests of each have a process of their own. By day a test of cuda runs in one of them,
# where it takes less; `make soak` runs all in both.
test: $(VENV)/installed-tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST)
	NUMBA_ENABLE_CUDASIM=1 $(PYTEST) tests/cuda -m simulated
	$(PYTEST) $(INTERPRETED) -m "not simulated"

# The book, in docs/build. A warning is an error; the pages need no network to be read.
docs: $(VENV)/installed-docs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/build

# All figures of the README and the book, of this machine and today, in hours on idle
# cores. `git diff` then shows them beside those that were there. (Frameworks: $(BIN)/pip install
# '.[peers]')
STUDIES := ladder winograd mnist zener thread_scaling core_distance batch_parallel mnist_sweeps fashion_mnist \
    autoencoder best_mnist best_fashion architectures vae gan rbm lstm epoch_time compare_frameworks
results: $(VENV)/installed-tests
	for study in $(STUDIES); do \
	    $(BIN)/python examples/$$study.py --out docs/results || exit 1; done
	$(BIN)/mpiexec -n 2 $(BIN)/python examples/allreduce.py --backend numba --threads 1 \
	    --out docs/results
	$(BIN)/python docs/tables.py

# For the night: other processors, interpreters, versions, locales, places; see the script's table.
matrix: $(VENV)/installed-tests
	$(BIN)/python tests/matrix.py

# On a machine with a GPU: every test that runs there, and a training step under NVIDIA's checkers.
# (What the driver's own calls return is no error of ours, so it is not reported.)
test-gpu: $(CHECKERS) $(VENV)/installed-tests
	HYPOTHESIS_PROFILE=gpu $(PYTEST) --maxprocesses 16 -k cuda

$(CHECKERS): $(VENV)/installed-tests
	$(BIN)/python -c "from minicnn import backends; backends.get('cuda')"
	compute-sanitizer --report-api-errors no --error-exitcode 1 --tool $@ \
	    $(BIN)/python examples/gpu_step.py --batch 32

# Kernels, an epoch, and networks; beside PyTorch where it is installed.
bench-gpu: $(VENV)/installed-tests
	$(BIN)/python examples/compare_frameworks.py --backend cuda --rounds 3 --seconds 0.1

# For the night: long trainings, and every property with 2,000 examples, or a few hundred
# where one takes long (against PyTorch as well, where .venv has it).
soak: $(VENV)/installed-tests
	$(BIN)/python -m pytest -s --timeout 3600 tests/soak/memory.py
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest --timeout 7200
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest --timeout 7200 $(INTERPRETED)
	HYPOTHESIS_PROFILE=nightly NUMBA_ENABLE_CUDASIM=1 $(BIN)/python -m pytest --timeout 7200 tests/cuda

# Lines and branches. cuda's kernels run in the simulator, numba's once more as plain Python.
WITH_KERNELS := tests/layers tests/test_losses.py tests/test_optimizers.py tests/test_penalties.py tests/test_flushed.py \
    tests/backends/test_numba_convolution.py tests/backends/test_numba_elementwise.py
coverage: $(VENV)/installed-tests
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest
	NUMBA_ENABLE_CUDASIM=1 $(BIN)/python -m coverage run -m pytest tests/cuda
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m coverage run -m pytest $(WITH_KERNELS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

clean:
	rm -rf $(VENV) build docs/build *.egg-info .hypothesis
	find . -name __pycache__ -o -name ".*_cache" | xargs rm -rf
