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
    optimizers,
    schedules,
)
from .backends import set_threads
from .common import names
from .common.errors import DataFileError, ModelFileError
from .files.checkpoint import Checkpoint, Progress, load, save
from .files.history import History
from .files.kinds import register
from .files.network_file import read_network
from .files.onnx_file import to_onnx
from .files.torch_modules import from_torch, to_torch
from .layers import *  # noqa: F403
from .losses import MeanSquaredError, SigmoidCrossEntropy, SoftmaxCrossEntropy
from .network import Parallel, Residual, Sequential
from .optimizers import SGD, Adagrad, Adam, AdamW, Penalty, RMSprop, clip_gradient_norm
from .training.cross_validation import CrossValidation, cross_validate
from .training.evaluation import Evaluation, evaluate
from .training.loop import StopTraining, fit
from .training.rates import RateSweep, find_learning_rate

__version__ = "0.1.0"

__all__ = [
    *layers.__all__,
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Checkpoint",
    "CrossValidation",
    "DataFileError",
    "Evaluation",
    "History",
    "MeanSquaredError",
    "ModelFileError",
    "Parallel",
    "Penalty",
    "Progress",
    "RMSprop",
    "RateSweep",
    "Residual",
    "Sequential",
    "SigmoidCrossEntropy",
    "SoftmaxCrossEntropy",
    "StopTraining",
    "backends",
    "clip_gradient_norm",
    "cross_validate",
    "data",
    "evaluate",
    "find_learning_rate",
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
    "register",
    "save",
    "schedules",
    "set_threads",
    "to_onnx",
    "to_torch",
]

names.install()
if TYPE_CHECKING:  # they are imported when they are asked for
    from . import microscope as microscope
    from . import plotting as plotting
    from . import timing as timing
