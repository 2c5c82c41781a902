"""What a resumed training had done before, from the history that it brought along."""

from pathlib import Path
from typing import Any

from kanji_tui.errors import KanjiError
from kanji_tui.events import Epoch
from kanji_tui.paths import HISTORY
from kanji_tui.system.files import read_json

PERCENT = {
    "train_top1": "train_acc",
    "train_clean_top1": "train_clean_acc",
    "val_top1": "val_acc",
    "val_top3": "val_top3",
    "val_top5": "val_top5",
}
AS_THEY_ARE = ("train_loss", "val_loss", "learning_rate", "seconds", "samples_per_second")


def read_earlier(run: Path, epochs: int) -> tuple[Epoch, ...]:
    """The epochs in the run directory's training_progress.json, of `epochs` in all; none while there is no file.

    The best so far is the one with the highest validation top-1.
    """
    try:
        history = read_json(run / HISTORY)
        found: list[Epoch] = []
        for place, number in enumerate(history["epochs"]):
            values: dict[str, Any] = {name: history[name][place] for name in AS_THEY_ARE}
            values |= {name: history[kept][place] / 100 for name, kept in PERCENT.items()}
            best = all(values["val_top1"] > before.val_top1 for before in found)
            found.append(Epoch(epoch=number, epochs=epochs, best=best, **values))
        return tuple(found)
    except (KanjiError, LookupError, TypeError):
        return ()
