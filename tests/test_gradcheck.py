"""The checker must let right gradients through and catch every planted bug."""

import numpy as np
import pytest
from grading import planted
from hypothesis import assume, given

from minicnn import backends, gradcheck
from minicnn import layers as nn
from minicnn.gradcheck import GradientError
from minicnn.losses import MeanSquaredError, SigmoidCrossEntropy, SoftmaxCrossEntropy
from tests.own_layers import Square
from tests.strategies import networks, normal, seeds

ops = backends.get("numpy")


def conv():
    return nn.Conv2D(2, 3, (3, 2), stride=(1, 2), padding=1), (2, 5, 5)


def overlapping_pool():
    return nn.MaxPool2D(3, stride=1, padding=1), (2, 4, 5)


def average_pool():
    return nn.AvgPool2D(3, stride=2, padding=1, count_include_pad=False), (2, 5, 4)


def square_dense():
    return nn.Dense(4, 4), (4,)


def scaled_batch_norm():
    layer = nn.BatchNorm(2)
    layer.gamma.value = np.array([0.5, 2.0])
    return layer, (2, 3, 2)


# Each bug: the layer that it is planted into, and the array whose gradient it spoils.
BUGS = {
    planted.swapped_stride: (conv, "x"),
    planted.turned_kernel: (conv, "x"),
    planted.swapped_padding: (conv, "weight"),
    planted.lost_image: (conv, "weight"),
    planted.forgotten_bias_sum: (conv, "bias"),
    planted.accumulated_bias: (conv, "bias"),
    planted.wrong_pooling_index: (overlapping_pool, "x"),
    planted.assigned_instead_of_added: (overlapping_pool, "x"),
    planted.divisor_that_counts_padding: (average_pool, "x"),
    planted.relu_without_its_mask: (lambda: (nn.ReLU(), (6,)), "x"),
    planted.slope_of_y_only: (lambda: (nn.Sigmoid(), (6,)), "x"),
    planted.transposed_dense_gradient: (square_dense, "weight"),
    planted.gamma_forgotten: (scaled_batch_norm, "x"),
    planted.height_for_width: (lambda: (nn.Flatten(), (2, 3, 4)), "x"),
}


def test_every_bug_is_planted():
    assert BUGS.keys() == planted.OPERATION.keys()


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
@pytest.mark.parametrize("n", [2, 60])  # every coordinate, and random directions
def test_a_planted_bug_is_caught_and_the_array_is_named(bug, n, monkeypatch):
    make, array = BUGS[bug]
    layer, shape = make()
    operation = planted.OPERATION[bug]
    layer.astype("float64")
    x = normal((n, *shape), 0)
    gradcheck.check(layer, x, training=True)
    right = getattr(ops, operation)
    monkeypatch.setattr(ops, operation, lambda *arguments: bug(right, *arguments))
    with pytest.raises(GradientError, match=rf"^{array}\b"):
        gradcheck.check(layer, x, training=True)


def test_a_failure_names_index_both_values_and_the_relative_error(monkeypatch):
    layer = nn.Dense(3, 2).astype("float64")
    right = ops.dense_weight_gradient

    def one_entry_off(dy, x, dw, buffers):
        right(dy, x, dw, buffers)
        dw[1, 2] *= 1.001

    monkeypatch.setattr(ops, "dense_weight_gradient", one_entry_off)
    with pytest.raises(
        GradientError, match=r"weight\[1, 2\]: backward says .* say .*: relative error 0\.00"
    ) as caught:
        gradcheck.check(layer, normal((4, 3), 0))
    assert caught.value.place.index == (1, 2)
    assert caught.value.place.analytic == layer.weight.grad[1, 2]


@pytest.mark.parametrize(
    ("loss", "operation"),
    [
        (SoftmaxCrossEntropy(), "softmax_cross_entropy_backward"),
        (SigmoidCrossEntropy(), "sigmoid_cross_entropy_backward"),
        (MeanSquaredError(), "mean_squared_error_backward"),
    ],
)
def test_a_missing_mean_over_the_batch_is_caught(loss, operation, monkeypatch):
    z, target = normal((4, 3), 0), np.eye(3)[[0, 1, 2, 1]]
    gradcheck.check(loss, z, target)
    right = getattr(ops, operation)
    monkeypatch.setattr(ops, operation, lambda *arguments: 4 * right(*arguments))
    with pytest.raises(GradientError, match=r"^prediction\["):
        gradcheck.check(loss, z, target)


@given(networks(), seeds)
def test_whole_random_networks_pass(case, seed):
    network, shape = case
    network.astype("float64")
    x = normal((3, *shape), seed)
    # What is dead before a normalisation is 0 / √eps there: noise, and all of it at a kink.
    assume(not normalizes_the_dead(network, x))
    try:
        gradcheck.check(network, x, training=True, max_coordinates=30)
    except ValueError as error:  # a first layer so near to a tie that it moves across it
        assume("lie at kinks" not in str(error))
        raise


def normalizes_the_dead(network, x):
    """Whether a channel (or in a GroupNorm a group of one image) is nearly constant before it."""
    for layer in network.layers:
        if isinstance(layer, nn.BatchNorm) and x.var(axis=(0, 2, 3)).min() < 1e-2:
            return True
        if isinstance(layer, nn.GroupNorm) and (
            x.reshape(len(x), layer.num_groups, -1).var(axis=2).min() < 1e-2
        ):
            return True
        x = layer.forward(x, training=True)
    return False


def test_float32_parameters_are_refused_with_the_way_out():
    with pytest.raises(TypeError, match="weight is float32.*astype"):
        gradcheck.check(nn.Dense(2, 2), np.ones((1, 2)))


def test_parameters_statistics_and_counters_are_left_as_they_were():
    layer = nn.BatchNorm(3).astype("float64")
    before = {name: p.value.copy() for name, p in layer.state().items()}
    gradcheck.check(layer, normal((4, 3), 0), training=True)
    assert all(np.array_equal(p.value, before[name]) for name, p in layer.state().items())


def test_a_layer_of_ones_own_needs_no_base_class():
    assert gradcheck.check(Square(), normal((3, 4), 0)).compared == 13
    with pytest.raises(GradientError, match=r"^x\["):
        gradcheck.check(Square(factor=1.0), normal((3, 4), 0))


def test_a_parameters_array_is_the_same_one_afterwards():
    layer = Square()
    before = layer.a.value
    gradcheck.check(layer, normal((3, 4), 0))
    assert layer.a.value is before


def test_an_input_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="x must be finite"):
        gradcheck.check(Square(), np.array([[1.0, np.inf]]))


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (np.zeros((1, 1)), r"has shape \(1,\), its gradient \(1, 1\)"),
        (np.array([np.nan]), r"is not finite: \[nan\]"),
    ],
)
def test_a_gradient_that_cannot_be_one_is_caught_and_named(gradient, message):
    class Wrong(Square):
        def backward(self, dy):
            dx = super().backward(dy)
            self.a.grad = gradient
            return dx

    with pytest.raises(GradientError, match=message):
        gradcheck.check(Wrong(), normal((3, 4), 0))


@pytest.mark.parametrize(("row", "column"), [(0, 0), (17, 40), (95, 95)])
def test_a_single_wrong_entry_of_thousands_is_named(row, column, monkeypatch):
    right = ops.dense_weight_gradient

    def one_entry_off(dy, x, dw, buffers):
        right(dy, x, dw, buffers)
        dw[row, column] *= 1.1

    monkeypatch.setattr(ops, "dense_weight_gradient", one_entry_off)
    layer = nn.Dense(96, 96).astype("float64")
    with pytest.raises(
        GradientError, match=rf"^weight\[{row}, {column}\]: .* relative error 0\.09"
    ):
        gradcheck.check(layer, normal((3, 96), 0))


def test_a_gradient_that_is_not_there_is_named():
    class Silent(Square):
        def backward(self, dy):
            super().backward(dy)

    class Forgetful(Square):
        def backward(self, dy):
            dx = super().backward(dy)
            self.a.grad = None
            return dx

    for kind, name in ((Silent, "x"), (Forgetful, "a")):
        with pytest.raises(GradientError, match=f"^{name}: backward gave no gradient for it"):
            gradcheck.check(kind(), normal((3, 4), 0))


def test_a_loss_without_a_gradient_or_that_changes_its_prediction_is_caught():
    class Silent(MeanSquaredError):
        def backward(self):
            super().backward()

    class Careless(MeanSquaredError):
        def forward(self, prediction, target):
            loss = super().forward(prediction, target)
            prediction -= target
            return loss

    for loss, message in ((Silent(), "backward gave no gradient"), (Careless(), "in place")):
        with pytest.raises(GradientError, match=f"^prediction: .*{message}"):
            gradcheck.check(loss, normal((3, 4), 0), normal((3, 4), 1))


def test_what_is_changed_in_place_is_named():
    class Forward(Square):
        def forward(self, x, training=False):
            y = super().forward(x.copy())
            x *= 0
            return y

    class Backward(Square):
        def backward(self, dy):
            dx = super().backward(dy)
            self.x *= 0
            return dx

    class Upstream(Square):
        def backward(self, dy):
            dx = super().backward(dy)
            dy *= 0
            return dx

    for kind, what in ((Forward, "x: for"), (Backward, "x: back"), (Upstream, "dy: back")):
        with pytest.raises(GradientError, match=f"^{what}ward changes it in place"):
            gradcheck.check(kind(), normal((3, 4), 0))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_backward_that_is_wrong_once_or_from_a_later_step_on_is_caught(count):
    class Tired(Square):
        calls = 0

        def backward(self, dy):
            self.calls += 1
            self.factor = 3.0 if self.calls == count else 2.0
            return super().backward(dy)

    class Late(Tired):
        def backward(self, dy):
            self.calls += 1
            self.factor = 3.0 if self.calls >= count else 2.0
            return Square.backward(self, dy)

    for kind in (Tired, Late):
        with pytest.raises(GradientError, match="^x"):
            gradcheck.check(kind(), normal((3, 4), 0))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(("tolerance", value) for value in (0, -1, 1, np.nan, np.inf, 5e-324, "1e-5")),
        *(("directions", value) for value in (0, 2.5)),
        ("max_coordinates", -1),
        ("seed", -1),
    ],
)
def test_a_check_that_could_find_nothing_is_refused(name, wrong):
    with pytest.raises((ValueError, TypeError), match=f"^gradcheck: {name} must be"):
        gradcheck.check(Square(factor=1.0), normal((3, 4), 0), **{name: wrong})


def test_an_array_without_numbers_has_nothing_to_compare():
    assert gradcheck.check(Square(), np.zeros((0, 3))).compared == 1  # a
