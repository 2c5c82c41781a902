"""What a resumed training had done before, from the history that it brought along."""

from dataclasses import asdict
from pathlib import Path

from kanji_tui.epoch_metrics import from_history
from kanji_tui.errors import KanjiError
from kanji_tui.events import Epoch
from kanji_tui.paths import HISTORY
from kanji_tui.system.files import parsing, read_json
from kanji_tui.system.plain_data import read_plain


def read_earlier(run: Path, epochs: int) -> tuple[Epoch, ...]:
    """The epochs in the run directory's training_progress.json; none while there is no file.

    They are shown as of `epochs` in all, those of the config, or of as many as there are where a small train split
    has more.
    """
    path = run / HISTORY
    try:
        history = read_json(path)
        with parsing(path, "a history"):
            found = from_history(history, max(epochs, len(history["epochs"])))
        return tuple(read_plain(Epoch, asdict(epoch), path) for epoch in found)
    except KanjiError:
        return ()
