"""The text of a run: its notices, its log, and why it failed."""

from kanji_tui.runs.run_directory import RunDirectory
from kanji_tui.workspace.run_views import RunView

KEPT_BYTES = 200_000


def read_log(view: RunView) -> tuple[str, ...]:
    """The lines, oldest first; of a long log.txt the last 200 kB."""
    try:
        with open(RunDirectory(view.path).log, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - KEPT_BYTES))
            if size > KEPT_BYTES:
                file.readline()  # incomplete
            text = file.read().decode("utf-8", "replace")
    except OSError:
        text = ""
    damaged = [f"damaged: {view.problem}"] if view.problem else []
    lines = damaged + [f"note: {notice}" for notice in view.notices] + text.splitlines()
    if view.failure:
        lines += [f"failed: {view.failure.message}", f"try: {view.failure.remedy.removeprefix('try ')}"]
    return tuple(lines)
