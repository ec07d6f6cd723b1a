"""Threads, forks, lanes, the kernel cache: what the numba backend promises beyond its numbers."""

import gc
import re
import tracemalloc
from importlib.metadata import distributions
from types import ModuleType

import numba
import numpy as np
import pytest
from numba.core import event

import minicnn as m
from minicnn.backends import numba as backend
from minicnn.backends.numba import runtime
from minicnn.training.samples import prepare
from minicnn.training.step import Rules, constant, forward_and_backward, update
from tests.backends import programs
from tests.backends.assembly import innermost_loops
from tests.conftest import BY_NIGHT

names = {}
exec(programs.TRAINING, names)
network, train, digest = names["network"], names["train"], names["digest"]


@pytest.fixture(autouse=True)
def as_many_threads_as_before():
    before = runtime.get_threads()
    yield
    runtime.set_threads(before)


class Compilations(event.Listener):
    def __init__(self):
        self.names = []

    def on_start(self, event):
        self.names.append(str(event.data["dispatcher"]))

    def on_end(self, event):
        pass


def stepper(net, count):
    """A function that makes one training step on the given samples of `count` random ones."""
    rng = np.random.default_rng(0)
    loss, optimizer = m.SoftmaxCrossEntropy().to("numba"), m.Adam()
    x, y = rng.random((count, 1, 10, 9), dtype=np.float32), rng.integers(0, 3, count)
    samples, parameters = prepare(net, loss, (x, y), "data"), net.parameters()

    def step(indices):
        forward_and_backward(net, loss, samples, indices)
        optimizer.steps += 1
        update(parameters, optimizer, optimizer.lr, optimizer.steps, Rules(constant, None, None))

    return step, loss


def flat_buffers(net, loss):
    owners = [*net.walk(), loss]
    return [flat for owner in owners for flat in owner.buffers._flat.values()]


def test_fifty_steps_give_the_same_bytes_with_one_two_and_four_threads():
    found = set()
    for threads in (1, 2, 4):
        runtime.set_threads(threads)
        found.add(digest(train()))
    assert len(found) == 1


def test_another_process_gives_the_same_bytes():
    done = programs.run("print(digest(train()))")
    assert done.stdout.split() == [digest(train())], done.stderr


def test_a_ragged_batch_neither_compiles_nor_allocates_anew():
    net = network().to("numba")
    step, loss = stepper(net, 70)
    step(np.arange(64))
    step(np.arange(64, 70))
    before = [id(flat) for flat in flat_buffers(net, loss)]
    listener = Compilations()
    with event.install_listener("numba:compile", listener):
        for _ in range(3):
            step(np.arange(64))
            step(np.arange(64, 70))
    assert listener.names == []
    assert [id(flat) for flat in flat_buffers(net, loss)] == before


def test_batches_of_any_size_fit_the_memory_of_the_largest():
    net = network().to("numba")
    step, loss = stepper(net, 70)
    step(np.arange(70))
    step(np.arange(2))  # a single block of images has kernels of its own
    before = sum(flat.nbytes for flat in flat_buffers(net, loss))
    listener = Compilations()
    with event.install_listener("numba:compile", listener):
        for size in np.random.default_rng(1).integers(2, 71, 100):
            step(np.arange(size))
    assert listener.names == []
    assert sum(flat.nbytes for flat in flat_buffers(net, loss)) == before


def test_a_step_takes_no_memory_after_the_first():
    net = network().to("numba")
    step, _ = stepper(net, 64)
    indices = np.arange(64)
    for _ in range(3):
        step(indices)
    gc.collect()
    tracemalloc.start()
    step(indices)
    before = large_blocks()
    tracemalloc.reset_peak()
    for _ in range(20):
        step(indices)
    after, peak = tracemalloc.get_traced_memory()
    assert large_blocks() == before
    tracemalloc.stop()
    smallest_output = 64 * 3 * 4
    largest_output = 64 * 6 * 90 * 4
    assert peak - after < 8 * smallest_output < largest_output  # views, indices, labels


def large_blocks():
    """Bytes in blocks of a size that arrays have; Python's own objects are smaller."""
    return sum(trace.size for trace in tracemalloc.take_snapshot().traces if trace.size >= 512)


def test_a_step_calls_no_blas(monkeypatch):
    net = network().to("numba")
    step, _ = stepper(net, 20)

    def forbidden(*arguments, **named):
        raise AssertionError("BLAS was called")

    for name in ("matmul", "dot", "einsum", "tensordot", "inner", "vdot"):
        monkeypatch.setattr(np, name, forbidden)
    step(np.arange(20))


def kernels():
    modules = [value for value in vars(backend).values() if isinstance(value, ModuleType)]
    found = [k for module in modules for k in vars(module).values() if hasattr(k, "compiled")]
    return {k.__qualname__: k.compiled for k in found}


def test_no_kernel_lets_the_compiler_assume_that_there_is_no_nan():
    found = kernels()
    assert len(found) > 15
    for name, compiled in found.items():
        flags = compiled.targetoptions["fastmath"]
        assert set(flags) <= {"contract", "nsz", "reassoc", "arcp"}, name


@pytest.mark.parametrize("number", [0, -1])
def test_fewer_than_one_thread_is_refused(number):
    with pytest.raises(ValueError, match=f"at least 1, got {number}"):
        m.set_threads(number)


def test_half_a_thread_is_refused():
    with pytest.raises(TypeError, match="set_threads: number must be a whole number, got 2.5"):
        m.set_threads(2.5)


def test_more_threads_than_there_can_be_are_taken_as_that_many():
    m.set_threads(10_000)
    assert runtime.get_threads() == numba.config.NUMBA_NUM_THREADS < 10_000


def test_waiting_threads_spin_for_a_bounded_time_unless_the_user_chose():
    clean = {"GOMP_SPINCOUNT": "", "OMP_WAIT_POLICY": ""}
    program = "import os\nfor k in ('GOMP_SPINCOUNT', 'OMP_WAIT_POLICY'): os.environ.pop(k, None)\n"
    program += "{}m.set_threads(1); print(os.environ.get('GOMP_SPINCOUNT'))"
    chosen = "os.environ['OMP_WAIT_POLICY'] = 'PASSIVE'\n"
    assert programs.run(program.format(""), **clean).stdout.split() == ["10000"]
    assert programs.run(program.format(chosen), **clean).stdout.split() == ["None"]


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_any_number_of_lanes_gives_the_numbers_of_the_reference(lanes):
    made = "network" if BY_NIGHT or lanes == runtime.LANES else "small_network"
    done = programs.run(
        f"""
        # Not with Adam: it blows up the rounding noise of a bias before batch normalisation.
        found, wanted = (
            train(b, 1, optimizer=m.SGD(0.1), network={made}) for b in ("numba", "numpy")
        )
        for a, b in zip(found.state().values(), wanted.state().values()):
            np.testing.assert_allclose(a.value, b.value, rtol=1e-4, atol=1e-5)
        from minicnn.backends.numba.runtime import LANES
        print(LANES)
        """,
        MINICNN_LANES=str(lanes),
    )
    assert done.stdout.split() == [str(lanes)], done.stderr


def test_without_the_compiler_kernels_are_plain_python_and_train_the_same_network():
    done = programs.run(
        """
        import numba
        assert numba.config.DISABLE_JIT
        found, wanted = (train(b, 1, optimizer=m.SGD(0.1)) for b in ("numba", "numpy"))
        for a, b in zip(found.state().values(), wanted.state().values()):
            np.testing.assert_allclose(a.value, b.value, rtol=1e-4, atol=1e-5)
        """,
        NUMBA_DISABLE_JIT="1",
    )
    assert done.returncode == 0, done.stderr


def test_a_number_of_lanes_that_no_register_has_is_refused():
    done = programs.run("network().to('numba')", MINICNN_LANES="5")
    assert "ValueError: MINICNN_LANES must be 4, 8 or 16, got '5'" in done.stderr


def test_a_forked_child_is_told_to_be_spawned_instead():
    done = programs.run(
        """
        import os
        net = train(epochs=1)
        if os.fork() == 0:
            try:
                net.predict(np.zeros((2, 1, 10, 9), "f"))
            except RuntimeError as error:
                print(error, flush=True)
            os._exit(0)
        print(os.wait()[1])
        """
    )
    assert "spawn" in done.stdout
    assert done.stdout.split()[-1] == "0"


@pytest.mark.parametrize("layer", ["omp", "tbb", "workqueue"])
def test_two_python_threads_get_what_each_gets_alone_on_any_threading_layer(layer):
    if layer == "tbb" and not [*distributions(name="tbb")]:
        pytest.skip("TBB is not installed")
    done = programs.run(
        """
        import threading
        alone = [digest(train(epochs=2, seed=s)) for s in (1, 2)]
        found = {}
        def work(s):
            found[s] = digest(train(epochs=2, seed=s))
        threads = [threading.Thread(target=work, args=(s,)) for s in (1, 2)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        print([found[1], found[2]] == alone, *alone)
        """,
        NUMBA_THREADING_LAYER=layer,
    )
    if layer == "omp" and "No threading layer could be loaded" in done.stderr:
        pytest.skip("no OpenMP library here")
    here = [digest(train(epochs=2, seed=s)) for s in (1, 2)]
    assert done.stdout.split() == ["True", *here], done.stderr


@pytest.mark.parametrize("kind", ["taps", "weights"])
def test_the_inner_loops_add_products_in_registers_and_store_nothing(kind):
    from minicnn.backends.numba import convolution, direct_weights

    train(epochs=1)
    if kind == "taps":
        kernels = [convolution.filter_tiles(convolution.tile_rows(9, n), n) for n in (1, 2)]
    else:
        ours = {direct_weights.fullest_tile(6, 1, 9), direct_weights.fullest_tile(9, 6, 6)}
        tiles = [tile for tile in direct_weights.TILES if BY_NIGHT or tile in ours]
        kernels = [direct_weights.weight_tiles(*tile) for tile in tiles]
    signature = next(k.compiled.signatures[0] for k in kernels if k.compiled.signatures)
    assembly = ""
    for kernel in kernels:  # only fresh code shows its assembly
        again = numba.njit(parallel=True, **runtime.OPTIONS)(kernel.compiled.py_func)
        again.compile(signature)
        assembly += "\n".join(again.inspect_asm().values())
    hot = [body for body in innermost_loops(assembly) if sum("fmadd" in s for s in body) >= 6]
    if not hot:
        pytest.skip("this machine has no fused multiply-add")
    for body in hot:
        stores = [s for s in body if re.match(r"v?mov\w*\s+%[xyz]mm\d+, .*\(", s)]
        assert stores == []
