import copy
import pickle

import numpy as np
import pytest

from minicnn import Dense, Sequential, backends
from minicnn.layers import Parameter
from minicnn.layers.parameter import move
from minicnn.optimizers import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Optimizer,
    Penalty,
    RMSprop,
    clip_gradient_norm,
)
from tests.strategies import normal

every_backend = pytest.mark.parametrize("backend", backends.available())

SHAPES = [(3, 2, 2, 2), (4, 5), (4,), (1,)]

# Our optimiser, and the name and arguments of PyTorch's.
CASES = [
    (lambda: SGD(0.1), "SGD", {"lr": 0.1}),
    (lambda: SGD(0.1, weight_decay=0.3), "SGD", {"lr": 0.1, "weight_decay": 0.3}),
    (lambda: SGD(0.1, momentum=0.9), "SGD", {"lr": 0.1, "momentum": 0.9}),
    (
        lambda: SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    ),
    (lambda: RMSprop(), "RMSprop", {}),
    (lambda: RMSprop(0.1, 0.8, 1e-3, 0.1), "RMSprop",
     {"lr": 0.1, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
    (lambda: Adagrad(), "Adagrad", {}),
    (lambda: Adagrad(weight_decay=0.2), "Adagrad", {"weight_decay": 0.2}),
    (lambda: Adam(), "Adam", {}),
    (lambda: Adam(0.1, (0.8, 0.9), 1e-3, 0.1), "Adam",
     {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    (lambda: AdamW(), "AdamW", {}),
    (lambda: AdamW(weight_decay=0.2), "AdamW", {"weight_decay": 0.2}),
]  # fmt: skip
every_optimizer = pytest.mark.parametrize(("make", "peer", "arguments"), CASES)


def parameters(backend="numpy", dtype="float64", seed=0):
    made = [Parameter(normal(shape, seed + k, dtype)) for k, shape in enumerate(SHAPES)]
    for p in made:
        p.to(backend)
    return made


def set_gradients(params, step):
    ops = backends.get(params[0].backend)
    for k, p in enumerate(params):
        ops.write(p.gradient, normal(p.shape, (step, k)))


@every_backend
@every_optimizer
def test_ten_steps_are_pytorchs(make, peer, arguments, backend):
    torch = pytest.importorskip("torch")
    ours, optimizer = parameters(backend), make()
    leaves = [torch.tensor(p.value, requires_grad=True) for p in ours]
    theirs = getattr(torch.optim, peer)(leaves, **arguments)
    for step in range(10):
        set_gradients(ours, step)
        for p, leaf in zip(ours, leaves):
            leaf.grad = torch.tensor(p.grad)
        optimizer.step(ours)
        theirs.step()
    for p, leaf in zip(ours, leaves):
        np.testing.assert_allclose(p.value, leaf.detach().numpy(), rtol=1e-9, atol=1e-12)


@every_backend
@every_optimizer
def test_every_backend_updates_as_the_reference_and_float32_stays(make, peer, arguments, backend):
    exact, rounded = parameters(), parameters(backend, "float32")
    for params in (exact, rounded):
        optimizer = make()
        for step in range(5):
            set_gradients(params, step)
            optimizer.step(params)
    for a, b in zip(exact, rounded):
        assert b.value.dtype == np.float32
        np.testing.assert_allclose(b.value, a.value, rtol=1e-4, atol=1e-5)


@every_optimizer
def test_a_schedules_factor_scales_the_learning_rate(make, peer, arguments):
    one, other = parameters(), parameters()
    halved, full = make(), make()
    halved.lr /= 2
    for params, optimizer, factor in ((one, halved, 1.0), (other, full, 0.5)):
        set_gradients(params, 0)
        optimizer.step(params, factor)
    for a, b in zip(one, other):
        np.testing.assert_array_equal(a.value, b.value)


@every_optimizer
def test_it_goes_downhill_on_a_bowl(make, peer, arguments):
    params, optimizer = parameters(), make()
    before = sum(np.square(p.value).sum() for p in params)
    for _ in range(20):
        for p in params:
            p.grad[...] = 2 * p.value
        optimizer.step(params)
    assert sum(np.square(p.value).sum() for p in params) < before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(float("nan")), "SGD: lr must be ≥ 0, got nan"),
        (lambda: SGD(-0.1), "SGD: lr"),
        (lambda: SGD("0.1"), "SGD: lr must be a number, got '0.1'"),
        (lambda: Adam(None), "Adam: lr must be a number, got None"),
        (lambda: Adam(betas=("a", 0.9)), r"Adam: betas\[0\] must be a number, got 'a'"),
        (lambda: Adam(betas="ab"), "Adam: betas must be a pair of numbers, got 'ab'"),
        (lambda: Adam(betas=0.9), "Adam: betas must be a pair of numbers, got 0.9"),
        (lambda: AdamW(betas=(0.9,)), r"AdamW: betas must be a pair of numbers, got \(0.9,\)"),
        (lambda: Adam(betas=(0.9, 0.99, 0.999)), "Adam: betas must be a pair of numbers"),
        (lambda: Penalty(l1=True), "Penalty: l1 must be a number, got True"),
        (lambda: SGD(float("inf")), "SGD: lr"),
        (lambda: SGD(0.1, momentum=1), "SGD: momentum must be ≥ 0 and < 1, got 1"),
        (lambda: SGD(0.1, momentum=-0.1), "SGD: momentum"),
        (lambda: SGD(0.1, nesterov=True), "SGD: nesterov needs a momentum"),
        (lambda: SGD(0.1, weight_decay=-1), "SGD: weight_decay"),
        (lambda: Adam(betas=(1, 0.9)), r"Adam: betas\[0\]"),
        (lambda: Adam(betas=(0.9, 1)), r"Adam: betas\[1\]"),
        (lambda: AdamW(eps=-1), "AdamW: eps"),
        (lambda: RMSprop(alpha=1), "RMSprop: alpha must be ≥ 0 and < 1, got 1"),
        (lambda: RMSprop(eps=-1), "RMSprop: eps must be ≥ 0, got -1"),
        (lambda: Adagrad(lr=-1), "Adagrad: lr"),
        (lambda: Adagrad(eps=-1), "Adagrad: eps must be ≥ 0, got -1"),
        (lambda: Penalty(l1=-1), "Penalty: l1"),
        (lambda: Penalty(l2=float("nan")), "Penalty: l2"),
        (lambda: clip_gradient_norm([], 0), "clip_gradient_norm: max_norm must be positive"),
        (lambda: clip_gradient_norm([], "1"), "clip_gradient_norm: max_norm must be a number"),
        (lambda: SGD(0.1).step([], np.nan), "SGD: lr_factor must be ≥ 0, got nan"),
        (lambda: SGD(0.1).step([], -1), "SGD: lr_factor must be ≥ 0, got -1"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(make, message):
    with pytest.raises((ValueError, TypeError), match=f"^{message}"):
        make()


@pytest.mark.parametrize(
    ("optimizer", "name", "wrong"),
    [
        *((SGD(0.1), "lr", value) for value in (np.nan, -1, "0.1", 10**400)),
        (SGD(0.1), "momentum", 1),
        (RMSprop(), "alpha", 1),
        (Adagrad(), "weight_decay", -1),
        (AdamW(), "eps", np.nan),
        (Adam(), "betas", 0.9),
    ],
)
def test_a_number_is_checked_when_it_is_changed_too(optimizer, name, wrong):
    before = getattr(optimizer, name)
    with pytest.raises((ValueError, TypeError), match=f"^{type(optimizer).__name__}: {name} must"):
        setattr(optimizer, name, wrong)
    assert getattr(optimizer, name) == before


@pytest.mark.parametrize("others", [Sequential(Dense(2, 2)), Dense(2, 2), [np.ones(2)], None])
def test_what_are_no_parameters_is_refused_with_what_to_pass(others):
    for owner, call in (
        ("SGD", SGD(0.1).step),
        ("Penalty", Penalty(l2=1).loss),
        ("Penalty", Penalty(l2=1).add_gradient),
        ("clip_gradient_norm", lambda given: clip_gradient_norm(given, 1)),
    ):
        with pytest.raises(TypeError, match=rf"^{owner}: .* those of network\.parameters\(\), got"):
            call(others)


@pytest.mark.parametrize("make", [lambda: SGD(0.1, momentum=0.9), Adam, RMSprop, Adagrad])
def test_a_single_parameter_is_trained_too(make):
    (own,), optimizer = parameters()[:1], make()
    before = own.value.copy()
    for step in range(2):
        set_gradients([own], step)
        optimizer.step([own])
    assert (own.value != before).all()


def test_an_optimizer_that_states_nothing_says_so():
    class Nothing(Optimizer):
        pass

    with pytest.raises(NotImplementedError, match="Nothing does not state its update"):
        Nothing(0.1).step(parameters())


def test_what_is_remembered_of_other_parameters_is_refused_with_both_shapes():
    optimizer = SGD(0.1, momentum=0.9)
    optimizer.restore(1, {"velocity": [Parameter(np.zeros(9), learned=False)]})
    message = r"^SGD: velocity belongs to parameters of shapes \[\(9,\)\], got \[\(4,\)\]$"
    with pytest.raises(ValueError, match=message):
        optimizer.step([Parameter(np.zeros(4))])


def test_other_parameters_than_before_are_refused():
    optimizer, own = SGD(0.1, momentum=0.9), parameters()
    optimizer.step(own)
    for others in ([Parameter(np.zeros(4))], parameters(), own[::-1], own[:2]):
        with pytest.raises(ValueError, match="SGD: got other parameters than in the step before"):
            optimizer.step(others)
    with pytest.raises(ValueError, match="SGD: got a parameter twice"):
        optimizer.step([*own, own[0]])


@every_backend
@pytest.mark.parametrize("known", ["its own", "others"])
def test_a_restored_optimizer_forgets_what_it_knew(backend, known):
    own, optimizer = parameters(backend), SGD(0.1, momentum=0.9)
    before = own if known == "its own" else parameters(backend)
    set_gradients(before, 0)
    optimizer.step(before)
    optimizer.restore(1, {"velocity": [Parameter(np.zeros(p.shape), False) for p in own]})
    start = [p.value.copy() for p in own]
    set_gradients(own, 1)
    optimizer.step(own)
    for k, (p, value) in enumerate(zip(own, start)):
        np.testing.assert_allclose(p.value, value - 0.1 * normal(p.shape, (1, k)))


@every_backend
def test_momentum_may_begin_later(backend):
    own, optimizer = parameters(backend), SGD(0.1)
    for momentum in (0, 0.5, 0.5):
        before = own[2].value.copy()
        optimizer.momentum = momentum
        set_gradients(own, 0)
        optimizer.step(own)
        moved = before - own[2].value
    np.testing.assert_allclose(moved, 0.1 * 1.5 * normal((4,), (0, 2)))


def test_nothing_to_update_is_no_error():
    Adam().step([])
    assert clip_gradient_norm([], 1.0) == 0
    assert Penalty(l1=1).loss([Parameter(np.ones(3))]) == 0


@pytest.mark.parametrize("make", [lambda: SGD(0.1, momentum=0.9), Adam, RMSprop, Adagrad])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_remembered_of_a_parameter_has_its_dtype(make, dtype):
    own, optimizer = parameters(dtype="float64"), make()
    for wanted in ("float64", dtype):
        for p in own:
            p.astype(wanted)
        set_gradients(own, 0)
        optimizer.step(own)
    assert optimizer.slots
    assert all(slot.value.dtype == dtype for slots in optimizer.slots.values() for slot in slots)


def test_a_copy_of_an_optimizer_carries_no_network():
    own = [Parameter(np.zeros((100, 100)))]
    optimizer = SGD(0.1)
    optimizer.step(own)
    assert len(pickle.dumps(optimizer)) < own[0].value.nbytes / 10
    copied = copy.deepcopy(optimizer)
    copied.step(own)
    assert copied.steps == optimizer.steps + 1


@every_backend
@pytest.mark.parametrize("order", [1, -1])
def test_parameters_of_two_dtypes_are_updated_each_in_its_own(backend, order):
    """Also where a backend has the parameters, and what is remembered of them, in one array."""
    shapes = [(4, 4), (3,), (4,), (5, 2)] * 5
    own = [Parameter(normal(s, k, ("f4", "f8")[k < 5])) for k, s in enumerate(shapes)][::order]
    same, optimizers = copy.deepcopy(own), [SGD(0.1, momentum=0.9) for _ in range(2)]
    move(own, backend)
    for step in range(3):
        for params, optimizer in zip((own, same), optimizers):
            set_gradients(params, step)
            optimizer.step(params)
    for p, s, q in zip(own, optimizers[0].slots["velocity"], same):
        assert s.dtype == p.dtype == q.dtype
        np.testing.assert_allclose(p.value, q.value, rtol=1e-6)
    for s, q in zip(*(o.slots["velocity"] for o in optimizers)):
        np.testing.assert_allclose(s.value, q.value, rtol=1e-6)
