"""A line for a path: the rest of a name stands in it in grey; tab or right takes it. `~` is the home folder."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.suggester import Suggester

from kanji_tui.tui.widgets.line_input import LineInput

MOST_NAMES = 10_000  # of a folder that are looked at


def completed(text: str, endings: tuple[str, ...] = ()) -> str | None:
    """The text with the first name that continues it: of a folder, or of a file with one of the endings.

    None where there is none, or where the text is a path already.
    """
    try:
        if not text or text == "~" or Path(text).expanduser().exists():
            return None
        head, begun = os.path.split(text)
        folder = Path(head or ".").expanduser()
        return min((os.path.join(head, name) for name in _names(folder, begun, endings)), default=None)
    except (OSError, RuntimeError, ValueError):  # not readable; no such user; a text that no path can be
        return None


def _names(folder: Path, begun: str, endings: tuple[str, ...]) -> Iterator[str]:
    with os.scandir(folder) as found:
        for _, entry in zip(range(MOST_NAMES), found, strict=False):
            if entry.name.startswith(begun) and (begun or not entry.name.startswith(".")):
                if entry.is_dir():
                    yield f"{entry.name}/"
                elif entry.name.endswith(endings or ("/",)):
                    yield entry.name


class PathSuggester(Suggester):
    """Suggests what `completed` finds; a slow folder keeps nobody waiting."""

    def __init__(self, endings: tuple[str, ...]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._endings = endings

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(completed, value, self._endings)


class PathInput(LineInput):
    """Completes names of folders, and of files with one of the `endings`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", "Complete", show=False)]

    def __init__(self, value: str, endings: tuple[str, ...], id: str | None = None) -> None:
        super().__init__(value, id=id, select_on_focus=True)
        self.suggester = PathSuggester(endings)
        self._endings = endings
        self._before = value  # the text when the field got the focus

    def on_focus(self, event: events.Focus) -> None:
        self._before = self.value

    async def action_complete(self) -> None:
        """Complete what was typed; where nothing is to be completed, go to the next field."""
        typed = self.value != self._before
        found = await asyncio.to_thread(completed, self.value, self._endings) if typed else None
        if found is None:
            self.screen.focus_next()
        else:
            self.value = found
            self.cursor_position = len(found)
