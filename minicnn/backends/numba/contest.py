"""The registers of max pooling: which tap of a window is the greatest, an image in each lane.

As in `simd.py`: here is what it computes, `llvm/contest.py` has the instructions.
"""

import numpy as np

from .llvm import contest as llvm
from .simd import compiled_as, places


@compiled_as(llvm.contest)
def contest(tile, x, o, tap):
    """Row 0 is the best so far and row 1 the tap it came from: x[o : o + L] of this tap may win.

    A greater number wins, so of equal ones the first stays. None of them may be NaN.
    """
    candidate = x.reshape(-1)[o : o + tile.shape[2]]
    return taken_over(tile, candidate, tap, candidate > tile[0, 0])


@compiled_as(llvm.contest_with_nan)
def contest_with_nan(tile, x, o, tap):
    """The same where there may be a NaN: it wins over every number, and stays."""
    candidate, best = x.reshape(-1)[o : o + tile.shape[2]], tile[0, 0]
    return taken_over(tile, candidate, tap, ~(candidate <= best) & (best == best))


def taken_over(tile, candidate, tap, wins):
    return np.where(wins, np.stack([candidate, np.full_like(candidate, tap)])[:, None], tile)


@compiled_as(llvm.has_nan)
def has_nan(tile):
    """Whether a lane of row 0 is NaN."""
    return bool(np.isnan(tile[0]).any())


@compiled_as(llvm.store_winner)
def store_winner(tile, winner, o, least):
    """winner[o : o + L] = row 1 of the tile in whole numbers, at least `least` beside a NaN."""
    best, taps = tile[:, 0]
    taps = np.where(best == best, taps, np.maximum(taps, least))
    winner.reshape(-1)[o : o + tile.shape[2]] = taps


@compiled_as(llvm.add_where_won)
def add_where_won(tile, dy, winner, o, tap):
    """tile[0] + dy[o : o + L] in the lanes where winner[o : o + L] = tap."""
    here = slice(o, o + tile.shape[2])
    return tile + np.where(winner.reshape(-1)[here] == tap, dy.reshape(-1)[here], 0)


@compiled_as(llvm.add_winners)
def add_winners(tile, dy, winner, o, step, taps):
    """tile[r] + dy[o + r·step : … + L] in the lanes where any of so many taps won."""
    here = places(tile.shape, o, step, 0)
    return tile + np.where(winner.reshape(-1)[here] < taps, dy.reshape(-1)[here], 0)
