"""A layer of the user's own that does not keep to what it states is named, on every backend."""

import numpy as np
import pytest

from minicnn import (
    SGD,
    Dense,
    Layer,
    MeanSquaredError,
    Parallel,
    ReLU,
    Residual,
    Sequential,
    backends,
    evaluate,
    fit,
)
from minicnn.layers.activation import Activation

every_backend = pytest.mark.parametrize("backend", backends.available())
ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)


class Own(Layer):
    """x, or what is wrong with it."""

    def output_shape(self, input_shape):
        return input_shape

    def forward_batch(self, x, training):
        return x

    def backward_batch(self, dy, input_gradient=True):
        return dy


class FirstColumn(Own):
    def forward_batch(self, x, training):
        return self.ops.split(x, [1, 2], self.buffers)[0]


class Nothing(Own):
    def forward_batch(self, x, training):
        self.x = x


class FirstColumnBack(Own):
    def backward_batch(self, dy, input_gradient=True):
        return self.ops.split(dy, [1, 2], self.buffers)[0]


@every_backend
@pytest.mark.parametrize(
    "around",
    [
        Sequential,
        lambda layer: Sequential(layer, Dense(3, 2)),
        lambda layer: Sequential(Residual(layer)),
        lambda layer: Sequential(Residual(Dense(3, 3), shortcut=layer)),
        lambda layer: Sequential(Parallel(layer, Dense(3, 2))),
    ],
)
def test_an_output_of_another_shape_than_was_stated_is_refused(around, backend):
    network = around(FirstColumn()).to(backend)
    with pytest.raises(ValueError, match=r"FirstColumn\(\): .*\(2, 1\), wanted \(2, 3\)"):
        network.predict(ROWS)
    with pytest.raises(TypeError, match=r"Nothing\(\): forward_batch returned NoneType"):
        around(Nothing()).to(backend).predict(ROWS)


def test_a_batch_with_a_sample_too_few_is_refused_too():
    def fewer(self, x, *_):
        return x[1:]

    for way in ("forward_batch", "backward_batch"):
        layer = type("Fewer", (Own,), {way: fewer})()
        with pytest.raises(ValueError, match=rf"{way} returned a batch \(1, 3\), wanted \(2, 3\)"):
            layer.backward(layer.forward(ROWS))


def test_a_layer_may_give_no_gradient_where_nobody_needs_it():
    def backward_batch(self, dy, input_gradient=True):
        dx = Dense.backward_batch(self, dy)
        return dx if input_gradient else None

    layer = type("Mine", (Dense,), {"backward_batch": backward_batch})(3, 3)
    before = layer.weight.value.copy()
    fit(Sequential(layer), MeanSquaredError(), SGD(0.1), (ROWS, ROWS), progress=False)
    assert (layer.weight.value != before).any()


@every_backend
@pytest.mark.parametrize("way", ["forward_batch", "backward_batch"])
def test_ours_with_one_method_of_the_users_is_the_users(way, backend):
    def shorter(self, x, *_):
        return self.ops.split(getattr(ReLU, way)(self, x, True), [1, 2], self.buffers)[0]

    layer = type("Shorter", (ReLU,), {way: shorter})().to(backend)
    with pytest.raises(ValueError, match=rf"Shorter\(\): {way} returned a batch \(2, 1\)"):
        layer.backward(layer.forward(ROWS))


@every_backend
def test_its_own_forward_its_evaluation_and_its_training_refuse_it_too(backend):
    layer, samples = FirstColumn().to(backend), (ROWS, ROWS)
    network, loss = Sequential(Dense(3, 3), FirstColumn()).to(backend), MeanSquaredError()
    for use in (
        lambda: layer.forward(ROWS),
        lambda: evaluate(network, loss, samples),
        lambda: fit(network, loss, SGD(0.1), samples, progress=False),
    ):
        with pytest.raises(ValueError, match="FirstColumn.*forward_batch"):
            use()


@every_backend
def test_a_gradient_of_another_shape_than_the_input_is_refused(backend):
    network = Sequential(Dense(3, 3), FirstColumnBack()).to(backend)
    for layer in (FirstColumnBack().to(backend), network):
        layer.forward(ROWS)
        with pytest.raises(ValueError, match=r"FirstColumnBack\(\): backward_batch .*\(2, 1\)"):
            layer.backward(ROWS)
    with pytest.raises(ValueError, match="FirstColumnBack"):
        fit(network, MeanSquaredError(), SGD(0.1), (ROWS, ROWS), progress=False)


@every_backend
def test_one_that_keeps_to_it_is_taken(backend):
    network = Sequential(Residual(Own()), Parallel(Own(), Own())).to(backend)
    np.testing.assert_array_equal(network.forward(ROWS), np.tile(2 * ROWS, 2))
    np.testing.assert_array_equal(network.backward(np.tile(ROWS, 2)), 4 * ROWS)


def test_a_subclass_with_arguments_of_its_own_can_be_shown():
    class Square(Dense):
        def __init__(self, size):
            super().__init__(size, size)

    assert repr(Square(3)) == "Square(in_features=3, out_features=3, bias=True)"


def test_a_formula_of_a_module_that_is_called_like_ours_stays_its_own():
    def relu(x):
        return x if x > 0 else x * x

    relu.__module__ = "scalar"

    class Own(Activation):
        formulas, keeps = (relu, relu), "x"

    assert Own().forward(np.array([[-2.0]])) == 4


def test_a_layer_may_leave_out_what_it_does_not_use():
    class Short(Own):
        def backward_batch(self, dy):
            return dy

    layer = Short()
    layer.forward(ROWS)
    np.testing.assert_array_equal(layer.backward(ROWS), ROWS)


@every_backend
def test_what_a_layer_has_made_on_its_backend_stays_when_it_becomes_part_of_a_network(backend):
    class Shifted(Own):
        def forward_batch(self, x, training):
            return self.ops.add(x, self.shift, "y", self.buffers)

    layer = Shifted().to(backend)
    layer.shift = layer.ops.from_numpy(np.ones_like(ROWS))
    np.testing.assert_array_equal(Sequential(layer).predict(ROWS), ROWS + 1)


def test_a_container_may_choose_its_layers_while_it_is_made():
    class Block(Residual):
        def __init__(self, *layers, around):
            self.shortcut = None
            if around:
                self.shortcut = Dense(3, 3)
            super().__init__(*layers, shortcut=self.shortcut)

    assert Block(Dense(3, 3), around=True).predict(ROWS).shape == (2, 3)


def test_a_container_of_ones_own_may_call_its_layers_as_functions():
    class Called(Sequential):
        def forward_batch(self, x, training):
            return self.layers[0](x, training)

    network = Called(Dense(3, 2))
    network.forward(ROWS)
    assert network.backward(ROWS[:, :2]).shape == (2, 3)
