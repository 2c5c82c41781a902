"""Removes what was being written when a process of this host died."""

from pathlib import Path

from kanji_tui.paths import RUNS_DIR
from kanji_tui.system.files import remove_unfinished


def remove_litter(runs: Path = RUNS_DIR) -> None:
    """Remove unfinished files in the models folder and in every run, but for those of processes that live."""
    try:
        folders = [runs.parent, runs, *runs.iterdir()]
    except OSError:
        return
    for folder in folders:
        remove_unfinished(folder)
