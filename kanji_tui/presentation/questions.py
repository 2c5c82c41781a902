"""What is asked before something is ended or replaced: what there is now, and what comes in its place."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kanji_tui.presentation.runs import publish_change
from kanji_tui.presentation.status import progress_sentence
from kanji_tui.runs.publish import RunModel
from kanji_tui.system import numbers

if TYPE_CHECKING:
    from kanji_tui.data.listing import Listing
    from kanji_tui.preflight.all_checks import PreparedDataset
    from kanji_tui.workspace.run_views import RunView
    from kanji_tui.workspace.snapshot import PublishedModel

PUBLISHED_STAYS = (
    "It is the published run. The copy of its model in models/ stays and is used as before; its curves and "
    "settings are gone. Once another run is published, only publish --undo (U) brings this model back."
)
KEPT = {
    "train": "It stops at its next batch, with a checkpoint: u resumes it.",
    "prepare": "What is done so far is kept: p resumes it. The dataset before stays as it is.",
}


def stop_question(view: "RunView") -> str:
    """What a running job has done, and what is kept of it."""
    kept = KEPT.get(view.job, "It stops at its next step and gives no result.")
    return "\n\n".join(part for part in (f"{view.title}   {view.name}", progress_sentence(view), kept) if part)


def publish_question(view: "RunView", model: "PublishedModel | None") -> str:
    """The models in models/ before and after."""
    top1 = view.best.val_top1 if view.best else None
    after = RunModel(view.name, top1, view.state)
    if model is None:
        return f"{view.name}\n\n{publish_change(None, after)}"
    if model.run == view.name:
        return f"{view.name}\n\nIt is the published model. Pinned, it stays: no finished run replaces it."
    before = RunModel(model.run or "a model that no run here made", model.accuracy)
    kept = "It is kept: U publishes it again." if model.run else "It is renamed, not overwritten."
    return f"{view.name}\n\n{publish_change(before, after)}\n\nIt replaces {before.run}. {kept}"


def undo_question(previous: RunModel, model: "PublishedModel | None") -> str:
    """The model that is published again, and the one it replaces."""
    now = RunModel(model.run, model.accuracy) if model and model.run else None
    return f"{previous.run}\n\n{publish_change(now, previous)}\n\nIt was published before. U again takes this back."


def resume_question(view: "RunView", model: "PublishedModel | None") -> str:
    """Where the training goes on, and what its end replaces."""
    done = (
        f"after epoch {view.epochs[-1].epoch} of {view.epochs[-1].epochs}" if view.epochs else "from its beginning"
    )
    best = f" Its best validation top-1 is {numbers.percent(view.best.val_top1)}." if view.best else ""
    text = f"{view.title}   {view.name}\n\nA new run goes on {done}.{best} This run stays as it is."
    if model is None or not model.run or model.run == view.name:
        return text
    if model.pinned:
        return f"{text}\n\nThe published model is pinned and stays."
    return (
        f"{text}\n\nWhen it finishes, it is published instead of {model.run} ({numbers.percent(model.accuracy)}), "
        "which is kept: U publishes that again."
    )


def delete_question(view: "RunView", model: "PublishedModel | None") -> str:
    """What goes with a run, and what stays."""
    text = f"{view.name}\n\nIts model, checkpoint, events and log are deleted."
    if model is None or model.run != view.name:
        return text
    return f"{text}\n\n{PUBLISHED_STAYS}"


def busy_question(running: "Sequence[RunView]") -> str:
    """The trainings that another one would share the machine with; empty where none runs."""
    if not running:
        return ""
    lines = [f"{view.title}   {view.name}\n{progress_sentence(view)}".strip() for view in running]
    return "\n\n".join(
        ["This machine is training already:", *lines, "Two trainings share it, and both take longer."]
    )


def prepare_question(dataset: "PreparedDataset | None", trained: bool) -> str:
    """The dataset that preparing replaces; empty where there is none. `trained`: there are trainings."""
    if dataset is None or dataset.problem:
        return ""
    runs = " Trainings on it cannot be resumed on another." if trained else ""
    return (
        f"dataset/ has {numbers.count(dataset.samples)} samples of {numbers.count(dataset.classes)} classes. "
        f"The new dataset replaces it once it is complete.{runs}"
    )


def sample_question(files: "Listing") -> str:
    """The record files that a new sample replaces; empty where there are none."""
    return f"ETL9G/ has {files.summary}. A new sample replaces them." if files.items else ""


def export_question(path: Path) -> str:
    """The file that an export replaces."""
    return f"{path}\n\nThis file exists, from {numbers.moment(path.stat().st_mtime)}. The export replaces it."
