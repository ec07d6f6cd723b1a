"""Dropout in files, in ONNX (where it is gone) and in PyTorch (which knows no seed of a layer)."""

from ...layers.dropout import Dropout
from .kind import Twin, operator, register

register(Dropout, operator("Identity"), Twin("Dropout", unsaid=("seed",)))
