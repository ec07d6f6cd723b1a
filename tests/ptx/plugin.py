"""pytest -p tests.ptx.plugin: the cuda backend's kernels, compiled and interpreted: no GPU."""

from importlib.util import find_spec


def pytest_configure():
    """Nothing, where numba-cuda is not installed: the backend then says so itself."""
    if find_spec("numba_cuda") is None:
        return
    from .host import install, launch_recordings_one_by_one

    install()
    launch_recordings_one_by_one()
