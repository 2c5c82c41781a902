"""What lies in the work folder, read from a few small files, and the step that comes next.

File names, sizes and small JSON are looked at; a dataset is opened when its metadata.json is another than before.
"""

from dataclasses import dataclass, field
from pathlib import Path

from kanji_tui.data.listing import Listing
from kanji_tui.errors import KanjiError
from kanji_tui.paths import DATA_DIR, ETL_DIR, METADATA, MODEL_INFO, MODELS_DIR, WEIGHTS
from kanji_tui.preflight.all_checks import PreparedDataset, read_files, read_prepared
from kanji_tui.runs.publish import published
from kanji_tui.system.files import read_json


@dataclass(frozen=True)
class ModelFacts:
    """The published model by its papers; `accuracy` is the validation's top-1 as a fraction."""

    run: str
    network: str
    accuracy: float | None
    pinned: bool
    written: float


@dataclass(frozen=True)
class WorkspaceSnapshot:
    """The work folder at one moment. `dataset` None: there is none; `dataset_written`: when, in nanoseconds since
    1970, to tell one dataset from the next; `onnx` paths newest first.
    """

    files: Listing = field(default_factory=Listing)
    dataset: PreparedDataset | None = None
    dataset_written: int = 0
    model: ModelFacts | None = None
    onnx: tuple[Path, ...] = ()


def read_workspace(etl_dir: Path = ETL_DIR, before: WorkspaceSnapshot | None = None) -> WorkspaceSnapshot:
    """Look at the current directory; what cannot be read says so in its `problem`.

    A sound dataset that was there `before`, and whose metadata.json is the same file still, is not opened again.
    """
    written = time_written(DATA_DIR / METADATA)
    known = before.dataset if before and written and before.dataset_written == written else None
    return WorkspaceSnapshot(
        files=read_files(etl_dir),
        dataset=known if known and not known.problem else read_prepared(DATA_DIR),
        dataset_written=written,
        model=_read_model(MODELS_DIR),
        onnx=_newest(MODELS_DIR),
    )


def next_step(place: WorkspaceSnapshot) -> str:
    """What a person does next, with the keys to press."""
    if place.dataset is not None and place.dataset.problem:
        return "the dataset cannot be used: press 2, then p prepares it again"
    if place.dataset is None and not place.files.items:
        return "no record files yet: press 2, then s makes a synthetic sample (or put ETL9G files into ETL9G/)"
    if place.dataset is None:
        return f"{place.files.summary}, no dataset yet: press 2, then p prepares them"
    if place.model is None:
        return "dataset ready, no model yet: press 3, then n trains one"
    if not place.onnx:
        return "model ready, not exported yet: press 3, then e exports it (5 shows what it sees)"
    return "all there: 3 trains, 4 inspects the exports, 5 shows what the model sees"


def _read_model(folder: Path) -> ModelFacts | None:
    weights = folder / WEIGHTS
    try:
        written = weights.stat().st_mtime
    except OSError:
        return None
    record = published(folder)
    try:
        info = read_json(folder / MODEL_INFO)
        accuracy: float | None = float(info["val_accuracy"]) / 100  # the original's fields are percent
    except (KanjiError, KeyError, TypeError, ValueError):
        info, accuracy = {}, None
    return ModelFacts(
        run=record.run if record else "",
        network=str(info.get("network", "")),
        accuracy=accuracy,
        pinned=bool(record and record.pinned),
        written=written,
    )


def _newest(folder: Path) -> tuple[Path, ...]:
    try:
        found = [*folder.glob("*.onnx"), *folder.glob("runs/*/*.onnx")]
        return tuple(sorted(found, key=lambda path: -path.stat().st_mtime))
    except OSError:
        return ()


def time_written(path: Path) -> int:
    """When the file was written, in nanoseconds since 1970; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
