"""Ctrl-C between steps, never inside one."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class WholeSteps:
    """`with WholeSteps() as whole:` holds Ctrl-C back until `whole.step_ends()`, or until the end.

    So an interrupted training leaves parameters, optimiser slots and statistics as after a whole
    step. A second Ctrl-C does not wait. Signals reach only Python's main thread; elsewhere, and
    where somebody handles SIGINT in a way of their own, this does nothing.
    """

    def __enter__(self) -> WholeSteps:
        self.interrupted = False
        self.active = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if self.active:
            signal.signal(signal.SIGINT, self.hold)
        return self

    def hold(self, signum: int, frame: FrameType | None) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def step_ends(self) -> None:
        if self.interrupted:
            raise KeyboardInterrupt

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if self.active:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if self.interrupted and kind is None:
                raise KeyboardInterrupt
