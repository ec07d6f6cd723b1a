"""Optimisers: how a parameter moves against its gradient. Rules and defaults as PyTorch's.

The formulas stand in `backends/contract/update.py`, at the operation that each class calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from operator import is_
from typing import Any, ClassVar

import numpy as np

from . import backends
from .backends.contract import Array, Backend, Number, Scalar
from .common.arguments import instance, number
from .layers.parameter import Parameter, convert, move


class Optimizer:
    """The base of every optimiser: the learning rate, and slots (an array per parameter).

    `slots` hold what an optimiser remembers of each parameter, in the order of the parameters
    that `step` gets; they are made, as zeros, at the first step.
    """

    slot_names: tuple[str, ...] = ()
    # Each is ≥ 0 and below this, also where it is changed between two steps.
    below: ClassVar[dict[str, float]] = {"lr": inf, "weight_decay": inf}

    def __init__(self, lr: float, weight_decay: float = 0.0) -> None:
        self.lr, self.weight_decay = lr, weight_decay
        self.steps = 0
        self.slots: dict[str, list[Parameter]] = {}
        self._parameters: list[Parameter] = []
        self._values: list[Array] = []
        self._joined: list[list[Array]] = []

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.below:
            value = number_in(value, self.below[name], name, self)
        super().__setattr__(name, value)

    def step(self, parameters: Iterable[Parameter], lr_factor: float = 1.0) -> None:
        """Move every parameter once, from its `.grad`. A schedule scales lr by `lr_factor`.

        Raises ValueError when the parameters are not those of the step before, for a statistic, or
        for a factor that is negative or not finite; TypeError for what are no parameters.
        """
        lr = self.lr * number_in(lr_factor, inf, "lr_factor", self)
        self.apply(listed(parameters, type(self).__name__), lr, self.steps + 1)
        self.steps += 1

    def apply(self, parameters: list[Parameter], lr: Number, step: Number) -> None:
        """Move every parameter as in step number `step` = 1, 2, …, which is not counted."""
        if parameters:
            values, grads, *slots = self.arrays_of(parameters)
            self.update(backends.get(parameters[0].backend), values, grads, slots, lr, step)

    def update(
        self,
        ops: Backend,
        values: list[Array],
        grads: list[Array],
        slots: list[list[Array]],
        lr: Number,
        step: Number,
    ) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not state its update")

    def arrays_of(self, parameters: list[Parameter]) -> list[list[Array]]:
        """Values, gradients and slots on the parameters' backend, joined where it can."""
        values = [p.data for p in parameters]
        same = len(values) == len(self._values) and all(map(is_, values, self._values))
        if same and self.slot_names == (*self.slots,):
            return self._joined  # nothing moved since the last step
        self.check_parameters(parameters)
        for name in self.slot_names:
            if name not in self.slots:
                self.slots[name] = [self.new_slot(p) for p in parameters]
        for name, slot in self.slots.items():
            if [s.shape for s in slot] != [p.shape for p in parameters]:
                raise ValueError(
                    f"{type(self).__name__}: {name} belongs to parameters of shapes "
                    f"{[s.shape for s in slot]}, got {[p.shape for p in parameters]}"
                )
            move(slot, parameters[0].backend)
            for dtype in {p.dtype for p in parameters}:
                convert([s for s, p in zip(slot, parameters) if p.dtype == dtype], dtype)
        grads = [p.gradient for p in parameters]
        slots = [[s.data for s in slot] for slot in self.slots.values()]
        self._joined = backends.get(parameters[0].backend).join([values, grads, *slots])
        self._values = values
        return self._joined

    def check_parameters(self, parameters: list[Parameter]) -> None:
        """ValueError for a parameter that comes twice, and for others than in the step before."""
        who = type(self).__name__
        if len({id(p) for p in parameters}) != len(parameters):
            raise ValueError(f"{who}: got a parameter twice, wanted each once")
        known = self._parameters or parameters
        if len(known) != len(parameters) or not all(map(is_, known, parameters)):
            raise ValueError(
                f"{who}: got other parameters than in the step before, and what it remembers is "
                "about those: make another optimizer"
            )
        self._parameters = parameters

    def restore(self, steps: int, slots: dict[str, list[Parameter]]) -> None:
        """Go on from the steps and the slots of another optimiser."""
        self.steps, self.slots = steps, slots
        self._parameters, self._values, self._joined = [], [], []

    def __getstate__(self) -> dict[str, Any]:
        """A copy looks for its parameters' memory again."""
        return vars(self) | {"_parameters": [], "_values": [], "_joined": []}

    def new_slot(self, parameter: Parameter) -> Parameter:
        return Parameter(np.zeros(parameter.shape, parameter.dtype), learned=False)


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and Nesterov's look-ahead on request.

    weight_decay is coupled: it is added to the gradient. Raises ValueError for numbers outside
    lr ≥ 0, 0 ≤ momentum < 1, weight_decay ≥ 0, and for nesterov without momentum.
    """

    below = Optimizer.below | {"momentum": 1}

    def __init__(
        self, lr: float, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
    ) -> None:
        super().__init__(lr, weight_decay)
        self.momentum = momentum
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov needs a momentum greater than 0")
        self.nesterov = bool(nesterov)

    @property
    def slot_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The velocity, with momentum; without it nothing is remembered."""
        return ("velocity",) if self.momentum else ()

    def update(self, ops, values, grads, slots, lr, step):
        velocities = slots[0] if slots else []
        ops.sgd_update(
            values, grads, velocities, lr, self.momentum, self.nesterov, self.weight_decay
        )


class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of squared gradients (Tieleman & Hinton 2012)."""

    slot_names = ("square",)
    below = Optimizer.below | {"alpha": 1, "eps": inf}

    def __init__(
        self, lr: float = 0.01, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0
    ) -> None:
        super().__init__(lr, weight_decay)
        self.alpha, self.eps = alpha, eps

    def update(self, ops, values, grads, slots, lr, step):
        ops.rmsprop_update(values, grads, slots[0], lr, self.alpha, self.eps, self.weight_decay)


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients so far (Duchi et al. 2011)."""

    slot_names = ("square",)
    below = Optimizer.below | {"eps": inf}

    def __init__(self, lr: float = 0.01, eps: float = 1e-10, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)
        self.eps = eps

    def update(self, ops, values, grads, slots, lr, step):
        ops.adagrad_update(values, grads, slots[0], lr, self.eps, self.weight_decay)


class Adam(Optimizer):
    """Running means of the gradient and of its square (Kingma & Ba 2015); coupled weight decay."""

    slot_names = ("mean", "square")
    below = Optimizer.below | {"eps": inf}
    decoupled = False

    def __init__(
        self,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(lr, weight_decay)
        self.betas, self.eps = betas, eps

    @property
    def betas(self) -> tuple[float, ...]:
        return self._betas

    @betas.setter
    def betas(self, pair: Any) -> None:
        if not isinstance(pair, tuple | list | np.ndarray) or len(pair) != 2:
            who = type(self).__name__
            raise TypeError(f"{who}: betas must be a pair of numbers, got {pair!r}")
        self._betas = tuple(number_in(b, 1, f"betas[{k}]", self) for k, b in enumerate(pair))

    def update(self, ops, values, grads, slots, lr, step):
        ops.adam_update(
            values, grads, *slots, step, lr, *self.betas, self.eps, self.weight_decay,
            self.decoupled,
        )  # fmt: skip


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019): weights shrink by themselves."""

    decoupled = True

    def __init__(
        self,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(lr, betas, eps, weight_decay)


class Penalty:
    """L1 and L2 penalty on weights: l1 · Σ|w| + l2 / 2 · Σw², added to the loss.

    The factor 1/2 makes l2 the weight decay of plain SGD. Only arrays with two or more axes are
    penalised: a bias moves the output, it does not make the function steeper.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = number_in(l1, inf, "l1", self)
        self.l2 = number_in(l2, inf, "l2", self)

    def loss(self, parameters: Iterable[Parameter]) -> float:
        """The penalty's value."""
        weights = [p for p in listed(parameters, type(self).__name__) if len(p.shape) > 1]
        if not weights:
            return 0.0
        ops = backends.get(weights[0].backend)
        return ops.to_float(ops.penalty([w.data for w in weights], self.l1, self.l2))

    def add_gradient(self, parameters: Iterable[Parameter]) -> None:
        """grad ← grad + l1 · sign(w) + l2 · w, after backward and before the optimiser's step."""
        weights = [p for p in listed(parameters, type(self).__name__) if len(p.shape) > 1]
        if weights:
            backends.get(weights[0].backend).add_penalty_gradient(
                [w.data for w in weights], [w.gradient for w in weights], self.l1, self.l2
            )


def clip_gradient_norm(parameters: Iterable[Parameter], max_norm: float) -> float:
    """Scale all gradients so that their joint Euclidean norm is at most max_norm; returns the norm
    before (Pascanu et al. 2013).

        factor = max_norm / (norm + 1e-6) if that is below 1
    """
    parameters = listed(parameters, "clip_gradient_norm")
    norm = clip_gradients(parameters, max_norm)
    return backends.get(parameters[0].backend).to_float(norm) if parameters else 0.0


def clip_gradients(parameters: list[Parameter], max_norm: float) -> Scalar:
    """The same without waiting for the norm."""
    if not number(max_norm, "max_norm", "clip_gradient_norm") > 0:
        raise ValueError(f"clip_gradient_norm: max_norm must be positive, got {max_norm!r}")
    if not parameters:
        return 0.0
    ops = backends.get(parameters[0].backend)
    return ops.clip([p.gradient for p in parameters], max_norm)


def listed(parameters: Iterable[Parameter], owner: str) -> list[Parameter]:
    """Parameters as a list; TypeError for what are none, ValueError for a statistic."""
    given = list(parameters) if isinstance(parameters, Iterable) else [parameters]
    wanted = "those of network.parameters()"
    for p in given:
        instance(p, Parameter, "parameters", owner, wanted)
        if p.statistic:
            raise ValueError(f"{owner}: a statistic has no gradient: wanted {wanted}")
    return given


def number_in(value: Any, below: float, name: str, owner: object) -> float:
    """value as a float with 0 ≤ value < below; ValueError that names owner and argument."""
    number(value, name, type(owner).__name__)
    if not 0 <= value < below:
        wanted = "≥ 0" if below == inf else f"≥ 0 and < {below:g}"
        raise ValueError(f"{type(owner).__name__}: {name} must be {wanted}, got {value!r}")
    return float(value)
