"""What a missing name may have meant: `minicnn.Linear` is an error that says minicnn.Dense."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

# Names of PyTorch and Keras that resemble none of ours, in lower case.
ELSEWHERE = {
    "linear": "Dense",
    "unflatten": "Reshape",
    "adaptiveavgpool2d": "GlobalAvgPool2D",
    "averagepooling2d": "AvgPool2D",
    "globalaveragepooling2d": "GlobalAvgPool2D",
    "maxpooling2d": "MaxPool2D",
    "conv2dtranspose": "ConvTranspose2D",
    "depthwiseconv2d": "Conv2D",
    "separableconv2d": "Conv2D",
    "add": "Residual",
    "basicblock": "Residual",
    "concatenate": "Parallel",
    "batchnormalization": "BatchNorm",
    "groupnormalization": "GroupNorm",
    "layernorm": "GroupNorm",
    "layernormalization": "GroupNorm",
    "instancenorm2d": "GroupNorm",
    "normalization": "Standardize",
    "normalize": "Standardize",
    "standardscaler": "Standardize",
    "crossentropyloss": "SoftmaxCrossEntropy",
    "categoricalcrossentropy": "SoftmaxCrossEntropy",
    "sparsecategoricalcrossentropy": "SoftmaxCrossEntropy",
    "nllloss": "SoftmaxCrossEntropy",
    "softmax": "SoftmaxCrossEntropy",
    "swish": "SiLU",
    "bceloss": "SigmoidCrossEntropy",
    "bcewithlogitsloss": "SigmoidCrossEntropy",
    "binarycrossentropy": "SigmoidCrossEntropy",
    "mse": "MeanSquaredError",
    "mseloss": "MeanSquaredError",
    "module": "Layer",
    "model": "Sequential",
    "train": "fit",
    "tensordataset": "Dataset",
    "imagefolder": "read_images",
    "image_dataset_from_directory": "read_images",
    "cifar10": "load_cifar10",
    "randomhorizontalflip": "RandomFlip",
    "randomerasing": "CutOut",
    "train_test_split": "split",
    "random_split": "split",
    "load_model": "load",
    "load_state_dict": "load",
    "save_model": "save",
    "steplr": "StepDecay",
    "cosineannealinglr": "Cosine",
    "onecyclelr": "OneCycle",
}
MODULES = (
    "minicnn", "minicnn.layers", "minicnn.losses", "minicnn.optimizers", "minicnn.schedules",
    "minicnn.initializers", "minicnn.data", "minicnn.metrics",
)  # fmt: skip


def install() -> None:
    """Give every module of MODULES a `__getattr__`, which Python asks for what it does not find."""
    for module in MODULES:
        vars(import_module(module))["__getattr__"] = missing_from(module)


def missing_from(module: str) -> Callable[[str], ModuleType]:
    """A part that is not imported yet, such as `minicnn.plotting`; for other names AttributeError,
    with the one that may have been meant.
    """

    def missing(name: str) -> ModuleType:
        text = f"module {module!r} has no attribute {name!r}"
        if name.startswith("_"):
            raise AttributeError(text)
        parts = iter_modules(getattr(sys.modules[module], "__path__", []))
        if name in (part.name for part in parts):
            return import_module(f"{module}.{name}")
        meant = suggestion(name)
        if meant is None:
            raise AttributeError(text)
        text += f": did you mean {meant}?"
        # `from minicnn import Linear` would replace an AttributeError by one without the hint.
        if sys._getframe(1).f_code.co_name == "_handle_fromlist":
            raise ImportError(text, name=module)
        raise AttributeError(text)

    return missing


def suggestion(name: str) -> str | None:
    """The public name, with its module, that another library calls so, or that is nearly so."""
    from difflib import get_close_matches  # only mistakes need it

    known: dict[str, str] = {}
    for module in reversed(MODULES):  # the shortest way to a name comes last and wins
        known |= {public.lower(): f"{module}.{public}" for public in public_names(module)}
    wanted = ELSEWHERE.get(name.lower(), name).lower()
    near = get_close_matches(wanted, known, n=1, cutoff=0.75)
    return known[near[0]] if near else None


def public_names(module: str) -> list[str]:
    """The classes and functions that stand in a module, without what it imports from elsewhere."""
    return [
        name
        for name, thing in vars(import_module(module)).items()
        if not name.startswith("_") and str(getattr(thing, "__module__", "")).startswith(module)
    ]
