"""Figures of a training run (`figures.py`), and of what goes on inside a network (`insides.py`)."""

from .figures import (
    confusion_matrix,
    gradient_norms,
    image_grid,
    rate_sweep,
    save,
    timing_bars,
    training_curves,
)
from .insides import confident_mistakes, feature_maps, filters, saliency

__all__ = [
    "confident_mistakes",
    "confusion_matrix",
    "feature_maps",
    "filters",
    "gradient_norms",
    "image_grid",
    "rate_sweep",
    "saliency",
    "save",
    "timing_bars",
    "training_curves",
]
