"""How much memory a call takes."""

import tracemalloc


def peak_memory(action):
    """What the action returns, and the most bytes that NumPy and Python took while it ran."""
    tracemalloc.start()
    try:
        return action(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
