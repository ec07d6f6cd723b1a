"""The recurrent layers that an example builds by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm import LSTM, PlainRNN

from minicnn import backends, gradcheck
from tests.strategies import normal, seeds

every_backend = pytest.mark.parametrize("backend", backends.available())
small = st.integers(1, 4)


@every_backend
@pytest.mark.parametrize("kind", [PlainRNN, LSTM])
@settings(max_examples=settings.default.max_examples // 5)
@given(small, small, small, small, seeds)
def test_the_gradient_through_time_is_the_slope(kind, backend, n, steps, features, units, seed):
    layer = kind(features, units).astype("float64").to(backend)
    gradcheck.check(layer, normal((n, steps, features), seed))


@every_backend
def test_a_sequence_of_another_length_needs_no_other_layer(backend):
    layer = LSTM(3, 4).to(backend)
    x = normal((5, 6, 3), 0, "float32")
    last = layer.forward(x)
    layer.forward(x[:, :2])
    np.testing.assert_array_equal(layer.forward(x), last)


def test_an_lstm_is_pytorchs():
    torch = pytest.importorskip("torch")
    ours = LSTM(3, 4).astype("float64")
    theirs = torch.nn.LSTM(3, 4, batch_first=True).double()
    weight, bias = ours.weight.value, ours.bias.value
    order = np.arange(16).reshape(4, 4)[[0, 1, 3, 2]].ravel()  # its gates are i, f, g, o
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(torch.from_numpy(weight[order, :3]))
        theirs.weight_hh_l0.copy_(torch.from_numpy(weight[order, 3:]))
        theirs.bias_ih_l0.copy_(torch.from_numpy(bias[order]))
        theirs.bias_hh_l0.zero_()
    x, dy = normal((5, 6, 3), 0), normal((5, 4), 1)
    seen = torch.tensor(x, requires_grad=True)
    hidden = theirs(seen)[1][0][0]
    hidden.backward(torch.from_numpy(dy))
    np.testing.assert_allclose(ours.forward(x), hidden.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(ours.backward(dy), seen.grad.numpy(), atol=1e-12)
    grad = np.concatenate([theirs.weight_ih_l0.grad, theirs.weight_hh_l0.grad], axis=1)
    np.testing.assert_allclose(ours.weight.grad[order], grad, atol=1e-12)
