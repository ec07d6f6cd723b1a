"""Arguments that make no sense are refused where the layer is made, and named."""

import numpy as np
import pytest

from minicnn import SigmoidCrossEntropy
from minicnn import layers as nn

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
        (lambda: nn.Reshape(4), TypeError, r"Reshape: shape must be a tuple such as .*, got 4$"),
        (lambda: nn.Conv2D(1, 1, 3, padding=np.ones(2, int)), TypeError, "Conv2D: padding must be"),
        (lambda: nn.Conv2D(1, 1, 3, initializer="he"), TypeError,
         r"Conv2D: initializer must be a function such as initializers\.he_normal, got 'he'"),
        (lambda: nn.Dense(1, 1, initializer=None), TypeError, "Dense: initializer must be a func"),
        (lambda: nn.LeakyReLU(float("nan")), ValueError, "LeakyReLU: slope"),
        (lambda: nn.GELU("erf"), ValueError, 'GELU: approximate must be "none" or "tanh", got'),
        (lambda: nn.BatchNorm(0), ValueError, "BatchNorm: num_features"),
        (lambda: nn.BatchNorm(1, momentum=1.5), ValueError, "BatchNorm: momentum"),
        (lambda: nn.BatchNorm(1, eps=0), ValueError, "BatchNorm: eps"),
        (lambda: nn.BatchNorm(1, eps=float("inf")), ValueError, "BatchNorm: eps"),
        (lambda: nn.GroupNorm(0, 2), ValueError, "GroupNorm: num_groups must be at least 1"),
        (lambda: nn.GroupNorm(1, 0), ValueError, "GroupNorm: num_channels must be at least 1"),
        (lambda: nn.GroupNorm(2, 3), ValueError, "num_groups must divide num_channels 3, got 2"),
        (lambda: nn.BatchNorm(1, eps=1e-46), ValueError, "BatchNorm: eps .* float32, .*got 1e-46"),
        (lambda: nn.GroupNorm(1, 2, eps=0), ValueError, "GroupNorm: eps must be positive.*, got 0"),
        (lambda: nn.GroupNorm(1, 2, eps=1e39), ValueError, "eps .* finite in float32, .*got 1e"),
        (lambda: nn.Standardize(0, 0), ValueError, "std must be positive and finite, got 0.0$"),
        (lambda: nn.Standardize(0, (1, 0)), ValueError, "std must .*, got 0.0 for channel 1"),
        (lambda: nn.Standardize(0, (-1, 2)), ValueError, "std must .*, got -1.0 for channel 0"),
        (lambda: nn.Standardize(0, (1, NAN)), ValueError, "std must .*, got nan for channel 1"),
        (lambda: nn.Standardize(0, (1, INF)), ValueError, "std must .*, got inf for channel 1"),
        (lambda: nn.Standardize(0, 1e-50), ValueError, "std must .*, got 1e-50"),
        (lambda: nn.Standardize((INF, 0), 1), ValueError, "mean must .*, got inf for channel 0"),
        (lambda: nn.Standardize((0, -INF), 1), ValueError, "mean must .*, got -inf for channel 1"),
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


@pytest.mark.parametrize("momentum", [0, 1])
def test_running_statistics_may_stay_or_be_those_of_the_last_batch(momentum):
    layer = nn.BatchNorm(1, momentum=momentum)
    layer.forward(np.array([[1.0], [5.0]]), training=True)
    assert (layer.running_mean.value, layer.running_var.value) == ((3, 8) if momentum else (0, 1))


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (nn.Conv2D(1, 1, 5), (1, 4, 9), r"kernel \(5, 5\) is larger than the padded .* \(4, 9\)"),
        (nn.Conv2D(1, 1, 3, dilation=2), (1, 4, 9),
         r"kernel \(3, 3\), its taps \(2, 2\) apart, is larger than the padded .* \(4, 9\)"),
        (nn.MaxPool2D(3), (1, 2, 9), r"window \(3, 3\) is larger than the padded image"),
        (nn.MaxPool2D(2, padding=1), (1, 0, 9), "an image of 0 × 9 has no pixel"),
        (nn.ConvTranspose2D(1, 1, 2, padding=2), (1, 2, 9), "leaves an output of"),
        (nn.ConvTranspose2D(1, 1, 2, padding=1), (1, 1, 9), r"leaves an output of \(0, 8\)"),
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


def test_a_dense_layer_takes_a_list_as_the_shape_that_it_is():
    assert nn.Dense(2, 3).output_shape([2]) == (3,)


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


def test_batch_norm_cannot_train_on_one_value_per_channel():
    layer = nn.BatchNorm(3)
    with pytest.raises(ValueError, match="BatchNorm.*more than one value per channel"):
        layer.forward(np.zeros((1, 3), "f"), training=True)
    assert layer.forward(np.zeros((1, 3), "f")).shape == (1, 3)
    assert layer.forward(np.zeros((1, 3, 2, 1), "f"), training=True).shape == (1, 3, 2, 1)


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


@pytest.mark.parametrize(
    "kind", [nn.ReLU, nn.Sigmoid, nn.Tanh, nn.Flatten, nn.GlobalAvgPool2D, SigmoidCrossEntropy]
)
def test_what_takes_no_arguments_says_so(kind):
    with pytest.raises(TypeError, match=f"{kind.__name__} takes no arguments.*slope"):
        kind(slope=0.1)
