"""What a resumed training had done before, from the history that it brought along."""

from pathlib import Path

from kanji_tui.epoch_metrics import from_history
from kanji_tui.errors import KanjiError
from kanji_tui.events import Epoch
from kanji_tui.paths import HISTORY
from kanji_tui.system.files import read_json


def read_earlier(run: Path, epochs: int) -> tuple[Epoch, ...]:
    """The epochs in the run directory's training_progress.json; none while there is no file.

    They are shown as of `epochs` in all, those of the config, or of as many as there are where a small train split
    has more.
    """
    try:
        history = read_json(run / HISTORY)
        return from_history(history, max(epochs, len(history["epochs"])))
    except (KanjiError, LookupError, TypeError):
        return ()
