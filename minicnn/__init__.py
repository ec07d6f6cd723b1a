"""minicnn: a convolutional-network library to be read, with every gradient stated by hand."""

from typing import TYPE_CHECKING

from . import (
    backends,
    data,
    gradcheck,
    initializers,
    layers,
    losses,
    metrics,
    names,
    optimizers,
    schedules,
)
from .backends import set_threads
from .checkpoint import Checkpoint, Progress, load, save
from .errors import DataFileError, ModelFileError
from .layers import (
    AvgPool2D,
    BatchNorm,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool2D,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Reshape,
    Sigmoid,
    Tanh,
)
from .losses import MeanSquaredError, SigmoidCrossEntropy, SoftmaxCrossEntropy
from .network import Sequential
from .network_file import read_network
from .onnx_file import to_onnx
from .optimizers import SGD, Adagrad, Adam, AdamW, Penalty, RMSprop, clip_gradient_norm
from .torch_modules import from_torch, to_torch
from .training.cross_validation import CrossValidation, cross_validate
from .training.evaluation import Evaluation, evaluate
from .training.history import History
from .training.loop import StopTraining, fit

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "AvgPool2D",
    "BatchNorm",
    "Checkpoint",
    "Conv2D",
    "ConvTranspose2D",
    "CrossValidation",
    "DataFileError",
    "Dense",
    "Dropout",
    "Evaluation",
    "Flatten",
    "GlobalAvgPool2D",
    "History",
    "LeakyReLU",
    "MaxPool2D",
    "MeanSquaredError",
    "ModelFileError",
    "Penalty",
    "Progress",
    "RMSprop",
    "ReLU",
    "Reshape",
    "Sequential",
    "Sigmoid",
    "SigmoidCrossEntropy",
    "SoftmaxCrossEntropy",
    "StopTraining",
    "Tanh",
    "backends",
    "clip_gradient_norm",
    "cross_validate",
    "data",
    "evaluate",
    "fit",
    "from_torch",
    "gradcheck",
    "initializers",
    "layers",
    "load",
    "losses",
    "metrics",
    "optimizers",
    "read_network",
    "save",
    "schedules",
    "set_threads",
    "to_onnx",
    "to_torch",
]

names.install()
if TYPE_CHECKING:  # they are imported when they are asked for
    from . import plotting as plotting
    from . import timing as timing
