import subprocess
import sys


def test_the_doctor_names_every_backend_and_data_set():
    done = subprocess.run(
        [sys.executable, "-m", "minicnn"], capture_output=True, text=True, check=True
    )
    for word in ("numpy", "numba", "ready", "lanes", "MNIST", "Fashion-MNIST"):
        assert word in done.stdout
    assert done.stderr == ""
