"""pytest -p tests.ptx.plugin: the cuda backend's kernels, compiled and interpreted: no GPU."""

from importlib.util import find_spec


def pytest_configure():
    """Nothing, where numba-cuda is not installed: the backend then says so itself."""
    if find_spec("numba_cuda") is None:
        return
    from .host import install, launch_recordings_one_by_one

    install()
    launch_recordings_one_by_one()


def pytest_collection_modifyitems(config, items):
    """By day a part of tests/cuda is left to the simulator: float64 beside float32, recordings,
    numerical slopes, and products, of which tests/ptx has its own."""
    from tests.conftest import BY_NIGHT

    def left_out(item):
        twin = hasattr(item, "callspec") and item.callspec.params.get("dtype") == "float64"
        long = "are_the_slopes" in item.name or "with_products" in item.name
        return "cuda" in item.path.parts and (twin or long or item.path.stem == "test_steps")

    if not BY_NIGHT:
        config.hook.pytest_deselected(items=[item for item in items if left_out(item)])
        items[:] = [item for item in items if not left_out(item)]
