"""The steps of an epoch: the host takes them, as for numpy."""

from ..numpy.steps import Steps as Steps
