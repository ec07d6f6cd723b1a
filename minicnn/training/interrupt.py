"""Ctrl-C between steps, never inside one."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class WholeStep:
    """`with WholeStep():` holds Ctrl-C back until the block is done, then raises it.

    So an interrupted training leaves parameters, optimiser slots and statistics as after a whole
    step. A second Ctrl-C does not wait. Signals reach only Python's main thread; elsewhere, and
    where somebody handles SIGINT in a way of their own, this does nothing.
    """

    def __enter__(self) -> None:
        self.interrupted = False
        self.active = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if self.active:
            signal.signal(signal.SIGINT, self.hold)

    def hold(self, signum: int, frame: FrameType | None) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def __exit__(self, *exception: object) -> None:
        if self.active:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if self.interrupted:
                raise KeyboardInterrupt
