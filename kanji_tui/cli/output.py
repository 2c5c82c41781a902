"""Where text leaves for the terminal: stdout and stderr. Nothing hidden in names and messages gets through."""

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from kanji_tui.errors import BROKEN_PIPE
from kanji_tui.system.files import strict_json
from kanji_tui.system.visible import visible, visible_json

PIPE_WIDTH = 10_000  # nothing is folded in a pipe


class VisibleConsole(Console):
    """A console that prints what hidden characters there are, except its own control codes."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(visible(segment.text, lines=True), segment.style)

    def on_broken_pipe(self) -> None:
        """End quietly, as a shell names the end by SIGPIPE; Rich would end with 1, as if the work had failed."""
        try:
            super().on_broken_pipe()
        except SystemExit:
            sys.exit(BROKEN_PIPE)


stdout = VisibleConsole(
    highlight=False, soft_wrap=True, width=None if sys.stdout and sys.stdout.isatty() else PIPE_WIDTH
)
stderr = VisibleConsole(stderr=True, highlight=False, soft_wrap=True)


def escape(text: str) -> str:
    """Text of others on one line, with its brackets escaped, so that Rich shows it literally."""
    return visible(text).replace("[", r"\[")


def put(text: str, to_stderr: bool = False) -> None:
    """Print lines of plain text."""
    print(visible(text, lines=True), file=sys.stderr if to_stderr else sys.stdout, flush=True)


def put_json(value: Any) -> None:
    """Print one JSON object."""
    print(visible_json(strict_json(value)), flush=True)
