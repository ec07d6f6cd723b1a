"""The built book (make docs): its links, and every page in a browser, on a desk and on a phone, by
day and by night. Skipped where there is no book; the browser's part also without Playwright's
Python package or a Chromium (`pip install playwright`, `apt-get install chromium`).
"""

import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tables import DOCS

BOOK = DOCS / "build"
if not (BOOK / "index.html").exists():
    pytest.skip("no built book: make docs", allow_module_level=True)

FILES = sorted(path.relative_to(BOOK) for path in BOOK.rglob("*.html"))
PAGES = [file for file in FILES if not str(file).startswith("_")]  # "_…": source files

# What sticks out of the window, unless a box around it scrolls.
STICKING_OUT = """
() => [...document.querySelectorAll("article *, .sidebar-drawer *")].filter(element => {
  const box = element.getBoundingClientRect();
  if (!box.width || box.right <= innerWidth + 1) return false;
  for (let above = element.parentElement; above; above = above.parentElement) {
    const style = getComputedStyle(above);
    if (/auto|scroll|hidden/.test(style.overflowX) && above.tagName !== "BODY" &&
        !above.classList.contains("content")) return false;
  }
  return true;
}).map(element => element.outerHTML.slice(0, 120))
"""


class Page(HTMLParser):
    """Where a page leads, what can be led to, and what it says."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.alts = set(), set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        self.links |= {found[name] for name in ("href", "src") if found.get(name)}
        if tag == "img":
            self.alts.append(found.get("alt"))
        if tag == "svg" and found.get("role") == "img":
            self.alts.append(found.get("aria-label"))


@pytest.fixture(scope="module")
def book():
    return {(BOOK / file).resolve(): Page(BOOK / file) for file in FILES}


def test_every_link_leads_to_a_file_and_every_anchor_to_a_place(book):
    broken = []
    for path, page in book.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = target.exists()
            # "#view=backward" is said to a page of the microscope: no place in it.
            if there and parts.fragment and "=" not in parts.fragment and target in book:
                there = unquote(parts.fragment) in book[target].anchors
            if not there:
                broken.append(f"{path.relative_to(BOOK.resolve())}: {link}")
    assert not broken


def test_every_picture_has_words_for_who_cannot_see_it(book):
    mute = [str(path) for path, page in book.items() for alt in page.alts if not alt]
    assert not mute


# ── in a browser ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("file", PAGES, ids=str)
def test_a_page_fits_asks_nobody_and_reports_no_error(file, tab):
    tab.elsewhere.clear(), tab.errors.clear()
    for width, height in ((1280, 900), (400, 800)):
        for scheme in ("light", "dark"):
            tab.set_viewport_size({"width": width, "height": height})
            tab.emulate_media(color_scheme=scheme)
            tab.goto((BOOK / file).resolve().as_uri())
            assert tab.evaluate(STICKING_OUT) == [], f"{width} pixels"
            wide = tab.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{wide} of {width} pixels"
            keep(tab, file, f"{width}-{scheme}")
    assert (tab.elsewhere, tab.errors) == ([], [])


def keep(tab, file, name):
    """Screenshots, for a person to look at, in the folder that SCREENSHOTS names."""
    if folder := os.environ.get("SCREENSHOTS"):
        path = Path(folder, str(file).replace("/", "-").removesuffix(".html") + f"-{name}.png")
        tab.screenshot(path=path, full_page=True)


def test_formulas_are_drawn_with_the_font_that_comes_with_the_book(tab, browser):
    tab.goto((BOOK / "backprop" / "batch-norm.html").resolve().as_uri())
    tab.evaluate("document.fonts.ready.then(() => true)")
    session = tab.context.new_cdp_session(tab)
    session.send("DOM.enable"), session.send("CSS.enable")
    root = session.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    found = session.send("DOM.querySelectorAll", {"nodeId": root, "selector": "math mi, math mo"})
    fonts = []
    for node in found["nodeIds"][:60]:
        fonts += session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    assert fonts
    assert all(font["isCustomFont"] for font in fonts), fonts
