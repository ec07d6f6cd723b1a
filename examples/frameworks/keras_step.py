"""A training step of Keras on TensorFlow, compiled with tf.function."""

import numpy as np
import tensorflow as tf

from frameworks.workloads import RATE, Workload

keras = tf.keras


def network(work: Workload):
    layers = keras.layers
    shape = (*work.shape[1:], work.shape[0]) if len(work.shape) == 3 else work.shape
    stack = [keras.Input(shape)]
    for kind, *arguments in work.layers:
        stack.append(
            {
                "conv": lambda f, k, padding="same": layers.Conv2D(f, k, padding=padding),
                "pool": lambda: layers.MaxPooling2D(2, padding="same"),
                "dense": layers.Dense,
                "relu": layers.ReLU,
                "sigmoid": lambda: layers.Activation("sigmoid"),
                "flatten": layers.Flatten,
            }[kind](*arguments)
        )
    return keras.Sequential(stack)


def build(work: Workload, threads: int, x: np.ndarray, labels: np.ndarray, _layout: str):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    net = network(work)
    images = tf.constant(x.transpose(0, 2, 3, 1) if x.ndim == 4 else x)
    if work.outputs == 1:
        loss, target = keras.losses.BinaryCrossentropy(from_logits=True), labels[:, None]
    else:
        loss, target = keras.losses.SparseCategoricalCrossentropy(from_logits=True), labels
    target = tf.constant(target)
    kind = keras.optimizers.Adam if work.optimizer == "adam" else keras.optimizers.SGD
    optimizer = kind(RATE)
    optimizer.build(net.trainable_variables)

    @tf.function
    def compiled(images, target):  # as arguments: a captured tensor is a constant to fold
        with tf.GradientTape() as tape:
            value = loss(target, net(images, training=True))
        gradients = tape.gradient(value, net.trainable_variables)
        optimizer.apply_gradients(zip(gradients, net.trainable_variables))
        return value

    return lambda: float(compiled(images, target))
