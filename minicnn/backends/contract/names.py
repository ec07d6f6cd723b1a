"""What a backend passes around: each keeps these as it likes."""

from typing import Any

Batch = Any  # a batch
Array = Any  # a parameter, a statistic or an optimiser's slot
Data = Any  # a whole data set
Indices = Any  # which samples make up a batch: int64 (N,) on the host, or as `Steps` hands them out
Scalar = Any  # a number that was computed and may still be on a device: `to_float` reads it
Number = Any  # a number for an update: a float or an int, or as `Steps` hands it out
