"""Keys carry the time at which their packet came, not the one at which each of them was understood.

The thread that reads the terminal understands one key after the other. On a busy machine the first of a packet may
have opened a question before the second is understood, which then seemed to be typed after the question was there.
"""

import time
from collections.abc import Iterator

from textual._xterm_parser import XTermParser
from textual.message import Message

understood = XTermParser.feed


def feed(parser: XTermParser, data: str) -> Iterator[Message]:
    """What the terminal sent in `data`, as Textual understands it."""
    arrived = time.monotonic()
    for message in understood(parser, data):
        message.time = arrived
        yield message


def stamp_arrivals() -> None:
    """Have Textual's parser give all that it understands at once the same time."""
    setattr(XTermParser, "feed", feed)  # noqa: B010 as a method it could not be assigned for mypy
