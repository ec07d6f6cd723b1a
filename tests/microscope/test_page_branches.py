"""The page of a network with branches, in a browser."""

import re

import numpy as np
import pytest

import minicnn as nn
from minicnn import Dense, Residual
from minicnn.microscope import write
from tests.microscope.looking import array, fits, number, opening, places, said
from tests.microscope.own_layers import Forgetful, SignOfTheGradient, Squaring


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A block with a shortcut, one around which the image itself goes, and branches."""
    network = nn.Sequential(
        nn.Conv2D(1, 2, 3, padding=1),
        nn.ReLU(),
        nn.Residual(nn.Conv2D(2, 3, 3, 2, 1), nn.GroupNorm(1, 3), shortcut=nn.Conv2D(2, 3, 1, 2)),
        nn.Parallel(
            nn.Conv2D(3, 2, 1),
            nn.Sequential(nn.MaxPool2D(3, 1, 1), nn.Conv2D(3, 1, 1)),
            nn.Residual(nn.Conv2D(3, 3, 3, padding=1), nn.Tanh()),
        ),
        nn.GlobalAvgPool2D(),
        nn.Dense(6, 3),
        seed=0,
    )
    pixels = np.random.default_rng(0).integers(0, 256, (3, 1, 6, 6), dtype=np.uint8)
    path = tmp_path_factory.mktemp("page") / "branches.html"
    write(path, network, nn.SoftmaxCrossEntropy(), pixels, np.array([0, 1, 2]))
    return path.as_uri()


@pytest.fixture
def opened(tab, page):
    yield from opening(tab, page)


def test_every_node_shows_every_array_forward_and_backward(opened):
    assert opened.inner_text("#check").startswith("✓")
    assert places(opened) == 16
    for k in range(places(opened)):
        opened.locator("#layers button.layer").nth(k).click()
        for key in "bf":
            opened.keyboard.press(key)
            for position in range(opened.locator("#arrays canvas").count()):
                array(opened, position).focus()
                assert re.search(r" is [+−]?\d", said(opened))


def go(tab, name):
    tab.locator("#layers button.layer", has_text=re.compile(rf"^{re.escape(name)} ")).click()


def test_a_sum_shows_both_sides_and_where_they_come_from(opened):
    go(opened, "2 Residual")
    titles = opened.locator("figcaption").all_inner_texts()
    assert titles[0] == "s, the shortcut, from 2.shortcut Conv2D"
    assert titles[1] == "f, the layers, from 2.1 GroupNorm"
    array(opened, 2).focus()
    assert sorted(re.findall(r"[sf]\[0,0,0\]", opened.inner_text(".terms"))) == [
        "f[0,0,0]", "s[0,0,0]"
    ]  # fmt: skip
    terms = opened.locator(".terms td:nth-child(2)").all_inner_texts()
    assert sum(map(number, terms)) == pytest.approx(number(opened.inner_text(".total")), abs=1e-3)


def test_branches_are_told_by_their_numbers(opened):
    go(opened, "3 Parallel")
    titles = opened.locator("figcaption").all_inner_texts()
    assert titles[:2] == ["f₀, branch 0, from 3.0 Conv2D", "f₁, branch 1, from 3.1.1 Conv2D"]
    assert titles[2].startswith("f₂, branch 2, from 3.2 Residual")


def test_a_number_that_goes_several_ways_gets_the_sum_of_what_comes_back(opened):
    go(opened, "2.0 Conv2D")
    opened.keyboard.press("b")
    array(opened, 0).focus()
    assert "from 2 ways back" in said(opened)
    assert "2.0 Conv2D + 2.shortcut Conv2D" in opened.inner_text(".formula")
    assert "of 2.shortcut" in opened.inner_text(".terms")
    assert "read by 2.shortcut Conv2D too" in opened.locator("figcaption").first.inner_text()
    opened.click("#nudge")
    assert "✓" in opened.inner_text(".verdict")


def test_what_a_number_affects_is_found_in_all_layers_that_read_it(opened):
    go(opened, "1 ReLU")
    now = "current().values[2][0]"
    open_one = opened.evaluate(f"{now}.findIndex(value => value > 0)")
    opened.evaluate(f"point({{what: 'value', k: 2, n: 0, i: {open_one}}})")
    found = set(opened.evaluate("affects(current(), state.spot).map(({spot}) => spot.k)"))
    assert 3 in found  # what 2.0 makes
    opened.click("[data-cone=affects]")
    assert opened.evaluate("state.cones") == "affects"


def test_the_forgotten_shortcut_is_wrong_from_the_block_down(opened):
    opened.select_option("#mistake", label="2 Residual: forgotten")
    wrong = opened.locator("#layers button.layer", has=opened.locator(".off")).all_inner_texts()
    assert [text.split(" ")[0] for text in wrong] == ["0", "1", "2.shortcut", "2"]
    go(opened, "2.shortcut Conv2D")
    array(opened, 1).focus()
    opened.click("#nudge")
    assert "✗" in opened.inner_text(".verdict")


PLANTED = {
    "in a branch": (Residual(Dense(8, 8), Squaring()), "1.1 Squaring"),
    "of a known kind": (SignOfTheGradient(), "1 SignOfTheGradient"),
    "of a container": (Forgetful(Dense(8, 8)), "1 Forgetful"),
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_wrong_backward_is_pointed_at(case, tab, tmp_path):
    layer, name = PLANTED[case]
    network = nn.Sequential(Dense(6, 8), layer, Dense(8, 3), seed=0)
    x = np.random.default_rng(0).standard_normal((3, 6))
    write(tmp_path / "wrong.html", network, nn.SoftmaxCrossEntropy(), x, np.array([0, 1, 2]))
    for opened in opening(tab, (tmp_path / "wrong.html").as_uri()):
        said_of_it = f"dx, which {name} hands back"
        assert said_of_it in opened.inner_text("#check")
        wrong = opened.locator("#layers button.layer", has=opened.locator(".off"))
        assert [text.split("\n")[0].split(" →")[0].split(" ←")[0] for text in
                wrong.all_inner_texts()] == [name]  # fmt: skip
        opened.click("#first")
        assert re.search(r"d[xys]\[\d\] of layer", said(opened))
        page_says = opened.evaluate("valueOf(current(), state.spot)")
        its_word = opened.locator("#reading .off", has_text=f"The backward of {name} says")
        assert its_word.count() == 1
        assert number(re.search(r"says (\S+?)\.?$", its_word.inner_text())[1]) != page_says
        opened.click("#nudge")  # the loss agrees with the page
        assert "✓" in opened.inner_text(".verdict")
        assert ("linear here" in opened.inner_text(".nudge")) == ("Squaring" in name)


def test_the_keyboard_alone_reaches_the_arrays_of_a_branch(opened):
    opened.evaluate("document.activeElement.blur()")
    for _ in range(60):
        opened.keyboard.press("Tab")
        if opened.evaluate("document.activeElement.textContent").startswith("3.2.0 Conv2D"):
            break
    opened.keyboard.press("Enter")
    for _ in range(80):
        opened.keyboard.press("Tab")
        if opened.evaluate("document.activeElement.dataset.array") == "value 6 ":
            break
    opened.keyboard.press("ArrowRight")
    assert "x[0,0,1] of layer 3.2.0, Conv2D" in said(opened)


def test_it_fits_a_desk_and_a_phone_by_day_by_night_and_in_grey(opened):
    fits(opened, "branches")
