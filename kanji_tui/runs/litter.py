"""Removes what was being written or deleted when a process of this host died."""

import shutil
from pathlib import Path

from kanji_tui.paths import RUNS_DIR
from kanji_tui.system.files import remove_unfinished

DELETED = ".deleted-"  # begins the name of a run directory that is being removed


def remove_litter(runs: Path = RUNS_DIR) -> None:
    """Remove unfinished files in the models folder and in every run, but for those of processes that live; and what
    is left of deleted runs.
    """
    try:
        folders = [runs.parent, runs, *runs.iterdir()]
    except OSError:
        return
    for folder in folders:
        if folder.name.startswith(DELETED):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            remove_unfinished(folder)
