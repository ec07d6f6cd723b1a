"""Cells that a real kernel runs, as in a notebook."""

import pytest

from tests.conftest import with_our_threads

NEVER = 10**6  # seconds: a slow or busy machine may take as long as it likes


def run(book, folder="."):
    """Run a notebook in this folder; its cells then have their outputs."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    nbclient.NotebookClient(
        book, kernel_name="python3", startup_timeout=NEVER, timeout=None, iopub_timeout=NEVER,
        resources={"metadata": {"path": str(folder)}},
    ).execute(env=with_our_threads())  # fmt: skip
