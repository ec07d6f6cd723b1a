"""A variational auto-encoder (Kingma & Welling 2014): digits from random numbers, by hand.

The encoder gives each image not a code but a normal distribution of codes, and the decoder draws an
image from a code. What is maximised is a lower bound on the likelihood of the images, the ELBO. The
gradient goes *through* the drawing of random numbers: docs/studies/vae.md derives how. Once with 20
latent numbers for a good bound, once with two for a map. --quick: a few digits and epochs.
"""

from math import exp
from statistics import NormalDist

import numpy as np
from duration import say_how_long
from matplotlib.figure import Figure
from options import chosen_backends, parser
from results import keep, table

from minicnn import (
    Adam,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Flatten,
    Layer,
    ReLU,
    Reshape,
    Sequential,
    SigmoidCrossEntropy,
    fit,
    plotting,
)
from minicnn.data import load_mnist
from minicnn.layers.parameter import Parameter, Shape
from minicnn.schedules import OneCycle

PIXELS = 28 * 28


def standard_deviation(log_variance):
    """σ = e^(ln σ² / 2)."""
    return type(log_variance)(exp(log_variance * type(log_variance)(0.5)))


def mean_slope(dz, mean, share):
    """dμ = dz + share · ∂KL/∂μ."""
    return dz + share * mean


def log_variance_slope(dsigma, sigma, share):
    """d ln σ² = ½ dσ σ + share · ∂KL/∂ln σ²."""
    half, one = type(sigma)(0.5), type(sigma)(1)
    return half * dsigma * sigma + share * half * (sigma * sigma - one)


class Sample(Layer):
    """z = μ + σ · ε with ε ~ Normal(0, 1); without `training` z = μ.

    x (N, 2 · latents), μ and ln σ² side by side → z (N, latents). Backward takes ε for a constant:

        dμ = dz        dσ = dz · ε        d ln σ² = ½ dσ · σ

    and adds the gradient of the other half of the loss, which this layer alone can see:
    kl · KL(Normal(μ, σ²) ‖ Normal(0, 1)) = kl · ½ Σ (μ² + σ² − ln σ² − 1), as a mean over the
    batch. ε follows from a seed and the number of training batches before. Keeps μ, σ and ε.
    """

    mask_seed: tuple[int, int]

    def __init__(self, latents: int, kl: float = 1.0) -> None:
        super().__init__(latents=latents, kl=kl)
        self.latents, self.kl, self.places = latents, kl, {}
        self.step = Parameter(np.zeros(1, np.int64), learned=False)
        self.reseed((0, 0))

    def reseed(self, seed):
        self.mask_seed = seed
        self.step.value = np.zeros(1)

    def output_shape(self, input_shape: Shape) -> Shape:
        if input_shape != (2 * self.latents,):
            got = ", ".join(map(str, ("N", *input_shape)))
            raise ValueError(f"{self}: wanted shape (N, {2 * self.latents}), got ({got})")
        return (self.latents,)

    def at(self, name):
        """Memory that nothing else uses."""
        return self.places.setdefault((self.backend, name), self.ops.Buffers())

    def forward_batch(self, x, training):
        ops, size = self.ops, (x.shape[0], self.latents)
        self.mean, log_variance = ops.split(x, [self.latents] * 2, self.buffers)
        self.sigma = ops.activation_forward(
            log_variance, standard_deviation, (), self.at("standard deviation")
        )
        noise = np.zeros(size, x.dtype)
        if training:
            step = int(self.step.value[0])
            noise[:] = np.random.default_rng((*self.mask_seed, step)).standard_normal(size)
            self.step.value = self.step.value + 1
        self.noise = ops.from_numpy(noise)
        spread = ops.multiply(self.sigma, self.noise, "spread", self.buffers)
        return ops.add(self.mean, spread, "z", self.buffers)

    def backward_batch(self, dz, input_gradient=True):
        if not input_gradient:
            return None
        ops, share = self.ops, self.kl / dz.shape[0]
        dsigma = ops.multiply(dz, self.noise, "dsigma", self.buffers)
        dmean = ops.activation_backward(dz, self.mean, mean_slope, (share,), self.at("dmean"))
        dlog_variance = ops.activation_backward(
            dsigma, self.sigma, log_variance_slope, (share,), self.at("dlog variance")
        )
        return ops.concatenate([dmean, dlog_variance], self.buffers)


def encoder(latents: int) -> Sequential:
    return Sequential(
        Conv2D(1, 32, 4, stride=2, padding=1), ReLU(),
        Conv2D(32, 64, 4, stride=2, padding=1), ReLU(),
        Flatten(), Dense(64 * 49, 256), ReLU(), Dense(256, 2 * latents),
    )  # fmt: skip


def decoder(latents: int) -> Sequential:
    return Sequential(
        Dense(latents, 256), ReLU(), Dense(256, 64 * 49), ReLU(), Reshape((64, 7, 7)),
        ConvTranspose2D(64, 32, 4, stride=2, padding=1), ReLU(),
        ConvTranspose2D(32, 1, 4, stride=2, padding=1),
    )  # fmt: skip


def main() -> None:
    options = parser(__doc__, backend="numba", epochs=20).parse_args()
    (backend,) = chosen_backends(options)
    digits, test = load_mnist(options.data)
    if options.quick:
        digits, test, options.epochs = digits[:5000], test[:1000], 3
    say_how_long(options, minutes=0.25 * options.epochs)
    train, unseen = (binarised(d.images, options.seed + k) for k, d in enumerate((digits, test)))
    found: dict = {"backend": backend, "epochs": options.epochs, "models": {}}
    models = {}
    for latents in (20, 2):
        encode, decode = encoder(latents), decoder(latents)
        # The loss is a mean over all pixels, so the KL of an image counts for 1 / PIXELS as well.
        network = Sequential(encode, Sample(latents, 1 / PIXELS), decode, seed=options.seed)
        fit(
            network.to(backend), SigmoidCrossEntropy(), Adam(2e-3), (train, train),
            epochs=options.epochs, batch_size=64, seed=options.seed,
            schedule=OneCycle(options.epochs),
        )  # fmt: skip
        found["models"][latents] = elbo(encode, decode, unseen, options.seed)
        models[latents] = encode, decode
    print(f"\n{elbo_table(found)}\n")
    path = keep(options, "vae", found, drawings(models, unseen, options.seed))
    print(f"{path} and .png")


def binarised(images: np.ndarray, seed: int) -> np.ndarray:
    """Black or white, each pixel white with its grey as the probability (Salakhutdinov & Murray
    2008): the likelihood of an image is then a probability, and nats can be compared."""
    white = np.random.default_rng(seed).random(images.shape) < images / 255
    return white.astype(np.float32)


def elbo(encode: Sequential, decode: Sequential, images: np.ndarray, seed: int) -> dict:
    """Means over the images, in nats: E ln p(x | z) with one z each, KL, and their difference;
    and how many latents are used, which cost more than 0.01 nats."""
    mean, log_variance = np.split(encode.predict(images).astype(np.float64), 2, axis=1)
    noise = np.random.default_rng(seed).standard_normal(mean.shape)
    z = mean + np.exp(log_variance / 2) * noise
    logits = decode.predict(z.astype(np.float32)).astype(np.float64)
    log_p = images * logits - np.logaddexp(0, logits)
    kl = (mean**2 + np.exp(log_variance) - log_variance - 1) / 2
    again, price = log_p.sum(axis=(1, 2, 3)).mean(), kl.sum(axis=1).mean()
    used = int((kl.mean(axis=0) > 0.01).sum())
    return {"log_p": again, "kl": price, "elbo": again - price, "used": used}


def elbo_table(found: dict) -> str:
    rows = [
        [str(latents), *(f"{m[k]:.1f}" for k in ("log_p", "kl", "elbo")), str(m["used"])]
        for latents, m in found["models"].items()
    ]
    return table(["latents", "E ln p, nats", "KL, nats", "ELBO, nats", "latents in use"], rows)


def drawings(models: dict, unseen: np.ndarray, seed: int) -> Figure:
    """Samples, ways from one test digit to another, and the map of two latents."""
    rng = np.random.default_rng(seed)
    encode, decode = models[20]
    codes = rng.standard_normal((100, 20)).astype(np.float32)
    ends = encode.predict(unseen[:20])[:, :20].reshape(10, 2, 20)
    steps = np.linspace(0, 1, 10, dtype=np.float32)[:, np.newaxis]
    ways = np.concatenate([(1 - steps) * a + steps * b for a, b in ends])
    # Steps of equal probability along each axis.
    side = [NormalDist().inv_cdf(p) for p in np.linspace(0.02, 0.98, 10)]
    plane = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2).astype(np.float32)
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    titles = "random codes", "from one digit to another", "the plane of two latents"
    drawn = (codes, decode), (ways, decode), (plane, models[2][1])
    for part, title, (z, draw) in zip(figure.subfigures(1, 3), titles, drawn):
        part.suptitle(title, fontsize=9)
        grey = 1 / (1 + np.exp(-draw.predict(z)))
        plotting.image_grid(grey, columns=10, figure=part)
    return figure


if __name__ == "__main__":
    main()
