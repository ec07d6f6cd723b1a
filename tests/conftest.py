"""Hypothesis profiles: HYPOTHESIS_PROFILE=dev (default), ci, gpu or nightly; and a browser."""

import os
import shutil
import signal
from urllib.parse import urlsplit

import pytest

# Tests run side by side, and their products are small. (NumPy is told before it is imported.)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

# A shell starts its background jobs with Ctrl-C ignored, and some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A first call may compile, so no example has a deadline.
quiet = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("dev", max_examples=20, **quiet)
settings.register_profile("ci", max_examples=40, derandomize=True, **quiet)
# On a GPU kernels are compiled for every window that is drawn.
settings.register_profile("gpu", max_examples=8, **quiet)
settings.register_profile("nightly", max_examples=2000, **quiet)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "dev")
settings.load_profile(PROFILE)
BY_NIGHT = PROFILE == "nightly"  # where a test has cheaper cases for the day


def one_in(number):
    """By day one example in so many, for what many cases ask and few would show; by night all."""
    return settings(max_examples=settings.default.max_examples // (1 if BY_NIGHT else number))


def with_our_threads():
    """The environment for a program that is run beside other test processes."""
    from minicnn.backends.numba.runtime import get_threads

    return os.environ | {"NUMBA_NUM_THREADS": str(get_threads())}


def pytest_sessionstart():
    """Test processes share the cores out: with more threads than cores each waits for another."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    if processes > 1:
        from minicnn.backends.numba.runtime import CORES, set_threads

        set_threads(max(1, CORES // processes))


# ── a browser, for pages: skipped without Playwright's Python package or a Chromium ──────────────


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with playwright.sync_playwright() as drivers:
        try:
            browser = drivers.chromium.launch(executable_path=program, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no browser: {error}")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def tab(browser):
    """A page of the browser that writes down what it asks for, and what goes wrong in it."""
    tab = browser.new_page()
    tab.elsewhere, tab.errors = [], []
    tab.on("request", lambda request: tab.elsewhere.append(request.url)
           if urlsplit(request.url).scheme not in ("file", "data", "blob") else None)  # fmt: skip
    tab.on("console", lambda said: tab.errors.append(said.text) if said.type == "error" else None)
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    return tab
