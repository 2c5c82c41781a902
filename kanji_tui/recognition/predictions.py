"""What a model says of each sample of a dataset, and the file in which that is kept.

`<model>_predictions_<split>.npz` lies in the model's run directory, or beside a model that no run made:

    about        str, a JSON object {version, model_digest, dataset_digest, split}
    index        int64 (M,)       sample numbers, ascending
    jis          uint16 (M, 5)    predicted codes, most probable first; 0 where the model has fewer classes
    probability  float32 (M, 5)   their probabilities
    loss         float32 (M,)     -ln of the probability of the sample's own label; NaN where the model lacks it

It is written whole or not at all, and holds for as long as model and dataset have these digests. Reading it takes
numpy alone.
"""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.data.dataset import Dataset
from kanji_tui.data.splits import split_as_stored
from kanji_tui.errors import KanjiError
from kanji_tui.system.files import replacing

VERSION = 1
KEPT = 5  # predictions a sample
SPLITS = {"train": "train", "val": "validation", "test": "test", "all": ""}  # our word: the field of a Split
PARTS = ("train", "val", "test")  # in the order of `parts_of`


@dataclass(frozen=True, eq=False)
class Predictions:
    """`index` (M,), `jis` (M, 5), `probability` (M, 5) and `loss` (M,) as in the file."""

    model_digest: str
    dataset_digest: str
    split: str
    index: np.ndarray
    jis: np.ndarray
    probability: np.ndarray
    loss: np.ndarray

    def __len__(self) -> int:
        return len(self.index)

    @property
    def own(self) -> np.ndarray:
        """The probability of each sample's own label, float32 (M,), NaN where the model lacks it."""
        result: np.ndarray = np.exp(-self.loss)
        return result

    def of(self, indices: np.ndarray, split: str) -> "Predictions | None":
        """Those of the samples `indices`, ascending, under the name `split`; None where one is not among them."""
        places = np.searchsorted(self.index, indices)
        if len(places) and (places[-1] >= len(self.index) or not np.array_equal(self.index[places], indices)):
            return None
        columns = (self.jis[places], self.probability[places], self.loss[places])
        return Predictions(self.model_digest, self.dataset_digest, split, indices, *columns)


def kept_path(folder: Path, model_path: Path, split: str) -> Path:
    """Where the predictions of a model on a split are kept, its run directory (or own folder) being `folder`."""
    return folder / f"{model_path.stem}_predictions_{split}.npz"


def keep(path: Path, predictions: Predictions) -> None:
    """Write the file, whole or not at all; KanjiError where it cannot be written."""
    about = {
        "version": VERSION,
        "model_digest": predictions.model_digest,
        "dataset_digest": predictions.dataset_digest,
        "split": predictions.split,
    }
    with replacing(path) as beside, open(beside, "wb") as file:
        np.savez(
            file,
            about=np.array(json.dumps(about)),
            index=predictions.index,
            jis=predictions.jis,
            probability=predictions.probability,
            loss=predictions.loss,
        )


def read_kept(path: Path, model_digest: str, dataset_digest: str) -> Predictions | None:
    """The predictions in `path` if they are whole and of this model on this dataset, else None."""
    try:
        with np.load(path, allow_pickle=False) as file:
            about: dict[str, Any] = json.loads(str(file["about"]))
            if (about["version"], about["model_digest"], about["dataset_digest"]) != (
                VERSION,
                model_digest,
                dataset_digest,
            ):
                return None
            index, jis, probability, loss = (file[name] for name in ("index", "jis", "probability", "loss"))
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
        return None
    samples = len(index)
    if not (jis.shape == probability.shape == (samples, KEPT) and loss.shape == (samples,)):
        return None
    return Predictions(model_digest, dataset_digest, str(about["split"]), index, jis, probability, loss)


def parts_of(dataset: Dataset, stored: dict[str, Any]) -> np.ndarray | None:
    """The part (0 train, 1 validation, 2 test, -1 none) of each sample by a card's split, int8 (N,).

    None where the split is of another dataset, or is none at all.
    """
    if not stored or stored.get("dataset_digest") != dataset.digest:
        return None
    try:
        split = split_as_stored(dataset, stored)
    except (KanjiError, KeyError, TypeError, ValueError):
        return None
    part = np.full(len(dataset), -1, np.int8)
    for number, members in enumerate((split.train, split.validation, split.test)):
        part[members] = number
    return part
