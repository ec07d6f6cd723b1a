"""What tests of the page do again and again."""

import os
from pathlib import Path


def opening(tab, page):
    """The page as it opens on a desk; afterwards, whether it asked nobody and reported nothing."""
    tab.elsewhere.clear(), tab.errors.clear()
    tab.set_viewport_size({"width": 1280, "height": 900})
    tab.emulate_media(color_scheme="light")
    tab.goto("about:blank")
    tab.goto(page)
    yield tab
    assert (tab.elsewhere, tab.errors) == ([], [])


def said(tab):
    return tab.inner_text("#said")


def array(tab, position):
    return tab.locator("#arrays canvas").nth(position)


def places(tab):
    """What is in the middle, and the number of layers and the loss on the left."""
    return tab.locator("#layers button.layer").count()


def number(text):
    return float(text.removeprefix("=").strip().replace("−", "-"))


def fits(tab, name):
    """Every layer, on a desk and on a phone, by day, by night and in grey."""
    for width, height in ((1280, 900), (400, 800)):
        for scheme in ("light", "dark"):
            tab.set_viewport_size({"width": width, "height": height})
            tab.emulate_media(color_scheme=scheme)
            for layer in range(places(tab)):
                tab.locator("#layers button.layer").nth(layer).click()
                wide = tab.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"layer {layer}: {wide} of {width} pixels"
                keep(tab, f"{name}-{width}-{scheme}-{layer}")
    tab.evaluate("document.documentElement.style.filter = 'grayscale(1)'")
    keep(tab, f"{name}-grey")


def keep(tab, name):
    if folder := os.environ.get("SCREENSHOTS"):
        tab.screenshot(path=Path(folder, f"microscope-{name}.png"), full_page=True)
