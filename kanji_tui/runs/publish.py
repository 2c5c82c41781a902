"""Publishes the model of a run as the model in `models/`, and takes that back.

best_kanji_model.pth, best_model_info.json, training_progress.json    copies from the run
published.json    {run, pinned, weights_sha256}; pinned: the user chose it, and finished runs do not replace it
.previous/        the same four files, of the model that was published before
.next/            of the model that is being published, published.json last: with it that model is the published
                  one, and whoever publishes next finishes what was broken off before anything else
.previous.next/   of the model that it replaces
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from kanji_tui.allowed import NAME, TEXT, between
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Notice, Report
from kanji_tui.paths import HISTORY, MODEL_INFO, RUNS_DIR, WEIGHTS
from kanji_tui.runs.run_directory import RunDirectory
from kanji_tui.system.files import read_json, replacing, sha256, write_json, writing_failed
from kanji_tui.system.locks import locked
from kanji_tui.system.plain_data import read_as

RECORD = "published.json"
PREVIOUS = ".previous"
NEXT = ".next"
NEXT_PREVIOUS = ".previous.next"
ARTIFACTS = (WEIGHTS, HISTORY, MODEL_INFO)
PUBLISH_SECONDS = 60.0  # of another process, to wait for


@dataclass(frozen=True)
class RunModel:
    """The best model of a run: its validation `top1` as a fraction, None where its metadata lack it.

    `state` is that of its run, empty where the run was deleted.
    """

    run: str
    top1: float | None = None
    state: str = ""


@dataclass(frozen=True)
class Published:
    """The run whose model is in models/; `state` is always `published`, `digest` the SHA-256 of its weights.

    After a command `model` is that of the run, `before` the model that it replaced, None where there was none.
    """

    run: str
    pinned: bool
    state: str = "published"
    digest: str = ""
    model: RunModel | None = None
    before: RunModel | None = None


@dataclass(frozen=True)
class _Record:
    """published.json. The run's name is the name of its directory."""

    run: Annotated[str, NAME]
    pinned: bool
    weights_sha256: Annotated[str, TEXT] = ""


@dataclass(frozen=True)
class _Info:
    """What is read of best_model_info.json; `val_accuracy` in per cent."""

    val_accuracy: Annotated[float, between(0, 100)] | None = None


def published(models_dir: Path) -> Published | None:
    """The published run, or None."""
    record = _read_record(models_dir)
    return Published(record.run, record.pinned, digest=record.weights_sha256) if record else None


def previous(models_dir: Path) -> RunModel | None:
    """The model that `undo_publish` would publish again, or None."""
    folder = models_dir / PREVIOUS
    record = published(folder)
    if record is None or not (folder / WEIGHTS).is_file():
        return None
    return _model_in(folder, record.run, models_dir)


def publish(run: Path, models_dir: Path, pinned: bool = True) -> Published:
    """Copy the run's best model, its metadata and history into `models_dir`; KanjiError where the run has none.

    The model published before is kept for `undo_publish`; one that no run here made is renamed. On a full disk
    nothing changes. Broken off, it leaves the model before, or one without metadata, never one with another's, and
    the next publication finishes it.
    """
    if not (run / WEIGHTS).is_file() or not (run / MODEL_INFO).is_file():
        raise KanjiError(f"run {run.name} has no model yet", "wait for its first epoch to end: kanji-tui runs")
    with _alone(models_dir):
        before = _published_model(models_dir)
        record = _Record(run.name, pinned, sha256(run / WEIGHTS))
        keep = before is not None and before.run != run.name and not _same_weights(run, models_dir)
        _replace(run, record, models_dir, keep)
        return _as_published(record, models_dir, before)


def undo_publish(models_dir: Path) -> Published:
    """Publish the model again that was published before; the one it replaces is kept in turn.

    UsageError where no earlier model is kept.
    """
    with _alone(models_dir):
        kept = models_dir / PREVIOUS
        record = _read_record(kept)
        if record is None or not (kept / WEIGHTS).is_file():
            raise UsageError(
                "no earlier published model is kept in models/",
                "publish any run: kanji-tui publish RUN (kanji-tui runs)",
            )
        before = _published_model(models_dir)
        _replace(kept, record, models_dir, keep=before is not None)
        return _as_published(record, models_dir, before)


def _as_published(record: _Record, models_dir: Path, before: RunModel | None) -> Published:
    model = _published_model(models_dir)
    return Published(record.run, record.pinned, digest=record.weights_sha256, model=model, before=before)


@contextmanager
def _alone(models_dir: Path) -> Iterator[None]:
    """Hold the lock of `models_dir`; KanjiError where another process keeps it or a file cannot be written."""
    try:
        with locked(models_dir, PUBLISH_SECONDS) as mine:
            if not mine:
                raise KanjiError(f"another process is publishing in {models_dir}", "try again in a moment")
            _finish(models_dir)
            yield
    except OSError as error:
        raise writing_failed(models_dir, error) from error


def _same_weights(run: Path, models_dir: Path) -> bool:
    weights = models_dir / WEIGHTS
    return weights.is_file() and sha256(weights) == sha256(run / WEIGHTS)


def publish_finished(run: Path, models_dir: Path, report: Report) -> None:
    """Publish a run that has just finished, unless the user pinned another."""
    now = published(models_dir)
    if now is not None and now.pinned and now.run != run.name:
        report(Notice(f"not published: {now.run} is pinned; to publish this run: kanji-tui publish {run.name}"))
        return
    publish(run, models_dir, pinned=False)


def set_aside_foreign_model(models_dir: Path) -> None:
    """Rename a model in `models_dir` that no run here made, and its metadata, so that it is not overwritten."""
    if not (models_dir / WEIGHTS).is_file() or not _is_foreign(models_dir):
        return
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    for name in reversed(ARTIFACTS):  # the weights last: while they are there they are set aside again
        path = models_dir / name
        if path.is_file():
            path.rename(path.with_name(f"{path.stem}_before_{stamp}{path.suffix}"))


def _is_foreign(models_dir: Path) -> bool:
    """Whether the weights in `models_dir` are not those of the record there, or are missing."""
    weights = models_dir / WEIGHTS
    try:
        return read_json(models_dir / RECORD).get("weights_sha256") != sha256(weights)
    except (KanjiError, FileNotFoundError):
        return True


def _published_model(models_dir: Path) -> RunModel | None:
    """The model in models/ that a run made, or None."""
    record = None if _is_foreign(models_dir) else published(models_dir)
    return _model_in(models_dir, record.run, models_dir) if record else None


def _replace(source: Path, record: _Record, models_dir: Path, keep: bool) -> None:
    """Put the model in `source` into `models_dir`; with `keep` the one that is there becomes the previous.

    Everything is written before the first change.
    """
    try:
        if keep:
            _copy_published(models_dir, models_dir / NEXT_PREVIOUS)
        _copy_model(source, models_dir / NEXT)
        write_json(models_dir / NEXT / RECORD, asdict(record))
    except (KanjiError, OSError):
        _finish(models_dir)
        raise
    _finish(models_dir)


def _copy_published(models_dir: Path, folder: Path) -> None:
    _copy_model(models_dir, folder)
    with replacing(folder / RECORD) as beside:
        shutil.copyfile(models_dir / RECORD, beside)


def _finish(models_dir: Path) -> None:
    """Move a model that waits whole in NEXT into its place; what else a broken off publication left is removed.

    For a moment there are other weights, and beside them there must not be the metadata of the model before.
    """
    new, old = models_dir / NEXT, models_dir / NEXT_PREVIOUS
    if _read_record(new):
        if (new / WEIGHTS).is_file():
            if not _same_weights(new, models_dir):
                set_aside_foreign_model(models_dir)
            for name in (MODEL_INFO, HISTORY):
                (models_dir / name).unlink(missing_ok=True)
        for name in ARTIFACTS:
            if (new / name).is_file():
                os.replace(new / name, models_dir / name)
        if old.is_dir():
            shutil.rmtree(models_dir / PREVIOUS, ignore_errors=True)
            old.rename(models_dir / PREVIOUS)
        os.replace(new / RECORD, models_dir / RECORD)
    for folder in (new, old):
        if folder.is_dir():
            shutil.rmtree(folder)


def _read_record(folder: Path) -> _Record | None:
    try:
        return read_as(_Record, folder / RECORD)
    except KanjiError:
        return None


def _copy_model(source: Path, target: Path) -> None:
    """Copy a model with its metadata and history into an empty folder."""
    for name in ARTIFACTS:
        if (source / name).is_file():
            with replacing(target / name) as beside:
                shutil.copyfile(source / name, beside)


def _model_in(folder: Path, run: str, models_dir: Path) -> RunModel:
    """The model whose metadata lie in `folder`."""
    try:
        percent = read_as(_Info, folder / MODEL_INFO).val_accuracy
    except KanjiError:
        percent = None
    directory = RunDirectory(models_dir / RUNS_DIR.name / run)
    state = directory.state() if directory.path.is_dir() else ""
    return RunModel(run, None if percent is None else percent / 100, state)
