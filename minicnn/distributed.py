"""Training on the ranks of an MPI job, `with job() as comm: fit(comm, …)`: `training/ranks.py`."""

from .training.ranks import fit as fit
from .training.ranks import job as job
