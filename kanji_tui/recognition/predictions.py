"""The predictions of a model for every sample of a split, and the file that they are saved in.

`<model>_predictions_<split>.npz` is in the model's run directory, or beside a model that no run made:

    about        str, a JSON object {version, model_digest, dataset_digest, split}
    index        int64 (M,)       sample numbers, ascending
    jis          uint16 (M, 5)    predicted codes, most probable first; 0 if the model has fewer classes; of an
                                  output with look-alikes the label's, if it is one of them
    probability  float32 (M, 5)   their probabilities
    loss         float32 (M,)     -ln of the label's probability; NaN if the model lacks that class

It is written atomically, and is valid while model and dataset have these digests. Reading it needs numpy only.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.data.chunks import read_arrays
from kanji_tui.data.dataset import Dataset
from kanji_tui.data.splits import split_as_stored
from kanji_tui.errors import KanjiError
from kanji_tui.system.files import inside, parse_json, parsing, replacing

VERSION = 1
TOP = 5  # predictions per sample
COLUMNS = {"index": (np.int64,), "jis": (np.uint16, TOP), "probability": (np.float32, TOP), "loss": (np.float32,)}
SPLITS = {"train": "train", "val": "validation", "test": "test", "all": ""}  # name: field of data.splits.Split
SPLIT_NAMES = ("train", "val", "test")  # in the numbering of `split_of_samples`


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
    def label_probability(self) -> np.ndarray:
        """The probability of each sample's label, float32 (M,), NaN if the model lacks that class."""
        result: np.ndarray = np.exp(-self.loss)
        return result

    def subset(self, indices: np.ndarray, split: str) -> "Predictions | None":
        """The predictions of the samples `indices`, ascending, as those of `split`; None if one is missing."""
        rows = np.searchsorted(self.index, indices)
        if len(rows) and (rows[-1] >= len(self.index) or not np.array_equal(self.index[rows], indices)):
            return None
        columns = (self.jis[rows], self.probability[rows], self.loss[rows])
        return Predictions(self.model_digest, self.dataset_digest, split, indices, *columns)


def predictions_file(folder: Path, model_path: Path, split: str) -> Path:
    """The file for the predictions of a model on a split; `folder`: its run directory, or the model's folder."""
    return inside(folder, f"{model_path.stem}_predictions_{split}.npz")


def save_predictions(path: Path, predictions: Predictions) -> None:
    """Write the file atomically. Raises KanjiError if it cannot be written."""
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


def load_predictions(path: Path, model_digest: str, dataset_digest: str) -> Predictions | None:
    """The predictions in `path`; None if they are damaged or of another model or dataset."""
    try:
        with parsing(path, "predictions"):
            about, *columns = read_arrays(path, "about", *COLUMNS)
            facts = parse_json(str(about), path)
            samples = len(columns[0])
    except KanjiError:
        return None
    if [facts.get(name) for name in ("version", "model_digest", "dataset_digest")] != [
        VERSION,
        model_digest,
        dataset_digest,
    ]:
        return None
    for column, (kind, *width) in zip(columns, COLUMNS.values(), strict=True):
        if column.dtype != kind or column.shape != (samples, *width):
            return None
    return Predictions(model_digest, dataset_digest, str(facts.get("split")), *columns)


def split_of_samples(dataset: Dataset, stored: dict[str, Any]) -> np.ndarray | None:
    """The split of each sample by a card's `stored` split: 0 train, 1 validation, 2 test, -1 none; int8 (N,).

    None if the card has no split, or one of another dataset.
    """
    if not stored or stored.get("dataset_digest") != dataset.digest:
        return None
    try:
        split = split_as_stored(dataset, stored)
    except KanjiError:
        return None
    numbers = np.full(len(dataset), -1, np.int8)
    for number, members in enumerate((split.train, split.validation, split.test)):
        numbers[members] = number
    return numbers
