"""The text of a run: its notices, its log, and why it failed."""

from dataclasses import replace

from kanji_tui.runs.run_directory import RunDirectory
from kanji_tui.workspace.log_times import LogLine, timed_lines
from kanji_tui.workspace.run_views import RunView

KEPT_BYTES = 200_000


def read_log(view: RunView, most: int | None = None) -> tuple[LogLine, ...]:
    """The lines, oldest first: of a long log.txt the last 200 kB, and the last `most`; a line says what is missing.

    Where nobody recorded when log.txt was written no line has a time, and the notices are first.
    """
    lines = _lines(view)
    return lines if most is None or len(lines) <= most else (_before(view), *lines[-most:])


def _before(view: RunView) -> LogLine:
    """Stands in the place of earlier lines."""
    return LogLine(f"... the lines before are in {RunDirectory(view.path).log}")


def _lines(view: RunView) -> tuple[LogLine, ...]:
    printed = _printed(view)
    damaged = [LogLine(f"damaged: {view.problem}")] if view.problem else []
    noted = [replace(notice, text=f"note: {notice.text}") for notice in view.notices]
    failed = []
    if view.failure:
        failed = [f"failed: {view.failure.message}", f"try: {view.failure.remedy.removeprefix('try ')}"]
    ended = [LogLine(text, view.last_event_at) for text in failed]
    if printed and not view.log_marks:
        return tuple(LogLine(line.text) for line in (*damaged, *noted, *printed, *ended))
    return (*damaged, *_in_order(noted, printed), *ended)


def _printed(view: RunView) -> list[LogLine]:
    """The lines of log.txt."""
    try:
        with open(RunDirectory(view.path).log, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - KEPT_BYTES))
            if size <= KEPT_BYTES:
                return timed_lines(file.read(), 0, view.log_marks)
            begun = file.readline()  # incomplete, but all there is where a line is longer, as progress bars are
            text = file.read() or begun[begun.find(b"\r") + 1 :]
            return [_before(view), *timed_lines(text, size - len(text), view.log_marks)]
    except OSError:
        return []


def _in_order(noted: list[LogLine], printed: list[LogLine]) -> list[LogLine]:
    """Both by time; a printed line without one stays behind the line before it."""
    waiting, found = list(noted), []
    for line in printed:
        while waiting and waiting[0].moment < line.moment:
            found.append(waiting.pop(0))
        found.append(line)
    return found + waiting
