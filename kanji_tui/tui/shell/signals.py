"""What the signals of a terminal and a shell do to the workbench."""

import asyncio
import select
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any


def terminal_is_closed() -> bool:
    """Whether the terminal of stdin is no more.

    One that is not the controlling terminal of the process, as in `docker exec` and `setsid`, sends no SIGHUP.
    Textual would read its end again and again, on a whole processor.
    """
    if sys.__stdin__ is None:
        return False
    terminal = select.poll()
    terminal.register(sys.__stdin__, 0)  # nothing but errors and its end
    return bool(terminal.poll(0))


def follow_signals(end: Callable[[signal.Signals], None]) -> None:
    """Call `end` at SIGTERM and SIGHUP; resume at SIGCONT only what SIGTSTP suspended.

    A terminal that is closed sends SIGHUP, and SIGCONT behind it. At that Textual takes the terminal a second time,
    with a thread that waits for keys for ever and keeps a processor busy.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for signum in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signum, end, signum)
    suspend, resume = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
    suspended = False

    def at_suspension(*given: Any) -> None:
        nonlocal suspended
        suspended = True
        if callable(suspend):
            suspend(*given)

    def at_resumption(*given: Any) -> None:
        nonlocal suspended
        if suspended and callable(resume):
            suspended = False
            resume(*given)

    signal.signal(signal.SIGTSTP, at_suspension)
    signal.signal(signal.SIGCONT, at_resumption)
