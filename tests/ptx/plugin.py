"""pytest -p tests.ptx.plugin: the cuda backend's kernels, compiled and interpreted: no GPU."""

from importlib.util import find_spec


def pytest_configure():
    """Nothing, where numba-cuda is not installed: the backend then says so itself."""
    if find_spec("numba_cuda") is None:
        return
    from minicnn.backends.cuda import recording

    from .host import install

    install()
    recording.graph_of = lambda launches: (None, None)  # launched one by one


def pytest_collection_modifyitems(config, items):
    """By day tests/cuda runs in float32 and without numerical slopes: the simulator does the rest,
    and half as many kernels are compiled."""
    from tests.conftest import BY_NIGHT

    def left_out(item):
        twin = getattr(item, "callspec", None) and item.callspec.params.get("dtype") == "float64"
        return "cuda" in item.path.parts and (twin or "are_the_slopes" in item.name)

    if not BY_NIGHT:
        config.hook.pytest_deselected(items=[item for item in items if left_out(item)])
        items[:] = [item for item in items if not left_out(item)]
