"""The page in a browser: with the keyboard alone, with a finger, by day, by night and in grey.

Skipped without Playwright's Python package or a Chromium (`pip install playwright`,
`apt-get install chromium`). SCREENSHOTS names a folder for pictures, for a person to look at.
"""

import re

import numpy as np
import pytest

import minicnn as nn
from minicnn.microscope import step, write
from tests.microscope.looking import array, fits, number, opening, places, said


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A training of every sort of layer, three steps of it, with four images."""
    network = nn.Sequential(
        nn.Conv2D(1, 3, 3, padding=1), nn.BatchNorm(3), nn.ReLU(), nn.MaxPool2D(2),
        nn.ConvTranspose2D(3, 2, 3, 2, 1), nn.Tanh(), nn.AvgPool2D(2), nn.Flatten(),
        nn.Dropout(0.25), nn.Dense(18, 3), seed=0,
    )  # fmt: skip
    pixels = np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8), dtype=np.uint8)
    pixels[0, 0, :4, :4] = 128  # plain paper, where a pooling has ties
    labels, loss, optimizer = np.array([0, 1, 2, 1]), nn.SoftmaxCrossEntropy(), nn.Adam(0.02)
    steps = []
    for _ in range(3):
        steps.append(step(network, optimizer))
        loss.forward(network.forward(pixels.astype("float32") / 255, training=True), labels)
        network.backward(loss.backward())
        optimizer.step(network.parameters())
    path = tmp_path_factory.mktemp("page") / "microscope.html"
    write(path, network, loss, pixels, labels, steps, classes=["one", "two", "three"])
    return path.as_uri()


@pytest.fixture
def opened(tab, page):
    yield from opening(tab, page)


def test_it_opens_asks_nobody_and_found_what_minicnn_found(opened):
    assert opened.inner_text("#check").startswith("✓")
    assert "y[0,0,0] of layer 0, Conv2D" in said(opened)


def test_every_layer_shows_every_array_forward_and_backward_in_every_step(opened):
    for _ in range(3):
        for k in range(places(opened)):
            opened.locator("#layers button.layer").nth(k).click()
            for key in "bf":
                opened.keyboard.press(key)
                for position in range(opened.locator("#arrays canvas").count()):
                    array(opened, position).focus()
                    assert re.search(r" is [+−]?\d", said(opened))
        assert opened.inner_text("#check").startswith("✓")
        opened.keyboard.press("]")


def test_the_terms_that_are_shown_add_up_to_the_number_that_is_shown(opened):
    opened.keyboard.press("b")
    array(opened, 1).focus()  # a weight's gradient: a term for each image and position
    more = opened.locator(".terms .more")
    assert re.fullmatch(r"all \d+ terms", more.inner_text())
    count = int(more.inner_text().split()[1])
    more.click()
    rows = opened.locator(".terms tbody tr")
    assert rows.count() == count
    products = rows.locator("td:nth-child(2)").all_inner_texts()
    sizes = [abs(number(text)) for text in products]
    assert sizes == sorted(sizes, reverse=True)
    total = number(opened.inner_text(".total"))
    last = number(rows.nth(count - 1).locator("td:nth-child(3)").inner_text())
    assert last == pytest.approx(total, rel=1e-3, abs=1e-9)
    assert sum(map(number, products)) == pytest.approx(total, rel=1e-2, abs=1e-4 * sizes[0])


def test_the_keyboard_alone_reaches_everything(opened):
    opened.evaluate("document.activeElement.blur()")
    for _ in range(60):
        opened.keyboard.press("Tab")
        if opened.evaluate("document.activeElement.dataset.array") == "value 1 ":
            break
    assert "y[0,0,0]" in said(opened)
    for key, place in (
        ("ArrowRight", "y[0,0,1]"), ("ArrowDown", "y[0,1,1]"), ("ArrowLeft", "y[0,1,0]"),
        ("ArrowUp", "y[0,0,0]"), ("ArrowUp", "y[0,0,0]"),
    ):  # fmt: skip
        opened.keyboard.press(key)
        assert place in said(opened)
    opened.keyboard.press("Enter")
    assert "pinned" in opened.inner_text("#reading h2")
    opened.keyboard.press("b")
    assert "dy[0,0,0]" in said(opened)
    assert opened.evaluate("document.activeElement.dataset.array") == "slope 1 "
    before = opened.inner_text(".total")
    opened.keyboard.press("]")
    assert opened.inner_text(".total") != before
    opened.keyboard.press("[")
    assert opened.inner_text(".total") == before
    opened.keyboard.press("Enter")
    assert "pinned" not in opened.inner_text("#reading h2")


def test_the_mouse_points_and_a_click_pins(opened):
    cell = opened.evaluate("document.querySelectorAll('#arrays canvas')[0].laid.cell")
    box = array(opened, 0).bounding_box()
    opened.mouse.move(box["x"] + 2.5 * cell, box["y"] + 1.5 * cell)
    assert "x[0,1,2]" in said(opened)
    opened.mouse.down(), opened.mouse.up()
    opened.mouse.move(box["x"] + 4.5 * cell, box["y"] + 4.5 * cell)
    assert "x[0,1,2]" in said(opened)


def test_nudging_agrees_until_a_mistake_is_switched_on(opened):
    opened.keyboard.press("b")
    array(opened, 1).focus()
    opened.click("#nudge")
    assert "✓" in opened.inner_text(".verdict")
    opened.select_option("#mistake", "2 sign of the gradient")
    assert opened.locator("#layers .off").count() == 3  # ReLU, BatchNorm, convolution
    assert "sign of dy" in opened.inner_text("#chosen")
    opened.locator("#layers button.layer").nth(0).click()
    array(opened, 1).focus()
    assert "✗" in opened.inner_text(".verdict")
    assert "the number should be" in opened.inner_text("#reading")


def test_a_number_to_be_predicted_is_hidden_until_there_is_a_guess(opened):
    right = opened.evaluate("valueOf(current(), state.spot)")
    opened.click("#predict")
    assert "hidden until you guess" in said(opened)
    assert "?" in opened.inner_text(".terms tbody tr:first-child td:nth-child(2)")
    opened.fill("#guess", f"{right:.4f}")
    opened.keyboard.press("Enter")
    assert "✓ right" in opened.inner_text(".total")
    array(opened, 2).focus()  # after x and w
    opened.keyboard.press("ArrowRight")
    opened.fill("#guess", "1000")
    opened.keyboard.press("Enter")
    assert "✗ you said +1000" in opened.inner_text(".total")


def test_the_slider_can_be_dragged_through_all_steps(opened):
    box = opened.locator("#step").bounding_box()
    middle = box["y"] + box["height"] / 2
    opened.mouse.move(box["x"] + 8, middle)
    opened.mouse.down()
    seen = []
    for share in (0.1, 0.5, 0.98):
        opened.mouse.move(box["x"] + share * box["width"], middle)
        seen.append(opened.evaluate("state.step"))
    opened.mouse.up()
    assert seen == [0, 1, 2]


def test_what_was_opened_stays_open_while_the_mouse_points(opened):
    opened.click("summary")
    array(opened, 0).hover()
    assert opened.evaluate("document.querySelector('details').open")


def test_cones_change_the_picture(opened):
    before = opened.locator("#layers").screenshot()
    opened.click("[data-cone=affects]")
    assert opened.locator("#layers").screenshot() != before
    opened.click("[data-cone=affects]")
    assert opened.evaluate("state.cones") == ""


def test_the_address_leads_to_a_number(tab, page):
    tab.goto("about:blank")
    tab.goto(f"{page}#layer=0&view=backward&step=1&image=2&array=1&index=4")
    assert "dw[0,0,1,1] of layer 0, Conv2D" in said(tab)
    assert tab.evaluate("[state.step, state.image]") == [1, 2]
    tab.goto(f"{page}#layer=99&step=-3&image=x&mistake=none&array=7")
    assert "z[0]" in said(tab)
    assert tab.evaluate("[state.step, state.image, state.mistake]") == [0, 0, ""]


def test_the_point_on_the_curve_the_histogram_and_the_optimiser_are_drawn(opened):
    for layer, words in ((1, "histogram"), (2, "slope"), (5, "slope")):
        opened.locator("#layers button.layer").nth(layer).click()
        assert opened.locator("#reading .drawing svg circle").count() == 1, words
    opened.locator("#layers button.layer").nth(0).click()
    array(opened, 1).focus()
    assert "square ← 0.999" in opened.inner_text(".update")


def test_an_optimisers_mistake_shows_in_the_new_weight(opened):
    opened.select_option("#mistake", label="optimizer: uncorrected")
    array(opened, 1).focus()
    assert "the number should be" in opened.inner_text("#reading")
    assert opened.locator("#layers .off").count() == 0  # the gradients are right


def test_it_fits_a_desk_and_a_phone_by_day_by_night_and_in_grey(opened):
    fits(opened, "microscope")


def test_a_tap_on_a_phone_pins(browser, page):
    context = browser.new_context(viewport={"width": 400, "height": 800}, has_touch=True)
    phone = context.new_page()
    phone.goto(page)
    phone.locator("#arrays canvas").first.tap(position={"x": 5, "y": 5})
    assert "x[0,0,0]" in said(phone)
    assert "pinned" in phone.inner_text("#reading h2")
    context.close()
