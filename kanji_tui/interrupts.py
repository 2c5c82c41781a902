"""Ctrl-C while modules are imported: an import that it breaks off leaves half a module, and ends in a traceback."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


def end_at_once() -> None:
    """From now on Ctrl-C ends the process without a word: nothing has begun. Where it is ignored, it stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def waiting() -> Iterator[None]:
    """Ctrl-C waits for the end of the block and is a KeyboardInterrupt then, as it is from then on."""
    before = signal.getsignal(signal.SIGINT)
    if before not in (signal.default_int_handler, signal.SIG_DFL):
        yield
        return
    received: list[int] = []
    try:
        signal.signal(signal.SIGINT, lambda number, frame: received.append(number))
    except ValueError:  # not the main thread, which alone hears signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if received:
        raise KeyboardInterrupt
