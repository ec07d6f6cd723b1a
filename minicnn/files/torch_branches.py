"""Residual and Parallel as modules of PyTorch, which has none for them. Importing this needs it."""

from __future__ import annotations

import torch
from torch import nn


class Residual(nn.Module):
    """y = shortcut(x) + layers(x); without a shortcut, x itself is added."""

    def __init__(self, *layers: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.layers, self.shortcut = nn.Sequential(*layers), shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        around = x if self.shortcut is None else self.shortcut(x)
        return around + self.layers(x)


class Parallel(nn.Module):
    """The outputs of all branches, channels side by side."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)
