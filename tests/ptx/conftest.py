"""These tests need the plugin: python -m pytest -p tests.ptx.plugin tests/ptx"""

import pytest

from minicnn import backends


def missing(config) -> str | None:
    if not config.pluginmanager.has_plugin("tests.ptx.plugin"):
        return "tests/ptx runs as: pytest -p tests.ptx.plugin tests/cuda tests/ptx"
    try:
        backends.get("cuda")
    except RuntimeError as error:
        return str(error)


def pytest_collection_modifyitems(config, items):
    """Where something is missing, one test is skipped for all of them."""
    reason = missing(config)
    ours = [item for item in items if "ptx" in item.path.parts]
    if ours and reason is not None:
        ours[0].own_markers = [pytest.mark.skip(reason=reason).mark]
        config.hook.pytest_deselected(items=ours[1:])
        items[:] = [item for item in items if item not in ours[1:]]
