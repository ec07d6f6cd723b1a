"""A training step of JAX, compiled with jit; layers, losses and optimisers in a few lines each."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from frameworks.workloads import RATE, Workload


def parameters(work: Workload, shape: tuple[int, ...], layout: tuple[str, str, str]):
    rng, params = np.random.default_rng(0), []
    channel = layout[0].index("C") - 1
    example = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
    for kind, *arguments in work.layers:
        param = ()
        if kind == "conv":
            filters, k = arguments[:2]
            sizes = {"O": filters, "I": example.shape[1 + channel], "H": k, "W": k}
            param = (draw(rng, [sizes[axis] for axis in layout[1]]), jnp.zeros(filters))
        elif kind == "dense":
            param = (draw(rng, [example.shape[1], arguments[0]]), jnp.zeros(arguments[0]))
        params.append(param)
        example = jax.eval_shape(
            lambda p, x, kind=kind, a=arguments: apply(kind, a, p, x, layout), param, example
        )
    return params


def draw(rng, shape):
    fan_in = int(np.prod(shape)) // max(shape[0], shape[-1])
    return jnp.asarray(rng.normal(0, fan_in**-0.5, shape), jnp.float32)


def apply(kind, arguments, param, x, layout):
    if kind == "conv":
        w, b = param
        padding = (*arguments[2:], "same")[0].upper()
        y = lax.conv_general_dilated(x, w, (1, 1), padding, dimension_numbers=layout)
        return y + (b if layout[0] == "NHWC" else b[:, None, None])
    if kind == "pool":
        window = (1, 2, 2, 1) if layout[0] == "NHWC" else (1, 1, 2, 2)
        return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "SAME")
    if kind == "dense":
        return x @ param[0] + param[1]
    if kind == "flatten":
        return x.reshape(len(x), -1)
    return jnp.maximum(x, 0) if kind == "relu" else jax.nn.sigmoid(x)


def mean_loss(logits, labels):
    if logits.shape[1] == 1:
        z, t = logits[:, 0], labels
        return jnp.mean(jnp.maximum(z, 0) - z * t + jnp.log1p(jnp.exp(-jnp.abs(z))))
    return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(len(labels)), labels])


def sgd(params, gradients, state):
    return jax.tree.map(lambda w, g: w - RATE * g, params, gradients), state


def adam(params, gradients, state):
    m, s, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
    s = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, s, gradients)
    rate, correction = RATE / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
    move = lambda w, m, s: w - rate * m / (jnp.sqrt(s) / correction + 1e-8)  # noqa: E731
    return jax.tree.map(move, params, m, s), (m, s, t)


def build(work: Workload, threads: int, x: np.ndarray, labels: np.ndarray, layout: str):
    orders = ("NHWC", "HWIO", "NHWC") if layout == "nhwc" else ("NCHW", "OIHW", "NCHW")
    images = jnp.asarray(x.transpose(0, 2, 3, 1) if x.ndim == 4 and layout == "nhwc" else x)
    target = jnp.asarray(labels)
    params = parameters(work, images.shape[1:], orders)
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = (zeros, zeros, jnp.float32(0)) if work.optimizer == "adam" else ()
    rule = adam if work.optimizer == "adam" else sgd

    def loss(params, images, target):  # as arguments: a captured array is a constant to fold
        y = images
        for (kind, *arguments), param in zip(work.layers, params):
            y = apply(kind, arguments, param, y, orders)
        return mean_loss(y, target)

    def whole_step(params, state, images, target):
        value, gradients = jax.value_and_grad(loss)(params, images, target)
        return value, *rule(params, gradients, state)

    compiled = jax.jit(whole_step, donate_argnums=(0, 1))
    state = jax.tree.map(jnp.copy, state)  # donated buffers must not be shared
    kept = [params, state]

    def step() -> float:
        value, *kept[:] = compiled(*kept, images, target)
        return float(value)

    return step
