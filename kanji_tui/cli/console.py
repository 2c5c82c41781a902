"""Progress, notices and errors of a command, all on stderr."""

import math
import signal
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from kanji_tui import events
from kanji_tui.cli.output import escape, put, stderr
from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.presentation.training import epoch_line
from kanji_tui.system.numbers import rate

PLAIN_SECONDS = 5.0


def print_error(error: KanjiError) -> None:
    """Print what happened, and what to do; that the user stopped something is no error."""
    label = "" if isinstance(error, Stopped) else "[bold red]error:[/] "
    stderr.print(f"{label}{escape(error.message)}")
    if error.remedy:
        stderr.print(f"  [bold]try:[/] {escape(error.remedy.removeprefix('try '))}")


class ConsoleReport:
    """The report of a job; use it as `with ConsoleReport() as report`.

    On a terminal it shows a bar for each phase, elsewhere it prints a line every few seconds. The first Ctrl-C or
    SIGTERM asks the job to stop, the second ends it at once.
    """

    def __init__(self) -> None:
        self.directory: Path | None = None
        self._stop = False
        self._tasks: dict[str, TaskID] = {}
        self._printed_at: dict[str, float] = {}
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeRemainingColumn(),
            console=stderr,
        )

    def __enter__(self) -> "ConsoleReport":
        self._previous: dict[int, Any] = {
            signum: signal.signal(signum, self._interrupt) for signum in (signal.SIGINT, signal.SIGTERM)
        }
        if stderr.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)
        self._bars.stop()

    def stop_requested(self) -> bool:
        return self._stop

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.Progress):
            if event.phase == "file":  # the progress of one file, which only the screens show
                return
            self._bar(event) if stderr.is_terminal else self._line(event)
        elif isinstance(event, events.Epoch):
            stderr.print(epoch_line(event))
        elif isinstance(event, events.Notice):
            stderr.print(f"[yellow]note:[/] {escape(event.message)}")
        elif isinstance(event, events.Damaged):
            stderr.print(f"[yellow]note:[/] {escape(event.reason)}")

    def _bar(self, event: events.Progress) -> None:
        detail = escape(" ".join(part for part in (rate_of(event), event.item) if part))
        if event.phase not in self._tasks:
            self._tasks[event.phase] = self._bars.add_task(event.phase, total=event.total or None, detail=detail)
        self._bars.update(self._tasks[event.phase], completed=event.done, total=event.total or None, detail=detail)

    def _line(self, event: events.Progress) -> None:
        now = time.monotonic()
        ended = event.total > 0 and event.done >= event.total
        if event.done == 0 or (not ended and now - self._printed_at.get(event.phase, -math.inf) < PLAIN_SECONDS):
            return
        self._printed_at[event.phase] = now
        total = f"/{event.total}" if event.total else ""
        put(f"{event.phase}: {event.done}{total} {event.unit} {rate_of(event)}".rstrip(), to_stderr=True)

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        if self._stop:
            raise KeyboardInterrupt
        self._stop = True
        again = "press Ctrl-C again" if signum == signal.SIGINT else "send SIGTERM again"
        stderr.print(f"stopping when the batch, file or request in work is done; {again} to end at once")


def rate_of(event: events.Progress) -> str:
    """`12,300 records/s`, or empty while the rate is not known."""
    return "" if event.rate is None else rate(event.rate, event.unit)
