"""What a training learns from: the samples of a dataset, or synthetic writers who are new in every epoch."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kanji_tui.characters.character_sets import codes_of
from kanji_tui.characters.lookalikes import outputs_of
from kanji_tui.data.advice import dataset_advice
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.defaults import IMAGE_SIZE, SAMPLE_SETS, SYNTHETIC_SOURCE
from kanji_tui.data.moving import has_dataset
from kanji_tui.data.splits import split_dataset
from kanji_tui.data.strokes.stroke_writing import GENERATOR, StrokeWriting, stroke_writing
from kanji_tui.data.strokes.synthetic_samples import SyntheticSamples, repeat_members
from kanji_tui.errors import KanjiError
from kanji_tui.events import Report
from kanji_tui.networks.card import KANJIVG_LICENSE
from kanji_tui.training.config import TrainConfig

SYNTHETIC_SPLIT = "synthetic"
VALIDATION_SAMPLES = 6000  # at least, by whole writers
LEAST_VALIDATION_WRITERS = 4
# Added to the seed: no writer of a training is one of the samples that `sample` makes, nor one that validates.
LEARNED_FROM, VALIDATED_ON = 1 << 40, 1 << 41


class Images(Protocol):
    """Samples by number: `labels` int (N,) are class indices; `images` gives uint8 (n, S, S), ink high."""

    @property
    def size(self) -> int: ...

    @property
    def labels(self) -> np.ndarray: ...

    def images(self, indices: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Part:
    """Some samples, by number. `drawn`: each is drawn when it is asked for, and asked for once."""

    samples: Images
    indices: np.ndarray
    drawn: bool = False

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def labels(self) -> np.ndarray:
        """The class index of each sample, int64 (N,)."""
        return np.asarray(self.samples.labels[self.indices], np.int64)

    def images(self, positions: np.ndarray) -> np.ndarray:
        """The images at these positions of the part, uint8 (n, S, S), ink high."""
        return self.samples.images(self.indices[positions])


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The samples of a training.

    `classes`: JIS codes in the order of the outputs; `lookalikes`, `license`: see ModelCard. `digest` identifies
    the content; `name`, `source` and `split` are for the model's card. `train`: what is learned from in an epoch,
    always as many samples; `note`: warnings, or empty. `records`: the digest of the record files, or empty.
    """

    classes: tuple[int, ...]
    size: int
    digest: str
    name: str
    source: str
    split: dict[str, Any]
    train: Callable[[int], Part]
    validation: Part
    test: Part | None
    note: str = ""
    lookalikes: tuple[tuple[int, ...], ...] = ()
    license: str = ""
    records: str = ""


def find_data(data_dir: Path, config: TrainConfig, report: Report) -> TrainingData:
    """The data that the config asks for: the dataset in `data_dir`, or synthetic writers.

    Raises KanjiError for a dataset that cannot be used or is too small, and where KanjiVG is missing.
    """
    return _synthetic(config, report) if config.synthetic else _dataset(data_dir, config)


def _dataset(data_dir: Path, config: TrainConfig) -> TrainingData:
    if not has_dataset(data_dir):
        writers = f"or learn from synthetic writers instead: --synthetic {SAMPLE_SETS}"
        raise KanjiError(f"no dataset in {data_dir}", f"{dataset_advice(data_dir)}; {writers}")
    dataset = open_dataset(data_dir)
    split = split_dataset(dataset, config.split, config.split_shares, config.seed, config.sample_limit, config.fold)
    if min(len(split.train), len(split.validation)) < 2:
        raise KanjiError(
            f"the dataset in {data_dir} leaves {len(split.train)} samples to train and {len(split.validation)} to "
            "validate; 2 of each are needed",
            "prepare more records, or give other shares: --split-shares 70/15/15",
        )
    train = Part(dataset, split.train)
    return TrainingData(
        classes=dataset.classes,
        size=dataset.size,
        digest=dataset.digest,
        name=dataset.name,
        source=dataset.source,
        split={
            "kind": split.kind,
            "seed": config.seed,
            "shares": list(config.split_shares),
            "fold": config.fold,
            "dataset_digest": dataset.digest,
            "sample_limit": config.sample_limit,
        },
        train=lambda epoch: train,
        validation=Part(dataset, split.validation),
        test=Part(dataset, split.test) if len(split.test) else None,
        note=split.note,
        records=dataset.inputs.digest,
    )


def _synthetic(config: TrainConfig, report: Report) -> TrainingData:
    """`config.synthetic` writers an epoch; the validation's are others, and always the same."""
    writers = config.synthetic
    assert writers is not None
    learned_from = stroke_writing(codes_of(config.characters), LEARNED_FROM + config.seed, report)
    validated_on = StrokeWriting(learned_from.codes, learned_from.shapes, VALIDATED_ON + config.seed)
    number = {code: index for index, code in enumerate(learned_from.codes)}
    outputs = outputs_of(learned_from.codes)
    members = repeat_members([[number[code] for code in group] for group in outputs.values()])

    def part(writing: StrokeWriting, first: int, count: int, drawn: bool) -> Part:
        samples = SyntheticSamples(writing, members, first, count)
        return Part(samples, np.arange(count * len(members)), drawn)

    split = {"kind": SYNTHETIC_SPLIT, "seed": config.seed, "writers": writers, "characters": config.characters}
    identity = json.dumps([GENERATOR, learned_from.name, IMAGE_SIZE, split])
    validation_writers = max(LEAST_VALIDATION_WRITERS, -(-VALIDATION_SAMPLES // len(members)))
    return TrainingData(
        classes=tuple(outputs),
        size=IMAGE_SIZE,
        digest=hashlib.sha256(identity.encode()).hexdigest(),
        name=f"synthetic-{config.characters}",
        source=SYNTHETIC_SOURCE,
        split=split,
        train=lambda epoch: part(learned_from, epoch * writers, writers, drawn=True),
        validation=part(validated_on, 0, validation_writers, drawn=False),
        test=None,
        lookalikes=tuple(group for group in outputs.values() if len(group) > 1),
        license=KANJIVG_LICENSE,
    )
