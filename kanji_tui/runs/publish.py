"""Publishes the model of a run as the model in `models/`.

best_kanji_model.pth, best_model_info.json, training_progress.json    copies from the run
published.json    {run, pinned, weights_sha256}; pinned: the user chose it, and finished runs do not replace it
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from kanji_tui.allowed import NAME
from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice, Report
from kanji_tui.paths import HISTORY, MODEL_INFO, WEIGHTS
from kanji_tui.system.files import read_json, replacing, sha256, write_json, writing_failed
from kanji_tui.system.locks import locked
from kanji_tui.system.plain_data import read_as

RECORD = "published.json"
PUBLISH_SECONDS = 60.0  # of another process, to wait for


@dataclass(frozen=True)
class Published:
    """The run whose model is in models/; `state` is always `published`."""

    run: str
    pinned: bool
    state: str = "published"


@dataclass(frozen=True)
class _Record:
    """published.json. The run's name is the name of its directory."""

    run: Annotated[str, NAME]
    pinned: bool


def published(models_dir: Path) -> Published | None:
    """The published run, or None."""
    try:
        record = read_as(_Record, models_dir / RECORD)
    except KanjiError:
        return None
    return Published(record.run, record.pinned)


def publish(run: Path, models_dir: Path, pinned: bool = True) -> Published:
    """Copy the run's best model, its metadata and history into `models_dir`; KanjiError where the run has none.

    Broken off, it leaves the model before, or one without metadata, never one with another's; again, it goes on.
    """
    if not (run / WEIGHTS).is_file() or not (run / MODEL_INFO).is_file():
        raise KanjiError(f"run {run.name} has no model yet", "wait for its first epoch to end: kanji-tui runs")
    try:
        with locked(models_dir, PUBLISH_SECONDS) as mine:
            if not mine:
                raise KanjiError(f"another process is publishing in {models_dir}", "try again in a moment")
            return _publish(run, models_dir, pinned)
    except OSError as error:
        raise writing_failed(models_dir, error) from error


def _publish(run: Path, models_dir: Path, pinned: bool) -> Published:
    if not _same_weights(run, models_dir):
        set_aside_foreign_model(models_dir)
        _remove_metadata(models_dir)
    for name in (WEIGHTS, HISTORY, MODEL_INFO):
        if (run / name).is_file():
            with replacing(models_dir / name) as beside:
                shutil.copyfile(run / name, beside)
    digest = sha256(models_dir / WEIGHTS)
    write_json(models_dir / RECORD, {"run": run.name, "pinned": pinned, "weights_sha256": digest})
    return Published(run.name, pinned)


def _same_weights(run: Path, models_dir: Path) -> bool:
    weights = models_dir / WEIGHTS
    return weights.is_file() and sha256(weights) == sha256(run / WEIGHTS)


def _remove_metadata(models_dir: Path) -> None:
    """Of the model before: for a moment there are other weights, and beside them there must not be its metadata."""
    for name in (MODEL_INFO, HISTORY):
        try:
            (models_dir / name).unlink(missing_ok=True)
        except OSError as error:
            raise writing_failed(models_dir / name, error) from error


def publish_finished(run: Path, models_dir: Path, report: Report) -> None:
    """Publish a run that has just finished, unless the user pinned another."""
    now = published(models_dir)
    if now is not None and now.pinned and now.run != run.name:
        report(Notice(f"not published: {now.run} is pinned; to publish this run: kanji-tui publish {run.name}"))
        return
    publish(run, models_dir, pinned=False)


def set_aside_foreign_model(models_dir: Path) -> None:
    """Rename a model in `models_dir` that no run here made, and its metadata, so that it is not overwritten."""
    weights = models_dir / WEIGHTS
    if not weights.is_file():
        return
    try:
        if read_json(models_dir / RECORD).get("weights_sha256") == sha256(weights):
            return
    except KanjiError:
        pass
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    for name in (HISTORY, MODEL_INFO, WEIGHTS):  # the weights last: while they are there they are set aside again
        path = models_dir / name
        if path.is_file():
            path.rename(path.with_name(f"{path.stem}_before_{stamp}{path.suffix}"))
