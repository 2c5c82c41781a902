"""What a run has said in words: its notices, the end of its log, and why it failed."""

from kanji_tui.jobs.run_directory import RunDirectory
from kanji_tui.tui.runs import RunView

TAIL_BYTES = 16_000


def read_log(view: RunView) -> tuple[str, ...]:
    """The lines, oldest first; reads the last few kilobytes of log.txt."""
    try:
        with open(RunDirectory(view.path).log, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        text = ""
    lines = [f"note: {notice}" for notice in view.notices] + text.splitlines()
    if view.failure:
        lines += [f"failed: {view.failure.message}", f"try: {view.failure.remedy}"]
    return tuple(lines)
