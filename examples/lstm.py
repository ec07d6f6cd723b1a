"""A layer with a memory, by hand: an LSTM reads digits row by row, and remembers over fifty steps.

The layer is built from the operations that the other layers use, so it runs on every backend, and
its gradient is stated, not taped: backpropagation through time is one more loop, from the last step
to the first. docs/studies/lstm.md derives it.

First the digits of MNIST, one row of 28 pixels a step. Then a task that shows the memory: the first
of 50 random numbers is marked, and the network is asked for its sign at the end; a plain recurrent
network of the same size is asked as well. --quick: a few digits and steps.
"""

from math import log
from statistics import median

import numpy as np
from duration import say_how_long
from matplotlib.figure import Figure
from options import chosen_backends, parser
from results import keep, table

from minicnn import Adam, Dense, Layer, Reshape, Sequential, SoftmaxCrossEntropy, fit
from minicnn.backends.scalar import sigmoid, sigmoid_slope, tanh, tanh_slope
from minicnn.data import Dataset, load_mnist
from minicnn.layers.parameter import Shape
from minicnn.schedules import OneCycle

STEPS = 50  # of the task of signs


class Recurrent(Layer):
    """A state that is handed from step to step: x (N, steps, features) → h (N, units), the last.

        u_t = [x_t, h_{t−1}]        z_t = W u_t + b        h_t = what `cell` makes of z_t

    `weight` (gates · units, features + units), `bias` (gates · units,). Keeps every step.
    """

    gates: int
    states: int  # h, and what else a cell hands on

    def __init__(self, features: int, units: int, **others: int) -> None:
        super().__init__(features=features, units=units, **others)
        self.features, self.units = features, units
        self.weight, self.bias = self.zeros("weight"), self.zeros("bias")
        self.places: dict = {}
        self.initialize(np.random.default_rng())

    @classmethod
    def array_shapes(cls, features, units, **others):
        return {"weight": (cls.gates * units, features + units), "bias": (cls.gates * units,)}

    def initialize(self, rng: np.random.Generator) -> None:
        bound = self.units**-0.5
        self.weight.value = rng.uniform(-bound, bound, self.weight.shape)
        self.bias.value = np.zeros(self.bias.shape)

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2 or 0 in input_shape or input_shape[1] != self.features:
            got = ", ".join(map(str, ("N", *input_shape)))
            raise ValueError(f"{self}: wanted shape (N, steps, {self.features}), got ({got})")
        return (self.units,)

    def multiply_adds(self, input_shape: Shape) -> int:
        return input_shape[0] * int(np.prod(self.weight.shape))

    def at(self, *name):
        """Memory that nothing else uses: what a step computes stays until its backward."""
        key = self.backend, *name
        if key not in self.places:
            self.places[key] = self.ops.Buffers()
        return self.places[key]

    def forward_batch(self, x, training):
        ops, (count, steps, features) = self.ops, x.shape
        rows = ops.split(ops.reshape(x, (steps * features,)), [features] * steps, self.buffers)
        self.zero = ops.from_numpy(np.zeros((count, self.units), x.dtype))
        state, self.kept = (self.zero,) * self.states, []
        for t, row in enumerate(rows):
            u = ops.concatenate([row, state[0]], self.at(t, "u"))
            z = ops.dense_forward(u, self.weight.data, self.bias.data, self.at(t, "z"))
            state, seen = self.cell(t, z, *state[1:])
            self.kept.append((u, seen))
        return state[0]

    def backward_batch(self, dy, input_gradient=True):
        """From the last step to the first; each adds its part to the gradients of W and b."""
        ops, slopes, dxs = self.ops, (dy, *(self.zero,) * (self.states - 1)), []
        for t in reversed(range(len(self.kept))):
            u, seen = self.kept[t]
            dz, *handed_back = self.cell_backward(t, seen, *slopes)
            self.add_gradients(dz, u, first=t == len(self.kept) - 1)
            du = ops.dense_input_gradient(dz, self.weight.data, self.at(t, "du"))
            dx, dh = ops.split(du, [self.features, self.units], self.at(t, "dx and dh"))
            dxs.append(dx)
            slopes = dh, *handed_back
        dx = ops.concatenate(dxs[::-1], self.at("dx"))
        return ops.reshape(dx, (len(dxs), self.features)) if input_gradient else None

    def add_gradients(self, dz, u, first: bool) -> None:
        """dW = Σ_t dz_t u_tᵀ and db = Σ_t dz_t, where the kernels overwrite: so a step's part goes
        elsewhere, and is added by what adds the gradient of a penalty, g ← g + 1 · part.
        """
        whole = [self.weight.gradient, self.bias.gradient]
        kept = self.places.setdefault((self.backend, dz.dtype, "parts"), [])
        if not kept:
            kept += self.ops.allocate([np.zeros(p.shape, dz.dtype) for p in self.state().values()])
        dw, db = whole if first else kept
        self.ops.dense_weight_gradient(dz, u, dw, self.buffers)
        self.ops.bias_gradient(dz, db, self.buffers)
        if not first:
            self.ops.add_penalty_gradient(kept, whole, 0, 1)

    def cell(self, t, z, *memory):
        """The next state, h first, and what `cell_backward` wants to see of it."""
        raise NotImplementedError(f"{type(self).__name__} does not state its cell")

    def cell_backward(self, t, seen, dh, *slopes):
        """dz, and the slopes of the memory before the step."""
        raise NotImplementedError(f"{type(self).__name__} does not state its cell_backward")


class PlainRNN(Recurrent):
    """h_t = tanh z_t (Elman 1990)."""

    gates = states = 1

    def cell(self, t, z):
        h = self.ops.activation_forward(z, tanh, (), self.at(t, "h"))
        return (h,), h

    def cell_backward(self, t, h, dh):
        return (self.ops.activation_backward(dh, h, tanh_slope, (), self.at(t, "dz")),)


class LSTM(Recurrent):
    """A memory c that is added to, and gates that say when (Hochreiter & Schmidhuber 1997).

        i, f, o = σ(z₀), σ(z₁), σ(z₂)    g = tanh z₃        in, forget, out; what may go in
        c_t = f · c_{t−1} + i · g        h_t = o · tanh c_t

    memory: for how many steps c should last at first. The bias of f begins at ln memory, so f at
    memory / (memory + 1), of which so many steps leave 1/e (Tallec & Ollivier 2018).
    """

    gates, states = 4, 2

    def __init__(self, features: int, units: int, memory: int = 28) -> None:
        self.lasts = memory
        super().__init__(features, units, memory=memory)

    def initialize(self, rng):
        super().initialize(rng)
        self.bias.value = np.repeat([0, log(self.lasts), 0, 0], self.units)

    def cell(self, t, z, c):
        ops, at = self.ops, self.at
        z = ops.split(z, [self.units] * 4, at(t, "gates"))
        i, f, o = (ops.activation_forward(z[k], sigmoid, (), at(t, k)) for k in range(3))
        g = ops.activation_forward(z[3], tanh, (), at(t, 3))
        kept, new = ops.multiply(f, c, "kept", at(t)), ops.multiply(i, g, "new", at(t))
        after = ops.add(kept, new, "c", at(t))
        s = ops.activation_forward(after, tanh, (), at(t, "s"))
        return (ops.multiply(o, s, "h", at(t)), after), (i, f, o, g, s, c)

    def cell_backward(self, t, seen, dh, dc):
        ops, at, (i, f, o, g, s, c) = self.ops, self.at, seen
        through_h = ops.activation_backward(
            ops.multiply(dh, o, "ds", at(t)), s, tanh_slope, (), at(t, "through h")
        )
        dc = ops.add(dc, through_h, "dc", at(t))  # c goes two ways: on, and into h
        slopes = [
            ops.activation_backward(ops.multiply(slope, other, k, at(t)), y, formula, (), at(t, k))
            for k, slope, other, y, formula in (
                ("di", dc, g, i, sigmoid_slope), ("df", dc, c, f, sigmoid_slope),
                ("do", dh, s, o, sigmoid_slope), ("dg", dc, i, g, tanh_slope),
            )
        ]  # fmt: skip
        return ops.concatenate(slopes, at(t, "dz")), ops.multiply(dc, f, "dc before", at(t))


def main() -> None:
    options = parser(__doc__, backend="numba", epochs=4).parse_args()
    (backend,) = chosen_backends(options)
    digits, test = load_mnist(options.data)
    count, units = 20_000, 128
    if options.quick:
        digits, test, options.epochs = digits[:2000], test[:1000], 2
        count, units = 2000, 32
    say_how_long(options, minutes=0.5 * options.epochs)

    rows = learn(LSTM, units, digits, test, options.epochs, options.seed, backend)
    found: dict = {"backend": backend, "digits": rows, "signs": {}}
    train, unseen = signs(count, options.seed), signs(2000, options.seed + 1)
    for kind in (PlainRNN, LSTM):
        run = learn(kind, 32, train, unseen, 2 * options.epochs, options.seed, backend)
        found["signs"][kind.__name__] = run
    path = keep(options, "lstm", found, plot(found))
    print(f"\n{memory_table(found)}\n\n{path} and .png")


def learn(kind, units, train, test, epochs, seed, backend) -> dict:
    """One cycle of Adam; and how much of the gradient still arrives at each step, from the first to
    the last, before and after."""
    steps, features = train.images.shape[2:]
    layer = kind(features, units, **({"memory": steps} if kind is LSTM else {}))
    network = Sequential(
        Reshape((steps, features)), layer, Dense(units, len(train.classes)), seed=seed
    ).to(backend)
    before = arriving(network, test)
    history = fit(
        network, SoftmaxCrossEntropy(), Adam(4e-3), train, test, epochs=epochs, batch_size=64,
        seed=seed, schedule=OneCycle(epochs),
    )  # fmt: skip
    return {
        "accuracy": history["validation_accuracy"], "epoch_s": median(history["seconds"]),
        "arriving": {"before": before, "after": arriving(network, test)},
    }  # fmt: skip


def arriving(network: Sequential, data: Dataset) -> list[float]:
    """The mean over 256 sequences of ‖∂L/∂x_t‖, for every step t."""
    loss, some = SoftmaxCrossEntropy().on(network.backend), data[:256]
    x = some.images / np.float32(255 if some.images.dtype == np.uint8 else 1)
    loss.forward(network.forward(x, training=True), some.labels)
    dx = network.backward(loss.backward())[:, 0]
    return [float(size) for size in np.linalg.norm(dx, axis=2).mean(axis=0)]


def signs(count: int, seed: int) -> Dataset:
    """STEPS normal numbers, of which the first has a 1 beside it: is that one positive?"""
    rng = np.random.default_rng(seed)
    x = np.zeros((count, 1, STEPS, 2), np.float32)
    x[..., 0], x[:, 0, 0, 1] = rng.standard_normal((count, 1, STEPS)), 1
    return Dataset(x, (x[:, 0, 0, 0] > 0).astype(np.int64), ("negative", "positive"))


def memory_table(found: dict) -> str:
    """Accuracy on unseen sequences, and the gradient at the first step over that at the last."""
    runs = {"MNIST row by row: LSTM": found["digits"]}
    runs |= {f"the first of {STEPS} signs: {name}": run for name, run in found["signs"].items()}
    rows = []
    for name, run in runs.items():
        first_over_last = [run["arriving"][when][0] / run["arriving"][when][-1]
                           for when in ("before", "after")]  # fmt: skip
        rows.append([name, f"{run['accuracy'][-1]:.2%}", f"{run['epoch_s']:.1f}",
                     *(f"{ratio:.3g}" for ratio in first_over_last)])  # fmt: skip
    return table(["task", "right", "s an epoch", "first / last gradient", "after training"], rows)


def plot(found: dict) -> Figure:
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for (name, run), style in zip(found["signs"].items(), ("--", "-")):
        epochs = np.arange(1, len(run["accuracy"]) + 1)
        left.plot(epochs, 100 * np.array(run["accuracy"]), style, color="black", label=name)
        for when, width in (("before", 0.8), ("after", 2)):
            right.plot(np.arange(1, STEPS + 1), run["arriving"][when], style, color="black",
                       linewidth=width, label=f"{name}, {when} training")  # fmt: skip
    left.set_xlabel("epoch")
    left.set_ylabel(f"signs of the first of {STEPS} numbers right (%)")
    right.set_yscale("log")
    right.set_xlabel("step")
    right.set_ylabel("gradient that arrives there")
    for axes in (left, right):
        axes.legend(fontsize=7)
    return figure


if __name__ == "__main__":
    main()
