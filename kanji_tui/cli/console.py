"""What a person at the command line sees while a job runs: progress and notices, all on stderr."""

import signal
import sys
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from kanji_tui import events
from kanji_tui.epoch_metrics import METRICS
from kanji_tui.errors import KanjiError

PLAIN_SECONDS = 5.0
stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def print_error(error: KanjiError) -> None:
    """What happened, and what to do."""
    stderr.print(f"[bold red]error:[/] {escape(error.message)}")
    if error.remedy:
        stderr.print(f"  [bold]try:[/] {escape(error.remedy)}")


def escape(text: str) -> str:
    """Text as Rich shows it literally."""
    return text.replace("[", r"\[")


class ConsoleReport:
    """The report of a job that runs in the command's own process; use as `with ConsoleReport() as report`.

    On a terminal a bar for each phase, elsewhere a plain line every few seconds. The first Ctrl-C asks the job to
    stop, the second ends it at once.
    """

    def __init__(self) -> None:
        self.directory: Path | None = None
        self._stop = False
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, float] = {}
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeRemainingColumn(),
            console=stderr,
        )

    def __enter__(self) -> "ConsoleReport":
        self._previous: Any = signal.signal(signal.SIGINT, self._interrupt)
        if stderr.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._previous)
        self._bars.stop()

    def stop_requested(self) -> bool:
        return self._stop

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.Progress):
            if event.phase == "file":  # one file of many: the screens show these, here the sum is enough
                return
            self._bar(event) if stderr.is_terminal else self._line(event)
        elif isinstance(event, events.Epoch):
            stderr.print(describe_epoch(event))
        elif isinstance(event, events.Notice):
            stderr.print(f"[yellow]note:[/] {escape(event.message)}")

    def _bar(self, event: events.Progress) -> None:
        detail = escape(" ".join(part for part in (describe_rate(event), event.item) if part))
        if event.phase not in self._tasks:
            self._tasks[event.phase] = self._bars.add_task(event.phase, total=event.total or None, detail=detail)
        self._bars.update(self._tasks[event.phase], completed=event.done, total=event.total or None, detail=detail)

    def _line(self, event: events.Progress) -> None:
        now = time.monotonic()
        ended = event.total > 0 and event.done >= event.total
        if event.done == 0 or (not ended and now - self._said.get(event.phase, 0.0) < PLAIN_SECONDS):
            return
        self._said[event.phase] = now
        total = f"/{event.total}" if event.total else ""
        print(f"{event.phase}: {event.done}{total} {event.unit} {describe_rate(event)}".rstrip(), file=sys.stderr)

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        if self._stop:
            raise KeyboardInterrupt
        self._stop = True
        stderr.print("stopping at the next safe moment; Ctrl-C again ends it at once")


def describe_rate(event: events.Progress) -> str:
    """`12,300 records/s`, or nothing while it is not known."""
    if event.rate is None:
        return ""
    per_second = f"{event.rate:,.0f}" if event.rate >= 10 else f"{event.rate:.1f}"
    return f"{per_second} {event.unit}/s"


def describe_epoch(event: events.Epoch) -> str:
    """One line for an epoch, the best so far marked with a star."""
    brief = [metric for metric in METRICS if metric.brief]
    shown = "  ".join(f"{metric.name} {metric.text(event)}{' %' if metric.percent else ''}" for metric in brief)
    return f"epoch {event.epoch:3d}/{event.epochs}  {shown}{'  *' if event.best else ''}"
