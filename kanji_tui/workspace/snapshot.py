"""What the workspace holds, and the user's next step.

Reads file names, sizes and small JSON files; opens the dataset only when its metadata.json has changed.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from kanji_tui.allowed import between
from kanji_tui.data.listing import Listing
from kanji_tui.data.moving import is_marked
from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import Lineage
from kanji_tui.paths import DATA_DIR, ETL_DIR, METADATA, MODEL_INFO, MODELS_DIR, WEIGHTS
from kanji_tui.preflight.all_checks import PreparedDataset, read_files, read_prepared
from kanji_tui.runs.publish import RunModel, previous, published
from kanji_tui.system.plain_data import read_as


@dataclass(frozen=True)
class PublishedModel:
    """The published model by its metadata; `accuracy` is its validation top-1 as a fraction.

    `digest`: the SHA-256 of its weights, empty where no run here made it; `lineage`: what it was made from.
    """

    run: str
    network: str
    accuracy: float | None
    pinned: bool
    written: float
    digest: str = ""
    lineage: Lineage = field(default_factory=Lineage)


@dataclass(frozen=True)
class _ModelInfo:
    """What is shown of best_model_info.json; `val_accuracy` in per cent."""

    network: str = ""
    lineage: Lineage = field(default_factory=Lineage)
    val_accuracy: Annotated[float, between(0, 100)] | None = None


@dataclass(frozen=True)
class WorkspaceSnapshot:
    """The workspace at one moment. `dataset` None: there is none; `dataset_written`: its time in nanoseconds since
    1970, which distinguishes one dataset from the next; `changed`: the record files that are no longer those
    it was prepared from; `previous`: the model that was published before; `onnx`:
    paths, newest first.
    """

    files: Listing = field(default_factory=Listing)
    dataset: PreparedDataset | None = None
    dataset_written: int = 0
    changed: tuple[str, ...] = ()
    model: PublishedModel | None = None
    previous: RunModel | None = None
    onnx: tuple[Path, ...] = ()


def read_workspace(etl_dir: Path = ETL_DIR, before: WorkspaceSnapshot | None = None) -> WorkspaceSnapshot:
    """Read the current directory; what cannot be read has a `problem`.

    A valid dataset of the snapshot `before` is not opened again while its metadata.json is unchanged.
    """
    written = time_written(DATA_DIR / METADATA)
    known = before.dataset if before and written and before.dataset_written == written else None
    if is_marked(DATA_DIR):  # another one is to be moved there
        known = None
    files = read_files(etl_dir)
    dataset = known if known and not known.problem else read_prepared(DATA_DIR)
    return WorkspaceSnapshot(
        files=files,
        dataset=dataset,
        changed=dataset.changed(DATA_DIR, etl_dir, files) if dataset else (),
        dataset_written=written,
        model=_read_model(MODELS_DIR),
        previous=previous(MODELS_DIR),
        onnx=_newest(MODELS_DIR),
    )


def next_step(workspace: WorkspaceSnapshot) -> str:
    """What the user does next, with the keys to press."""
    if workspace.dataset is not None and workspace.dataset.problem:
        return "the dataset cannot be used: press 2, then p to prepare it again"
    if workspace.dataset is None and not workspace.files.items:
        return "no record files yet: press 2, then n for a synthetic sample"
    if workspace.dataset is None:
        return f"{workspace.files.summary}, no dataset yet: press 2, then p to prepare it"
    if workspace.changed:
        return f"{workspace.changed[0]} changed since it was prepared: press 2, then p to prepare again"
    if workspace.model is None:
        return "dataset ready, no model yet: press 3, then n to train one"
    if not workspace.onnx:
        return "model ready, not exported yet: press 3, then e to export it"
    return "all done: 3 trains again, 4 inspects exports, 5 shows predictions"


def _read_model(folder: Path) -> PublishedModel | None:
    weights = folder / WEIGHTS
    try:
        written = weights.stat().st_mtime
    except OSError:
        return None
    record = published(folder)
    try:
        info = read_as(_ModelInfo, folder / MODEL_INFO)
    except KanjiError:
        info = _ModelInfo()
    return PublishedModel(
        run=record.run if record else "",
        network=info.network,
        accuracy=None if info.val_accuracy is None else info.val_accuracy / 100,
        pinned=bool(record and record.pinned),
        written=written,
        digest=record.digest if record else "",
        lineage=info.lineage,
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
