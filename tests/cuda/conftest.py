"""These tests run every kernel: on a GPU, or under Numba's simulator (NUMBA_ENABLE_CUDASIM=1)."""

import pytest

from minicnn import backends


def pytest_collection_modifyitems(items):
    try:
        backends.get("cuda")
    except RuntimeError as error:
        for item in items:
            if "cuda" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=str(error)))
