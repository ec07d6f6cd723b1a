"""Boltzmann machines: a network that learns without labels, without a loss and without backprop.

A restricted Boltzmann machine (RBM) gives every pair of visible and hidden bits an energy. Learning
makes the data likelier, and what the machine would draw by itself less likely. First a machine that
is small enough to sum over all its states, so that its likelihood is exact: contrastive divergence
(CD) beside persistent CD. Then MNIST: two RBMs stacked make a deep belief network, fine-tuned with
few labels and with many, beside the same network from random weights. --quick: less of all.
"""

from itertools import product

import numpy as np
from duration import say_how_long
from matplotlib.figure import Figure
from options import chosen_backends, parser
from results import keep, table

from minicnn import (
    SGD,
    Adam,
    Dense,
    Flatten,
    Layer,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    evaluate,
    fit,
    plotting,
)
from minicnn.backends.scalar import sigmoid
from minicnn.data import load_mnist
from minicnn.data.batches import in_batches, shuffled
from minicnn.layers.parameter import Shape
from minicnn.schedules import OneCycle

UNITS = 500  # of each hidden layer


def one_with_probability(p, uniform):
    """A bit that is 1 with probability p; uniform is drawn between 0 and 1."""
    return type(p)(1) if uniform < p else type(p)(0)


class RBM(Layer):
    """p(v, h) ∝ e^−E(v, h) of bits v (visible,) and h (hidden,), E = −h·Wv − c·h − b·v.

    Given one side, the bits of the other are independent (Smolensky 1986; Hinton 2002):

        p(h = 1 | v) = σ(W v + c)        p(v = 1 | h) = σ(Wᵀ h + b)

    Forward is the first of them: v (N, visible) → p (N, hidden), as of a Dense with a Sigmoid.
    `weight` W (hidden, visible), `c` (hidden,), `b` (visible,).
    """

    def __init__(self, visible: int, hidden: int, seed: int = 0) -> None:
        super().__init__(visible=visible, hidden=hidden, seed=seed)
        self.visible, self.hidden, self.seed = visible, hidden, seed
        self.weight, self.c, self.b = (self.zeros(name) for name in ("weight", "c", "b"))
        self.rng, self.places = np.random.default_rng(seed), {}
        self.weight.value = self.rng.normal(0, 0.01, self.weight.shape)

    @classmethod
    def array_shapes(cls, visible, hidden, seed):
        return {"weight": (hidden, visible), "c": (hidden,), "b": (visible,)}

    def output_shape(self, input_shape: Shape) -> Shape:
        if input_shape != (self.visible,):
            got = ", ".join(map(str, ("N", *input_shape)))
            raise ValueError(f"{self}: wanted shape (N, {self.visible}), got ({got})")
        return (self.hidden,)

    def forward_batch(self, v, training):
        return self.hidden_given(v, "forward")

    def at(self, *name):
        """Memory that nothing else uses."""
        return self.places.setdefault((self.backend, *name), self.ops.Buffers())

    def hidden_given(self, v, use):
        z = self.ops.dense_forward(v, self.weight.data, self.c.data, self.at(use, "z"))
        return self.ops.activation_forward(z, sigmoid, (), self.at(use, "p"))

    def visible_given(self, h, use):
        """Wᵀ h is what a dense layer gives back as its input's gradient."""
        z = self.ops.dense_input_gradient(h, self.weight.data, self.at(use, "z"))
        z = self.ops.bias_forward(z, self.b.data, self.at(use, "z + b"))
        return self.ops.activation_forward(z, sigmoid, (), self.at(use, "p"))

    def bits(self, p, use):
        uniform = self.ops.from_numpy(self.rng.random(p.shape).astype(p.dtype))
        return self.ops.activation_backward(
            p, uniform, one_with_probability, (), self.at(use, "bits")
        )

    def contrast(self, v, chain=None):
        """Write an estimate of the gradients of −ln p(v), summed over the batch:

            −∂ ln p / ∂W = −⟨h vᵀ⟩ of the data + ⟨h vᵀ⟩ of the model

        The model's v are drawn by one step of Gibbs sampling, v → h → v: from the data (CD-1), or
        from `chain`, what was drawn the last time (persistent CD, Tieleman 2008). Returns them.
        """
        h = self.hidden_given(v, "data")
        before = h if chain is None else self.hidden_given(chain, "chain")
        drawn = self.bits(self.visible_given(self.bits(before, "before"), "drawn"), "drawn")
        gradients = [p.gradient for p in self.parameters()]
        self.statistics(self.hidden_given(drawn, "end"), drawn, gradients)
        of_data = self.elsewhere(v.dtype)
        self.statistics(h, v, of_data)
        self.ops.add_penalty_gradient(of_data, gradients, 0, -1)  # g ← g − 1 · of_data
        return drawn

    def statistics(self, h, v, into):
        """Sums over the batch of h vᵀ, h and v."""
        dw, dc, db = into
        self.ops.dense_weight_gradient(h, v, dw, self.buffers)
        self.ops.bias_gradient(h, dc, self.buffers)
        self.ops.bias_gradient(v, db, self.buffers)

    def elsewhere(self, dtype):
        """Room for a second set of gradients, for `statistics` overwrites."""
        kept = self.places.setdefault((self.backend, dtype), [])
        if not kept:
            kept += self.ops.allocate([np.zeros(p.shape, dtype) for p in self.parameters()])
        return kept


def learn(rbm, data, epochs, batch, rate, persistent=False, after_epoch=lambda: None) -> None:
    """Gradient descent; the rate falls to 0 in a straight line, so that a chain keeps up."""
    optimizer, ops = SGD(rate / batch, momentum=0.5), rbm.ops  # for gradients are sums
    chain = ops.from_numpy(data[:batch]) if persistent else None
    for epoch in range(epochs):
        batches = [k for k in in_batches(shuffled(len(data), rbm.seed, epoch), batch)
                   if len(k) == batch]  # fmt: skip
        for step, indices in enumerate(batches):
            drawn = rbm.contrast(ops.from_numpy(data[indices]), chain)
            chain = drawn if persistent else None
            done = (epoch + step / len(batches)) / epochs
            optimizer.step(rbm.parameters(), lr_factor=1 - done)
        after_epoch()


def log_likelihood(rbm: RBM, v: np.ndarray) -> float:
    """Mean ln p(v) in nats, exact: ln Σ_h e^−E(v, h) − ln Z, Z a sum over all 2^hidden states.

    Both sums over the other side factorise: ln Σ_v e^−E(v, h) = c·h + Σ_j ln(1 + e^(b + Wᵀh)_j),
    and ln Σ_h e^−E(v, h) = b·v + Σ_i ln(1 + e^(c + Wv)_i).
    """
    weight, c, b = (p.value.astype(np.float64) for p in (rbm.weight, rbm.c, rbm.b))
    states = np.array([*product((0.0, 1.0), repeat=rbm.hidden)])
    log_z = np.logaddexp.reduce(states @ c + np.logaddexp(0, b + states @ weight).sum(axis=1))
    return float((v @ b + np.logaddexp(0, c + v @ weight.T).sum(axis=1)).mean() - log_z)


def bars_and_stripes(side: int = 4) -> np.ndarray:
    """The 2 · 2^side − 2 images whose rows are all alike, or whose columns are (MacKay 2003)."""
    rows = np.array([*product((0, 1), repeat=side)])
    both = np.repeat(rows[:, None], side, 1), np.repeat(rows[:, :, None], side, 2)
    images = np.concatenate(both).reshape(-1, side * side)
    return np.unique(images, axis=0).astype(np.float32)


def exact_curve(images, epochs, persistent, seed, backend) -> list[float]:
    """ln p of the images after every epoch."""
    rbm, curve = RBM(images.shape[1], 8, seed).to(backend), []
    data = np.repeat(images, 10, axis=0)  # so there are 300 chains
    learn(rbm, data, epochs, len(data), 0.2, persistent,
          lambda: curve.append(log_likelihood(rbm, images)))  # fmt: skip
    return curve


def main() -> None:
    options = parser(__doc__, backend="numba", epochs=10).parse_args()
    (backend,) = chosen_backends(options)
    digits, test = load_mnist(options.data)
    sweeps, tuning = 3000, {1000: 50, len(digits): 20}  # labels: epochs
    if options.quick:
        digits, test, options.epochs = digits[:3000], test[:1000], 2
        sweeps, tuning = 600, {300: 10, len(digits): 10}
    say_how_long(options, minutes=0.1 * options.epochs)

    images = bars_and_stripes()
    found: dict = {"backend": backend, "best": -float(np.log(len(images))), "every": sweeps // 100}
    found["curves"] = {
        name: exact_curve(images, sweeps, persistent, options.seed, backend)[:: found["every"]]
        for name, persistent in (("CD", False), ("persistent CD", True))
    }
    white = np.random.default_rng(options.seed).random(digits.images.shape) < digits.images / 255
    machines, data = [], white.reshape(len(digits), -1).astype(np.float32)
    for visible in (784, UNITS):
        rbm = RBM(visible, UNITS, options.seed).to(backend)
        learn(rbm, data, options.epochs, 100, 0.1)
        machines.append(rbm)
        # What the first machine's hidden bits are likely to be is what the second one sees.
        data = np.concatenate([rbm.forward(some) for some in in_batches(data, 1000)])
        print(f"{rbm} has learned", flush=True)
    found["tuned"] = [
        {"labels": labels, **{
            name: accuracy(first, digits[:labels], test, epochs, options.seed, backend)
            for name, first in (("random", []), ("stacked", machines))
        }}
        for labels, epochs in tuning.items()
    ]  # fmt: skip
    path = keep(options, "rbm", found, plot(found, machines[0], test.images[:8]))
    print(f"\n{likelihood_table(found)}\n\n{tuned_table(found)}\n\n{path} and .png")


def accuracy(machines, digits, test, epochs, seed, backend) -> float:
    """On unseen digits, of two hidden layers that begin as the machines, where there are some."""
    hidden = [Dense(784, UNITS), Dense(UNITS, UNITS)]
    network = Sequential(
        Flatten(), hidden[0], Sigmoid(), hidden[1], Sigmoid(), Dense(UNITS, 10), seed=seed
    )
    for layer, rbm in zip(hidden, machines):
        layer.weight.value, layer.bias.value = rbm.weight.value, rbm.c.value
    loss = SoftmaxCrossEntropy()
    fit(
        network.to(backend), loss, Adam(1e-3), digits, epochs=epochs, batch_size=64, seed=seed,
        schedule=OneCycle(epochs), progress=False,
    )  # fmt: skip
    return evaluate(network, loss, test).accuracy


def likelihood_table(found: dict) -> str:
    rows = [[name, f"{max(curve):.2f}", f"{curve[-1]:.2f}"]
            for name, curve in found["curves"].items()]  # fmt: skip
    rows.append(["the best there is", "", f"{found['best']:.2f}"])
    return table(["ln p(v), nats", "highest", "at the end"], rows)


def tuned_table(found: dict) -> str:
    rows = [[f"{run['labels']:,}", f"{run['random']:.2%}", f"{run['stacked']:.2%}"]
            for run in found["tuned"]]  # fmt: skip
    return table(["labels", "from random weights", "deep belief network"], rows)


def plot(found: dict, rbm: RBM, images: np.ndarray) -> Figure:
    """The exact likelihoods; the weights of hidden units; digits beside their reconstructions."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, middle, right = figure.subfigures(1, 3)
    axes = left.add_subplot()
    for (name, curve), style in zip(found["curves"].items(), ("--", "-")):
        epochs = 1 + found["every"] * np.arange(len(curve))
        axes.plot(epochs, curve, style, color="black", label=name)
    axes.axhline(found["best"], color="0.6", label="the best there is")
    axes.set_xlabel("epoch")
    axes.set_ylabel("ln p(v), nats, exact")
    axes.legend(fontsize=7)
    middle.suptitle("weights of 64 hidden units", fontsize=9)
    plotting.image_grid(rbm.weight.value[:64].reshape(-1, 28, 28), columns=8, figure=middle)
    right.suptitle("digits, and what comes back", fontsize=9)
    v = (images.reshape(len(images), -1) / 255).astype(np.float32)
    h = rbm.hidden_given(rbm.ops.from_numpy(v), "plot")
    back = rbm.ops.to_numpy(rbm.visible_given(h, "plot"))
    pairs = np.stack([v, back], axis=1).reshape(-1, 28, 28)
    plotting.image_grid(pairs, columns=4, figure=right)
    return figure


if __name__ == "__main__":
    main()
