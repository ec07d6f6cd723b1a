"""Data, losses, updates and whole training on the cuda backend against numpy."""

import copy
import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicnn as m
from minicnn import backends
from minicnn.backends import contract
from minicnn.layers.parameter import Parameter
from minicnn.optimizers import Penalty, clip_gradient_norm
from minicnn.timing import profile
from tests.strategies import normal, seeds

few = settings(max_examples=settings.default.max_examples // 5)


@pytest.fixture
def cuda_ops():
    return backends.get("cuda")



@pytest.mark.parametrize("operation", contract.operations())
def test_the_operation_is_there_with_the_contracts_arguments(cuda_ops, operation):
    stated = list(inspect.signature(getattr(contract.Backend, operation)).parameters)[1:]
    assert list(inspect.signature(getattr(cuda_ops, operation)).parameters) == stated


def test_what_kernels_cannot_count_is_refused(cuda_ops):
    with pytest.raises(ValueError, match="'y' has 2147483648 numbers, but kernels count to"):
        cuda_ops.Buffers().empty("y", 2**31, np.float32)


def test_a_simulated_gpu_is_never_chosen_by_itself():
    backends.get("cuda")
    from minicnn.backends.cuda.device import SIMULATED as simulated

    assert ("cuda" in backends.available()) != simulated


@few
@given(st.integers(1, 9), st.integers(1, 11), st.sampled_from(["uint8", "float32"]), seeds)
def test_gather_picks_scales_and_turns_samples(n, size, dtype, seed):
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 256, (13, size, 1)).astype(dtype)
    indices = rng.integers(0, 13, n)
    found = []
    for name in ("numpy", "cuda"):
        ops = backends.get(name)
        batch = ops.gather(ops.upload(data), indices, np.dtype("float32"), ops.Buffers())
        assert batch.shape == (n, size, 1)
        found.append(ops.to_numpy(batch))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)


LOSSES = [
    (m.SoftmaxCrossEntropy(), 4, "labels"),
    (m.SoftmaxCrossEntropy(), 40, "labels"),  # so many that several threads share them
    (m.SoftmaxCrossEntropy(label_smoothing=0.1, class_weights=[1, 2, 0.5]), 3, "labels"),
    (m.SigmoidCrossEntropy(), 1, "labels"),
    (m.MeanSquaredError(), 3, "numbers"),
]


@pytest.mark.parametrize("loss, outputs, kind", LOSSES, ids=str)
@few
@given(st.integers(1, 5), seeds)
def test_losses_agree_with_the_reference(loss, outputs, kind, n, seed):
    prediction = 3 * normal((n, outputs), seed, "float64")
    labels = np.random.default_rng(seed).integers(0, max(2, outputs), n)
    target = labels if kind == "labels" else normal((n, outputs), seed + 1, "float64")
    on_gpu = copy.deepcopy(loss).to("cuda")
    assert on_gpu.forward(prediction, target) == pytest.approx(loss.forward(prediction, target))
    np.testing.assert_allclose(on_gpu.backward(), loss.backward(), rtol=1e-10, atol=1e-12)


OPTIMIZERS = [
    lambda: m.SGD(0.1, weight_decay=0.01),
    lambda: m.SGD(0.1, momentum=0.9, nesterov=True),
    lambda: m.RMSprop(0.01),
    lambda: m.Adagrad(0.1, weight_decay=0.1),
    lambda: m.Adam(0.01),
    lambda: m.AdamW(0.01),
]


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_optimisers_agree_with_the_reference(make):
    results = []
    for backend in ("numpy", "cuda"):
        network = m.Sequential(m.Dense(4, 3), m.BatchNorm(3), m.Dense(3, 2), seed=0).to(backend)
        parameters, optimizer = network.parameters(), make()
        for step in range(3):
            for k, p in enumerate(parameters):
                gradient = normal(p.shape, 10 * step + k, "float32")
                backends.get(backend).write(p.gradient, gradient)
            Penalty(l1=0.1, l2=0.2).add_gradient(parameters)
            clip_gradient_norm(parameters, 2.0)
            optimizer.step(parameters)
        results.append([*(p.value for p in parameters), Penalty(0.1, 0.2).loss(parameters)])
    for wanted, found in zip(*results, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_parameters_that_moved_together_are_updated_as_one_array():
    network = m.Sequential(m.Dense(4, 3), m.Dense(3, 2), seed=0).to("cuda")
    parameters = network.parameters()
    (values,), (grads,) = backends.get("cuda").join(
        [[p.data for p in parameters], [p.gradient for p in parameters]]
    )
    assert values.size == grads.size >= sum(p.value.size for p in parameters)


def test_a_value_from_the_device_is_a_copy_that_says_so():
    parameter = Parameter(np.ones(3, "f"))
    parameter.to("cuda")
    with pytest.raises(ValueError, match="read-only"):
        parameter.value[0] = 2
    parameter.value = [1, 2, 3]
    assert parameter.value.tolist() == [1, 2, 3]


def small_network():
    """Trained in float64 alone: six products to compile."""
    return m.Sequential(
        m.Conv2D(1, 2, 2), m.BatchNorm(2), m.ReLU(), m.MaxPool2D(2), m.Dropout(0.3), m.Flatten(),
        m.Dense(2, 2), seed=0,
    )  # fmt: skip


def test_training_goes_as_on_the_reference():
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 3, 3), dtype=np.uint8)
    labels = np.array([0, 1, 0, 1, 1])
    histories, states = [], []
    for backend in ("numpy", "cuda"):
        network = small_network().astype("float64").to(backend)
        history = m.fit(
            network, m.SoftmaxCrossEntropy(), m.Adam(0.01), (images, labels), epochs=2,
            batch_size=3, seed=1, validation=(images, labels), progress=False,
        )  # fmt: skip
        histories.append(history)
        states.append([p.value for p in network.state().values()])
    for name in ("train_loss", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(histories[1][name], histories[0][name], rtol=1e-8)
    for found, wanted in zip(states[1], states[0], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-8)


def test_a_network_that_was_saved_here_loads_elsewhere(tmp_path):
    network, optimizer = small_network().astype("float64").to("cuda"), m.Adam(0.01)
    images = np.random.default_rng(0).integers(0, 256, (4, 1, 3, 3), dtype=np.uint8)
    m.fit(
        network, m.SoftmaxCrossEntropy(), optimizer, (images, np.arange(4) % 2), batch_size=4,
        progress=False,
    )  # fmt: skip
    m.save(tmp_path / "network.npz", network, optimizer)
    loaded = m.load(tmp_path / "network.npz").network
    for name, parameter in network.state().items():
        assert np.array_equal(loaded.state()[name].value, parameter.value)


def test_a_step_is_timed_part_by_part(cuda_ops):
    net = small_network().astype("float64").to("cuda")
    x, labels = normal((4, 1, 3, 3), 0), np.array([0, 1, 1, 0])
    found = profile(net, m.SoftmaxCrossEntropy(), m.SGD(0.1), x, labels, repeats=2)
    names = [row.name.partition(",")[0] for row in found.rows]  # a convolution also says its way
    assert names[:3] == ["gather", "0 Conv2D", "1 BatchNorm"]
    assert sum(row.ms for row in found.rows) == pytest.approx(found.step_ms)
