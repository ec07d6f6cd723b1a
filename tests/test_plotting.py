"""The figures: what they show, read from the figure objects, and how they are saved."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from minicnn.files.history import History
from minicnn.plotting import (
    confusion_matrix,
    gradient_norms,
    image_grid,
    save,
    training_curves,
)

HISTORY = {
    "train_loss": [0.9, 0.5, 0.3],
    "validation_loss": [0.8, 0.6, 0.5],
    "train_accuracy": [0.7, 0.8, 0.9],
    "validation_accuracy": [0.6, 0.7, 0.75],
}


def points(line):
    return [(float(x), float(y)) for x, y in line.get_xydata()]


def contrast(colour, other):
    """The contrast ratio of two sRGB colours, 1 to 21, by the definition of WCAG 2."""

    def luminance(rgb):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb[:3]]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    low, high = sorted([luminance(colour), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_training_curves_show_loss_and_accuracy_against_the_epoch():
    loss, accuracy = training_curves(HISTORY).axes
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("epoch", "loss (mean per sample)")
    assert (accuracy.get_xlabel(), accuracy.get_ylabel()) == ("epoch", "accuracy (%)")
    assert [line.get_label() for line in loss.lines] == ["train", "validation"]
    assert [line.get_label() for line in accuracy.lines] == ["train", "validation"]
    assert points(loss.lines[0]) == [(1, 0.9), (2, 0.5), (3, 0.3)]
    assert accuracy.lines[1].get_xydata() == pytest.approx(np.array([(1, 60), (2, 70), (3, 75)]))


def test_the_two_lines_of_a_panel_differ_in_print():
    for axes in training_curves(HISTORY).axes:
        train, validation = axes.lines
        assert train.get_linestyle() != validation.get_linestyle()
        assert train.get_marker() != validation.get_marker()
        assert axes.get_legend() is not None


@given(
    st.dictionaries(
        st.sampled_from(list(HISTORY)),
        st.lists(st.none() | st.floats(width=32), max_size=5),
    )
)
@settings(deadline=None)
def test_every_finite_value_is_a_point_and_nothing_else_is(columns):
    finite = {
        name: [(k, v) for k, v in enumerate(values, 1) if v is not None and math.isfinite(v)]
        for name, values in columns.items()
    }
    wanted = {name: values for name, values in finite.items() if values}
    if not wanted:
        with pytest.raises(ValueError, match=r"^history_columns: got .* wanted a finite value in"):
            training_curves(columns)
        return
    shown = {}
    for axes in training_curves(columns).axes:
        panel = axes.get_ylabel().split()[0]
        scale = 100 if panel == "accuracy" else 1
        for line in axes.lines:
            shown[f"{line.get_label()}_{panel}"] = [(x, y / scale) for x, y in points(line)]
    assert {name: np.array(values) for name, values in shown.items()} == {
        name: pytest.approx(np.array(values)) for name, values in wanted.items()
    }


def test_what_is_no_dict_of_columns_is_refused_with_what_to_pass():
    with pytest.raises(TypeError, match=r"^training_curves: .* history\.columns, got "):
        training_curves(History())
    with pytest.raises(TypeError, match="^gradient_norms: norms must be a dict"):
        gradient_norms([1.0, 2.0])


def test_an_epoch_is_a_whole_number_on_the_axis_even_when_there_is_only_one():
    (axes,) = training_curves({"train_loss": [0.4]}).axes
    assert all(tick == round(tick) for tick in axes.get_xticks())


def test_a_history_without_accuracy_has_one_panel():
    figure = training_curves({"train_loss": [1.0], "train_accuracy": [None], "seconds": [3.0]})
    (axes,) = figure.axes
    assert axes.get_ylabel() == "loss (mean per sample)"
    assert len(axes.lines) == 1


def test_a_long_line_keeps_only_a_few_markers():
    (axes,) = training_curves({"train_loss": np.linspace(1, 0, 500)}).axes
    (line,) = axes.lines
    assert len(line.get_xydata()) == 500
    assert 500 / line.get_markevery() <= 12


def test_a_confusion_matrix_writes_every_count_in_its_cell():
    matrix = np.array([[50, 3, 0], [7, 900, 1], [0, 0, 0]])
    axes = confusion_matrix(matrix, ["cat", "dog", "emu"]).axes[0]
    texts = {text.get_position(): text.get_text() for text in axes.texts}
    # A text's position is (x, y): (predicted, true).
    assert texts == {(p, t): str(matrix[t, p]) for t in range(3) for p in range(3)}


def test_a_confusion_matrix_names_its_axes_and_classes():
    axes, bar = confusion_matrix(np.eye(2, dtype=int), ["cat", "dog"]).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["cat", "dog"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["cat", "dog"]
    assert bar.get_ylabel() == "share of the true class (%)"


def test_cells_are_shaded_by_the_share_of_their_row_and_an_empty_row_by_none():
    (image,) = confusion_matrix([[1, 3], [0, 0]], ["a", "b"]).axes[0].images
    assert image.get_array().tolist() == [[25, 75], [0, 0]]


def test_counts_are_legible_on_every_shade():
    matrix = np.zeros((21, 21), int)
    matrix[:, 0] = range(0, 105, 5)  # every 5 %
    matrix[:, 1] = 100 - matrix[:, 0]
    axes = confusion_matrix(matrix, [str(c) for c in range(21)]).axes[0]
    (image,) = axes.images
    inks = {"white": (1, 1, 1), "black": (0, 0, 0)}
    for text in axes.texts:
        column, row = text.get_position()
        cell = image.to_rgba(image.get_array()[row, column])
        assert contrast(inks[text.get_color()], cell) > 4.5  # what WCAG asks for small text


def test_shades_only_get_darker_as_the_share_grows():
    (image,) = confusion_matrix([[1]], ["a"]).axes[0].images
    assert (np.diff(image.to_rgba(np.arange(101.0))[:, :3].sum(axis=1)) <= 0).all()


@pytest.mark.parametrize("largest", [9, 1_000_000])
@pytest.mark.parametrize("names", ["0123456789", ["a name of some length"] * 10, "ab"])
def test_everything_fits_in_the_figure_and_every_count_in_its_cell(largest, names):
    figure = confusion_matrix(np.full((len(names), len(names)), largest), list(names))
    figure.draw_without_rendering()
    drawn = figure.get_tightbbox()  # in inches, from the lower left corner
    pixel = 1 / figure.dpi
    assert -pixel < drawn.xmin < drawn.xmax < figure.get_figwidth() + pixel
    assert -pixel < drawn.ymin < drawn.ymax < figure.get_figheight() + pixel
    axes = figure.axes[0]
    cell = axes.get_window_extent().width / len(names)
    assert all(text.get_window_extent().width < cell for text in axes.texts)


def test_a_figure_too_small_for_its_counts_still_has_them():
    figure = Figure(figsize=(1.5, 1.5))
    confusion_matrix([[1, 2], [3, 4]], ["a", "b"], figure=figure)
    assert all(text.get_fontsize() == 2 for text in figure.axes[0].texts)


@pytest.mark.parametrize("matrix", [np.zeros((2, 3), int), np.zeros((3, 3), int), np.zeros(2, int)])
def test_a_matrix_that_does_not_fit_its_classes_is_refused(matrix):
    with pytest.raises(ValueError, match=r"^matrix: got shape \(.*\), wanted \(2, 2\) for 2"):
        confusion_matrix(matrix, ["cat", "dog"])


@pytest.mark.parametrize(
    "draw",
    [
        lambda figure: training_curves(HISTORY, figure=figure),
        lambda figure: confusion_matrix(np.eye(10, dtype=int), list("0123456789"), figure=figure),
        lambda figure: image_grid(np.zeros((4, 2, 2)), figure=figure),
    ],
)
def test_a_subfigure_is_drawn_on_and_its_whole_figure_returned(draw, tmp_path):
    whole = Figure(figsize=(8, 4), layout="constrained")
    left, right = whole.subfigures(1, 2)
    assert draw(right) is whole
    assert right.axes
    assert not left.axes
    save(whole, tmp_path / "whole.png")


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg", "PNG"])
def test_save_makes_the_folder_and_one_file_of_the_suffix_s_format(tmp_path, suffix):
    path = tmp_path / "deep" / "er" / f"curves.{suffix}"
    save(training_curves(HISTORY), path)
    assert [child.name for child in path.parent.iterdir()] == [path.name]
    begins = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}
    assert path.read_bytes().startswith(begins[suffix.lower()])


@pytest.mark.parametrize("name", ["curves", "curves.docx", "curves."])
def test_a_suffix_without_a_format_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(ValueError, match=r"^path: got '.*', wanted a suffix among \[.*'png'"):
        save(training_curves(HISTORY), tmp_path / "folder" / name)
    assert list(tmp_path.iterdir()) == []


def test_a_rendering_that_fails_leaves_the_old_file_and_no_half_file(tmp_path):
    path = tmp_path / "curves.svg"
    path.write_text("the old figure", encoding="utf-8")
    figure = training_curves(HISTORY)

    def draw(renderer):
        # The layout draws once before the file is opened; only the second drawing is written.
        if len(list(tmp_path.iterdir())) == 2:
            raise ZeroDivisionError

    figure.axes[-1].draw = draw
    with pytest.raises(ZeroDivisionError):
        save(figure, path)
    assert [child.name for child in tmp_path.iterdir()] == ["curves.svg"]
    assert path.read_text(encoding="utf-8") == "the old figure"


def test_drawing_and_saving_never_import_pyplot(tmp_path):
    program = (
        "import sys; from minicnn import plotting\n"
        "figure = plotting.training_curves({'train_loss': [1.0, 0.5]})\n"
        f"plotting.save(figure, {str(tmp_path / 'curves.png')!r})\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_gradient_norms_are_one_line_a_layer_with_gaps_where_a_log_scale_has_no_place():
    (axes,) = gradient_norms({"conv": [2.0, 0.0, 0.5], "dense": [1.0, np.inf, np.nan]}).axes
    conv, dense = axes.lines
    assert [conv.get_label(), dense.get_label()] == ["conv", "dense"]
    np.testing.assert_array_equal(conv.get_xydata(), [(1, 2.0), (2, np.nan), (3, 0.5)])
    np.testing.assert_array_equal(dense.get_ydata(), [1.0, np.nan, np.nan])
    assert (axes.get_xlabel(), axes.get_yscale()) == ("training step", "log")
    assert conv.get_color() != dense.get_color()
    assert conv.get_linestyle() != dense.get_linestyle()


def test_gradient_norms_of_many_steps_are_medians_of_neighbours():
    steps = np.tile([1.0, 2.0, 30.0], 200)
    (axes,) = gradient_norms({"conv": steps, "dense": [0.0, 1.0]}).axes
    conv, dense = axes.lines
    assert len(conv.get_xdata()) == 100
    np.testing.assert_array_equal(conv.get_ydata(), 2.0)
    assert conv.get_xdata()[0] == np.arange(1, 7).mean()
    np.testing.assert_array_equal(dense.get_ydata(), [np.nan, 1.0])


@pytest.mark.parametrize("norms", [{}, {"conv": []}, {"conv": [0.0, math.nan]}])
def test_gradient_norms_without_a_norm_to_draw_are_refused(norms):
    with pytest.raises(ValueError, match="norms"):
        gradient_norms(norms)
