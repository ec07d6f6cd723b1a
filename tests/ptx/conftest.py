"""These tests need the plugin: python -m pytest -p tests.ptx.plugin tests/ptx"""

import pytest

from minicnn import backends


def pytest_collection_modifyitems(config, items):
    reason = None
    if not config.pluginmanager.has_plugin("tests.ptx.plugin"):
        reason = "runs as pytest -p tests.ptx.plugin tests/cuda tests/ptx"
    else:
        try:
            backends.get("cuda")
        except RuntimeError as error:
            reason = str(error)
    for item in items:
        if reason and "ptx" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason=reason))
