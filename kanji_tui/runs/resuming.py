"""Where a training goes on that is resumed."""

from pathlib import Path

from kanji_tui.paths import CHECKPOINT, WEIGHTS
from kanji_tui.runs.run_directory import RunDirectory


def run_with_checkpoint(run: Path) -> Path | None:
    """The run whose checkpoint a training resumes that is to resume `run`; None where it begins anew.

    It is `run` itself, or where that ended before its first checkpoint the run which that one was to resume. None
    where no run of these got so far: nothing was learned yet. KanjiError where a run's config cannot be read.
    """
    seen: set[Path] = set()
    while not (run / CHECKPOINT).is_file():
        if (
            run / WEIGHTS
        ).is_file() or run in seen:  # it had a checkpoint: to begin anew would hide that it is gone
            return run
        seen.add(run)
        earlier = RunDirectory(run).config().spec.get("resume")
        if not isinstance(earlier, str):
            return None
        run = Path(earlier)
    return run
