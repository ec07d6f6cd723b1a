"""20 A race: two threads, one total, and additions that get lost.

To add 1 to a total, a thread reads it, adds, and writes it back. If another one reads in between,
both have read the same number, and who writes last wipes out the other's addition. It is no error,
and nothing crashes: the result is only smaller, and another one each time.

Read: docs/parallel.md, Sums: where threads meet
"""

# Predict: two threads add 1 once each to a total of 0. What may it be afterwards?
#   "a" always 2        "b" 1 or 2        "c" 0, 1 or 2
PREDICTION = ...


def race(turns, threads):
    """Play a race in slow motion. turns says whose turn it is, such as [0, 1, 1, 0].

    A thread's first turn reads the total into a register of its own; its next turn writes the
    register + 1 back; then it reads again, and so on. The total begins at 0.

    turns: a list of numbers 0 ≤ t < threads → the total, and how many additions were lost: writes
    that were made, less the total.
    """
    ...  # about 9 lines
