"""What launches did: instructions, bytes, and what bank conflicts cost."""

from collections import Counter

import numpy as np

WARP = 32
BANKS = 32  # of shared memory, each of which hands out one word of four bytes at a time


class Counts:
    """Sums over threads, of one launch or several.

    instructions: by name, such as fma.rn.f32.
    bytes: by space and kind, such as ("global", "read"), ("shared", "written").
    shared_accesses: instructions of warps that touch shared memory.
    bank_conflicts: wavefronts (turns that a warp's access to shared memory takes) beyond those that
        so many bytes need.
    """

    def __init__(self) -> None:
        self.instructions: Counter[str] = Counter()
        self.bytes: Counter[tuple[str, str]] = Counter()
        self.shared_accesses = self.bank_conflicts = 0

    def share(self, name: str) -> float:
        """What part of all executed instructions those are whose name begins like this."""
        found = sum(n for other, n in self.instructions.items() if other.startswith(name))
        return found / self.instructions.total()

    def shared(self, address, size, warp, lane) -> None:
        """An access to shared memory; address, warp and lane (0..31) of each thread, in order."""
        self.shared_accesses += 1 + np.count_nonzero(np.diff(warp))
        self.bank_conflicts += conflicts(address, size, warp, lane)


def conflicts(address, size, warp, lane) -> int:
    """Threads with 8 bytes go in two halves of a warp, with 16 in four quarters. In each, the words
    that lie in one bank are handed out one after the other, and each to all that want it."""
    together = min(WARP, 4 * WARP // size)
    group = warp * WARP + lane // together  # distinct for each half or quarter
    words = address[:, None] // 4 + np.arange(max(1, size // 4))
    bank = group[:, None] * BANKS + words % BANKS
    wanted = np.sort((bank << 32 | words).ravel())  # shared memory has less than 2³² words
    bank = wanted[np.diff(wanted, prepend=-1) > 0] >> 32  # a word once
    begins = np.flatnonzero(np.diff(bank, prepend=-1))
    turns = np.diff(begins, append=bank.size)  # of each bank
    groups = np.flatnonzero(np.diff(bank[begins] // BANKS, prepend=-1))
    return int((np.maximum.reduceat(turns, groups) - 1).sum())
