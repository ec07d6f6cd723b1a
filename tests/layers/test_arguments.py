"""Arguments that make no sense are refused where the layer is made, and named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import SigmoidCrossEntropy, backends, initializers
from minicnn import layers as nn
from tests.strategies import LAYERS, conv_transpose2d

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Conv2D(1, 1, 0), ValueError, "Conv2D: kernel_size must be at least 1, got 0"),
        (lambda: nn.Conv2D(1, 1, 3, stride=0), ValueError, "Conv2D: stride"),
        (lambda: nn.Conv2D(1, 1, 3, stride=(1, -1)), ValueError, "Conv2D: stride.*got -1"),
        (lambda: nn.Conv2D(1, 1, 3, padding=-1), ValueError, "Conv2D: padding.*0, got -1"),
        (lambda: nn.Conv2D(1, 1, 3, padding="full"), TypeError, "Conv2D: padding.*'full'"),
        (lambda: nn.Conv2D(1, 1, 3, 2, padding="same"), ValueError, "'same' needs stride 1"),
        (lambda: nn.Conv2D(0, 1, 3), ValueError, "Conv2D: in_channels"),
        (lambda: nn.Conv2D(1, 2.5, 3), TypeError, "Conv2D: out_channels.*whole number.*2.5"),
        (lambda: nn.Conv2D(1, 1, (3, 3, 3)), ValueError, r"one number or two, got \(3, 3, 3\)"),
        (lambda: nn.Conv2D(1, 1, True), ValueError, "Conv2D: kernel_size"),
        (lambda: nn.Conv2D(1, 1, (0, 3)), ValueError, "Conv2D: kernel_size.*got 0"),
        (lambda: nn.Conv2D(1, 1, 3, dilation=0), ValueError, "Conv2D: dilation must be at least 1"),
        (lambda: nn.Conv2D(1, 1, 3, groups=0), ValueError, "Conv2D: groups must be at least 1"),
        (lambda: nn.Conv2D(4, 3, 3, groups=2), ValueError,
         "Conv2D: out_channels must be a multiple of groups=2, got 3"),
        (lambda: nn.Conv2D(3, 4, 3, groups=2), ValueError,
         "Conv2D: in_channels must be a multiple of groups=2, got 3"),
        (lambda: nn.ConvTranspose2D(2, 3, 3, groups=2), ValueError,
         "ConvTranspose2D: out_channels must be a multiple of groups=2, got 3"),
        (lambda: nn.ConvTranspose2D(1, 1, 3, 2, output_padding=2), ValueError, "output_padding"),
        (lambda: nn.ConvTranspose2D(0, 1, 3), ValueError, "ConvTranspose2D: in_channels"),
        (lambda: nn.ConvTranspose2D(1, 0, 3), ValueError, "ConvTranspose2D: out_channels"),
        (lambda: nn.ConvTranspose2D(1, 1, 0), ValueError, "ConvTranspose2D: kernel_size"),
        (lambda: nn.ConvTranspose2D(1, 1, 3, 0), ValueError, "ConvTranspose2D: stride"),
        (lambda: nn.ConvTranspose2D(1, 1, 3, padding=-1), ValueError, "ConvTranspose2D: padding"),
        (lambda: nn.ConvTranspose2D(1, 1, 3, output_padding=-1), ValueError,
         "ConvTranspose2D: output_padding"),
        (lambda: nn.Conv2D(1, 1, 3, 2**31), ValueError, "Conv2D: stride must be at most 2147"),
        (lambda: nn.MaxPool2D(0), ValueError, "MaxPool2D: kernel_size"),
        (lambda: nn.MaxPool2D(2, stride=0), ValueError, "MaxPool2D: stride"),
        (lambda: nn.MaxPool2D(2, padding=2), ValueError, "MaxPool2D: padding.*more than half"),
        (lambda: nn.MaxPool2D(65536, padding=32768), ValueError, "65536.* more than 16777216 taps"),
        (lambda: nn.AvgPool2D((1, 2**24 + 1)), ValueError, "AvgPool2D: .* more than 16777216 taps"),
        (lambda: nn.AvgPool2D(3, padding=-1), ValueError, "AvgPool2D: padding"),
        (lambda: nn.Dense(0, 1), ValueError, "Dense: in_features"),
        (lambda: nn.Dense(1, "2"), TypeError, "Dense: out_features"),
        (lambda: nn.Reshape((2, 0)), ValueError, "Reshape: shape"),
        (lambda: nn.LeakyReLU(float("nan")), ValueError, "LeakyReLU: slope"),
        (lambda: nn.BatchNorm(0), ValueError, "BatchNorm: num_features"),
        (lambda: nn.BatchNorm(1, momentum=1.5), ValueError, "BatchNorm: momentum"),
        (lambda: nn.BatchNorm(1, eps=0), ValueError, "BatchNorm: eps"),
        (lambda: nn.BatchNorm(1, eps=float("inf")), ValueError, "BatchNorm: eps"),
        (lambda: nn.GroupNorm(0, 2), ValueError, "GroupNorm: num_groups must be at least 1"),
        (lambda: nn.GroupNorm(1, 0), ValueError, "GroupNorm: num_channels must be at least 1"),
        (lambda: nn.GroupNorm(2, 3), ValueError, "num_groups must divide num_channels 3, got 2"),
        (lambda: nn.GroupNorm(1, 2, eps=0), ValueError, "GroupNorm: eps must be positive, got 0"),
        (lambda: nn.Standardize(0, 0), ValueError, "std must be positive and finite, got 0.0$"),
        (lambda: nn.Standardize(0, (1, 0)), ValueError, "std must .*, got 0.0 for channel 1"),
        (lambda: nn.Standardize(0, (-1, 2)), ValueError, "std must .*, got -1.0 for channel 0"),
        (lambda: nn.Standardize(0, (1, NAN)), ValueError, "std must .*, got nan for channel 1"),
        (lambda: nn.Standardize(0, (1, INF)), ValueError, "std must .*, got inf for channel 1"),
        (lambda: nn.Standardize(0, 1e-50), ValueError, "std must .*, got 1e-50"),
        (lambda: nn.Standardize((INF, 0), 1), ValueError, "mean must .*, got inf for channel 0"),
        (lambda: nn.Standardize(0, 1e300), ValueError, "std must .*, got 1e"),
        (lambda: nn.Standardize((1, 2), (1, 2, 3)), ValueError, "for 2 channels, std for 3"),
        (lambda: nn.Standardize((), 1), ValueError, "mean must be a number or one for each"),
        (lambda: nn.Standardize(0, ["1"]), TypeError, "Standardize: std must be a number, got '1'"),
        (lambda: nn.Dropout(1), ValueError, "Dropout: p must be at least 0 and less than 1, got 1"),
        (lambda: nn.Dropout(-0.1), ValueError, "Dropout: p"),
        (lambda: nn.Dropout(seed=-1), ValueError, "Dropout: seed"),
        (lambda: nn.Dropout(float("nan")), ValueError, "Dropout: p"),
        (lambda: nn.Dropout("0.5"), TypeError, "Dropout: p must be a number, got '0.5'"),
        (lambda: nn.LeakyReLU(None), TypeError, "LeakyReLU: slope must be a number, got None"),
        (lambda: nn.BatchNorm(1, momentum="x"), TypeError, "BatchNorm: momentum must be a number"),
        (lambda: nn.BatchNorm(1, eps=[1]), TypeError, "BatchNorm: eps must be a number"),
    ],
)  # fmt: skip
def test_a_layer_refuses_it(make, error, message):
    with pytest.raises(error, match=message):
        make()


# Every argument that is a number, with what it is when nobody says; None: it must be said.
NUMBERS = {
    nn.Conv2D: {"in_channels": None, "out_channels": None, "kernel_size": None, "stride": 1,
                "padding": 0, "dilation": 1, "groups": 1},
    nn.ConvTranspose2D: {"in_channels": None, "out_channels": None, "kernel_size": None,
                         "stride": 1, "padding": 0, "output_padding": 0, "dilation": 1,
                         "groups": 1},
    nn.MaxPool2D: {"kernel_size": None, "stride": None, "padding": 0},
    nn.AvgPool2D: {"kernel_size": None, "stride": None, "padding": 0},
    nn.Dense: {"in_features": None, "out_features": None},
    nn.BatchNorm: {"num_features": None, "momentum": 0.1, "eps": 1e-5},
    nn.GroupNorm: {"num_groups": None, "num_channels": None, "eps": 1e-5},
    nn.Standardize: {"mean": None, "std": None},
    nn.LeakyReLU: {"slope": 0.01},
    nn.Dropout: {"p": 0.5},
}  # fmt: skip


@pytest.mark.parametrize("kind", NUMBERS)
def test_what_nobody_says_is_pytorchs_choice(kind):
    layer = kind(**{name: 2 for name, value in NUMBERS[kind].items() if value is None})
    for name, value in NUMBERS[kind].items():
        wanted = 2 if value is None else value
        assert getattr(layer, name) in (wanted, (wanted, wanted))


@pytest.mark.parametrize("kind", NUMBERS)
def test_an_argument_that_is_no_number_is_named_with_its_layer(kind):
    right = {name: 1 if value is None else value for name, value in NUMBERS[kind].items()}
    for name in right:
        with pytest.raises(TypeError, match=rf"^{kind.__name__}: {name} must be a .*, got 'x'$"):
            kind(**right | {name: "x"})


@pytest.mark.parametrize(
    ("shape", "needed"), [((3,), 2), ((3, 1, 1), 2), ((3, 1, 2), 1), ((3, 2, 1), 1)]
)
def test_a_batch_norm_needs_two_values_a_channel(shape, needed):
    assert nn.BatchNorm(3).smallest_batch(shape) == needed


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (nn.Conv2D(1, 1, 5), (1, 4, 9), r"kernel \(5, 5\) is larger than the padded .* \(4, 9\)"),
        (nn.Conv2D(1, 1, 3, dilation=2), (1, 4, 9),
         r"kernel \(3, 3\), its taps \(2, 2\) apart, is larger than the padded .* \(4, 9\)"),
        (nn.MaxPool2D(3), (1, 2, 9), r"window \(3, 3\) is larger than the padded image"),
        (nn.MaxPool2D(2, padding=1), (1, 0, 9), "an image of 0 × 9 has no pixel"),
        (nn.ConvTranspose2D(1, 1, 2, padding=2), (1, 2, 9), "leaves an output of"),
        (nn.GlobalAvgPool2D(), (1, 0, 3), "an image of 0 × 3 has no pixel"),
        (nn.Reshape((2, 3)), (5,), "5 numbers, not 6"),
    ],
)  # fmt: skip
def test_an_image_that_is_too_small_is_refused(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.forward(np.zeros((2, *shape), "f"))


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (nn.Dense(4, 2), (3, 2), r"got \(N, 3, 2\)$"),
        (nn.Dense(6, 2), (3, 2), r"got \(N, 3, 2\); put Flatten\(\) before it"),
        (nn.MaxPool2D(2), (3,), r"wanted images of shape \(N, C, H, W\), got \(N, 3\)"),
        (nn.GroupNorm(2, 4), (3,), r"wanted shape \(N, 4\) or \(N, 4, H, W\), got \(N, 3\)"),
        (nn.GroupNorm(2, 2), (2, 1, 1), r"two values or more in every group, got \(N, 2, 1, 1\)"),
        (nn.GroupNorm(1, 2), (2, 0, 3), r"two values or more in every group, got \(N, 2, 0, 3\)"),
        (nn.Standardize((1, 2), 1), (3,), r"wanted shape \(N, 2\) or .*, got \(N, 3\)"),
        (nn.Standardize(1, 1), (3, 2), r"wanted shape \(N, C\) or \(N, C, H, W\), got \(N, 3, 2\)"),
        (nn.BatchNorm(4), (3,), r"wanted shape \(N, 4\) or \(N, 4, H, W\), got \(N, 3\)"),
        (nn.Conv2D(4, 1, 1), (3, 2, 2), r"wanted images .* \(N, 4, H, W\), got \(N, 3, 2, 2\)"),
    ],
)
def test_a_sample_of_another_shape_is_refused_with_both_shapes(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.forward(np.zeros((2, *shape), "f"))


def test_a_layer_that_states_nothing_says_what_is_missing():
    class Nothing(nn.Layer):
        pass

    for missing, arguments in (("output_shape", [()]), ("forward_batch", [None, False]),
                               ("backward_batch", [None])):  # fmt: skip
        with pytest.raises(NotImplementedError, match=f"Nothing does not state its {missing}"):
            getattr(Nothing(), missing)(*arguments)


@pytest.mark.parametrize("kind", [nn.MaxPool2D, nn.AvgPool2D])
def test_a_pooling_layer_has_the_window_that_was_asked_for(kind):
    layer = kind((3, 4), stride=(2, 1), padding=(1, 2), ceil_mode=True)
    assert (layer.kernel_size, layer.stride, layer.padding) == ((3, 4), (2, 1), (1, 2))
    assert layer.ceil_mode and not kind(2).ceil_mode
    assert kind(2).stride == (2, 2)
    assert vars(kind(2)).get("count_include_pad", True)


@pytest.mark.parametrize("backend", backends.available())
def test_numbers_become_float32_or_float64_when_asked(backend):
    layer = nn.BatchNorm(2).to(backend)
    for dtype in ("float64", "float32"):
        layer.astype(dtype)
        assert {p.dtype for p in layer.state().values()} == {np.dtype(dtype)}
        assert layer.forward(np.zeros((3, 2), "f")).dtype == dtype
        parameter = nn.Dense(2, 2).weight
        parameter.astype(dtype)
        assert parameter.dtype == dtype


def test_batch_norm_cannot_train_on_one_value_per_channel():
    layer = nn.BatchNorm(3)
    with pytest.raises(ValueError, match="BatchNorm.*more than one value per channel"):
        layer.forward(np.zeros((1, 3), "f"), training=True)
    assert layer.forward(np.zeros((1, 3), "f")).shape == (1, 3)
    assert layer.forward(np.zeros((1, 3, 2, 1), "f"), training=True).shape == (1, 3, 2, 1)


@pytest.mark.parametrize(
    "layer", [nn.Conv2D(7, 90, (3, 2)), nn.ConvTranspose2D(90, 7, (3, 2)), nn.Dense(42, 300)]
)
def test_weights_and_biases_begin_within_one_over_the_root_of_what_an_output_sums(layer):
    layer.initialize(np.random.default_rng(0))
    assert 0.98 < np.abs(layer.weight.value).max() * np.sqrt(42) <= 1
    assert 0.7 < np.abs(layer.bias.value).max() * np.sqrt(42) <= 1


@pytest.mark.parametrize(
    "call",
    [
        "Conv2D(in_channels=1, out_channels=2, kernel_size=(3, 4), stride=2, bias=False)",
        "ConvTranspose2D(in_channels=1, out_channels=2, kernel_size=3, stride=2, "
        "output_padding=(0, 1))",
        "ConvTranspose2D(in_channels=1, out_channels=2, kernel_size=3, bias=False)",
        "Dense(in_features=2, out_features=3)",
        "Dense(in_features=2, out_features=3, bias=False)",
        "MaxPool2D(kernel_size=2, stride=1, ceil_mode=True)",
        "AvgPool2D(kernel_size=3, stride=3, padding=1, count_include_pad=False)",
        "BatchNorm(num_features=2, momentum=0.2, eps=0.001)",
        "GroupNorm(num_groups=2, num_channels=4, eps=0.001)",
        "Standardize(mean=(0.5,), std=(0.25,))",
        "Standardize(mean=(0.5, 0.5), std=0.25)",
        "Dropout(p=0.3, seed=4)",
    ],
)
def test_a_layer_is_shown_by_the_call_that_makes_it(call):
    layer = eval(call, vars(nn))
    assert repr(layer) == call
    assert (vars(layer).get("bias", "has none") is None) == ("bias=False" in call)
    assert vars(layer).get("count_include_pad", True) == ("count_include_pad=False" not in call)


def test_what_a_layer_was_made_with_cannot_be_changed_behind_its_name():
    layer = nn.BatchNorm(2, eps=1e-3)
    with pytest.raises(AttributeError, match="BatchNorm: eps is fixed when it is made"):
        layer.eps = 1e-5
    assert (layer.eps, repr(layer)) == (1e-3, "BatchNorm(num_features=2, eps=0.001)")
    with pytest.raises(TypeError, match=r"Dense: assign to bias\.value"):
        nn.Dense(2, 2).bias = None
    with pytest.raises(AttributeError, match="Dense: bias is fixed"):
        nn.Dense(2, 2, bias=False).bias = nn.Parameter(np.ones(2))


@pytest.mark.parametrize("backend", backends.available())
def test_a_channel_with_a_nan_in_it_leaves_its_running_statistics_alone(backend):
    layer, x = nn.BatchNorm(2).to(backend), np.random.default_rng(0).random((5, 2), np.float32)
    x[3, 0] = np.nan
    assert np.isnan(layer.forward(x, training=True)[:, 0]).all()
    (still_zero, mean), (still_one, var) = layer.running_mean.value, layer.running_var.value
    assert (still_zero, still_one) == (0, 1)
    assert mean == pytest.approx(0.1 * x[:, 1].mean())
    assert var == pytest.approx(0.9 + 0.1 * x[:, 1].var(ddof=1))


@pytest.mark.parametrize("kind", LAYERS)
@given(data=st.data())
def test_a_layer_is_made_of_float32_numbers(kind, data):
    layer, _ = data.draw(LAYERS[kind])
    assert {p.dtype for p in layer.state().values()} <= {np.dtype("f4"), np.dtype("i8")}
    assert {p.dtype for p in layer.parameters()} <= {np.dtype("f4")}


@given(conv_transpose2d())
def test_every_pixel_of_a_transposed_convolution_meets_every_weight_of_its_channel(case):
    layer, (channels, height, width) = case
    assert layer.multiply_adds((channels, height, width)) == (
        layer.weight.value.size * height * width
    )


def test_an_initializer_of_choice_draws_the_weights():
    layer = nn.Conv2D(16, 32, 3, initializer=initializers.he_normal)
    assert layer.weight.value.std() == pytest.approx(np.sqrt(2 / 144), rel=0.1)


def test_a_parameter_keeps_its_shape_and_dtype_when_it_is_assigned():
    weight = nn.Dense(2, 3).weight
    weight.value = np.ones((3, 2), np.float64)
    assert weight.value.dtype == np.float32
    with pytest.raises(ValueError, match=r"shape \(3, 2\) got an array of \(2, 3\)"):
        weight.value = np.ones((2, 3))


@pytest.mark.parametrize("backend", backends.available())
def test_weights_in_fortran_order_are_the_same_weights(backend):
    layer, twin = nn.Conv2D(3, 4, 3), nn.Conv2D(3, 4, 3)
    for one in (layer, twin):
        one.bias.value = np.zeros(4)
    twin.weight.value = np.asfortranarray(layer.weight.value)
    x = np.random.default_rng(0).random((2, 3, 5, 5), dtype=np.float32)
    assert np.array_equal(layer.to(backend).forward(x), twin.to(backend).forward(x))


def test_only_float32_and_float64_parameters_exist():
    with pytest.raises(TypeError, match="Dense.*int32"):
        nn.Dense(2, 3).astype("int32")


def test_large_values_pass_the_saturating_activations_without_a_warning():
    x = np.array([[-800.0, 800.0]])
    assert nn.Sigmoid().forward(x).tolist() == [[0, 1]]
    assert nn.Tanh().forward(x).tolist() == [[-1, 1]]


def test_dropout_keeps_the_expectation_and_does_nothing_outside_of_training():
    layer, x = nn.Dropout(0.3, seed=1), np.ones((200, 500), "f")
    y = layer.forward(x, training=True)
    assert set(np.unique(y)) == {0, np.float32(1 / 0.7)}
    assert y.mean() == pytest.approx(1, abs=0.01)
    assert np.array_equal(layer.forward(x), x)


def test_dropout_draws_another_mask_every_step_and_the_same_from_the_same_seed():
    x = np.ones((4, 50), "f")
    layer, twin = nn.Dropout(0.5, seed=3), nn.Dropout(0.5, seed=3)
    first, second = layer.forward(x, True), layer.forward(x, True)
    assert not np.array_equal(first, second)
    assert np.array_equal(twin.forward(x, True), first)
    assert np.array_equal(twin.forward(x, True), second)
    assert not np.array_equal(nn.Dropout(0.5, seed=4).forward(x, True), first)


@pytest.mark.parametrize(
    "kind", [nn.ReLU, nn.Sigmoid, nn.Tanh, nn.Flatten, nn.GlobalAvgPool2D, SigmoidCrossEntropy]
)
def test_what_takes_no_arguments_says_so(kind):
    with pytest.raises(TypeError, match=f"{kind.__name__} takes no arguments.*slope"):
        kind(slope=0.1)


def test_a_fresh_group_norm_neither_scales_nor_shifts():
    layer = nn.GroupNorm(1, 2)
    for parameter in layer.parameters():
        parameter.value = np.full(2, 7.0)
    layer.initialize(np.random.default_rng(0))
    found = {name: parameter.value.tolist() for name, parameter in layer.state().items()}
    assert found == {"gamma": [1, 1], "beta": [0, 0]}


def test_a_fresh_batch_norm_neither_scales_nor_shifts():
    layer = nn.BatchNorm(2)
    for parameter in layer.state().values():
        parameter.value = np.full(2, 7.0)
    layer.initialize(np.random.default_rng(0))
    found = {name: parameter.value.tolist() for name, parameter in layer.state().items()}
    assert found == {
        "gamma": [1, 1], "beta": [0, 0], "running_mean": [0, 0], "running_var": [1, 1]
    }  # fmt: skip


@pytest.mark.parametrize("layer, slope", [(nn.ReLU(), 0), (nn.LeakyReLU(0.25), 0.25)])
def test_the_slope_at_zero_is_that_to_the_left(layer, slope):
    layer.forward(np.zeros((1, 1)))
    assert layer.backward(np.ones((1, 1))) == slope


@pytest.mark.parametrize("backend", backends.available())
@pytest.mark.parametrize("place", range(4))
def test_a_nan_wins_its_window_wherever_it_stands(backend, place):
    layer, x = nn.MaxPool2D(2).to(backend), np.arange(4.0)
    x[place] = np.nan
    assert np.isnan(layer.forward(x.reshape(1, 1, 2, 2))).all()
    dx = layer.backward(np.full((1, 1, 1, 1), 5.0))
    assert np.flatnonzero(dx).tolist() == [place]


@pytest.mark.parametrize("value", ["12", b"12", ["1", "2"], [None, None], [1j, 2]])
def test_a_parameters_value_must_be_numbers(value):
    parameter = nn.BatchNorm(2).beta
    with pytest.raises((TypeError, ValueError), match="a parameter.*(numbers|shape)"):
        parameter.value = value
    assert not parameter.value.any()
