"""What is measured of each epoch: one line a metric, read by files, trackers, tables and curves.

A new metric is one line here and one field of the event Epoch with the default None. A field named `val_...` is
filled from the validation's metrics; any other the training must measure.
"""

from dataclasses import dataclass
from typing import Any, Literal

from kanji_tui.events import Epoch
from kanji_tui.system import numbers

Unit = Literal["", "percent", "rate", "seconds", "per second", "count"]


@dataclass(frozen=True)
class EpochMetric:
    """`field` is that of Epoch; a percentage is a fraction there.

    `history`: its list in training_progress.json, percentages in per cent. `tag`: its name in trackers. `chart` and
    `side`: the curves it is drawn with, and which of them it is. `column` and `width`: of the table of epochs.
    `usual`: among the curves shown at first. `brief`: in the line of an epoch.
    """

    field: str
    history: str
    tag: str
    chart: str
    side: str
    column: str
    width: int
    unit: Unit = ""
    usual: bool = False
    brief: bool = False

    @property
    def name(self) -> str:
        return f"{self.side} {self.chart}".strip()

    @property
    def percent(self) -> bool:
        return self.unit == "percent"

    def of(self, epoch: Epoch) -> float | None:
        """Its value in an epoch; None in epochs of versions that did not measure it."""
        value: float | None = getattr(epoch, self.field)
        return value

    def text(self, epoch: Epoch) -> str:
        """The value as tables show it, percentages without their sign; `-` for none."""
        value = self.of(epoch)
        if value is None:
            return "-"
        match self.unit:
            case "percent":
                return f"{100 * value:.2f}"[:5].rstrip(".")
            case "rate":
                return f"{value:.1e}"
            case "seconds":
                return numbers.duration(value) if value >= 10 else f"{value:.1f} s"
            case "per second" | "count":
                return numbers.count(value)
        return f"{value:.3f}"


METRICS = (
    EpochMetric("train_loss", "train_loss", "loss/train", "loss", "train", "loss", 5, usual=True, brief=True),
    EpochMetric(
        "train_top1", "train_acc", "top1/train", "top-1", "train", "acc", 5, "percent", usual=True, brief=True
    ),
    EpochMetric("val_loss", "val_loss", "loss/validation", "loss", "val", "val loss", 8, usual=True, brief=True),
    EpochMetric(
        "val_top1", "val_acc", "top1/validation", "top-1", "val", "val acc", 7, "percent", usual=True, brief=True
    ),
    EpochMetric("learning_rate", "learning_rate", "learning rate", "learning rate", "", "lr", 7, "rate"),
    EpochMetric("seconds", "seconds", "seconds", "seconds", "", "time", 5, "seconds"),
    EpochMetric("val_top3", "val_top3", "top3/validation", "top-3", "val", "top-3", 6, "percent"),
    EpochMetric("val_top5", "val_top5", "top5/validation", "top-5", "val", "top-5", 6, "percent", brief=True),
    EpochMetric("train_clean_top1", "train_clean_acc", "top1/train clean", "top-1", "clean", "clean", 6, "percent"),
    EpochMetric(
        "samples_per_second",
        "samples_per_second",
        "samples per second",
        "samples/s",
        "",
        "samples/s",
        10,
        "per second",
        brief=True,
    ),
    EpochMetric("threads", "threads", "threads", "threads", "", "threads", 7, "count"),
)  # in the order of the table's columns, which omit what does not fit from the right


def to_epoch(entry: dict[str, Any], epochs: int, best: bool) -> Epoch:
    """The event of an entry of a training's history, whose `validation` holds the fields named `val_...`."""
    values = {**entry, **{f"val_{name}": value for name, value in entry["validation"].items()}}
    measured: dict[str, Any] = {metric.field: values.get(metric.field) for metric in METRICS}
    samples = values.get("val_samples")
    return Epoch(epoch=entry["epoch"], epochs=epochs, best=best, val_samples=samples, **measured)


def to_history(epochs: list[Epoch]) -> dict[str, list[Any]]:
    """The content of training_progress.json: parallel lists, one value an epoch."""
    lists: dict[str, list[Any]] = {
        "epochs": [epoch.epoch for epoch in epochs],
        "val_samples": [epoch.val_samples for epoch in epochs],
    }
    for metric in METRICS:
        values = [metric.of(epoch) for epoch in epochs]
        lists[metric.history] = [100 * v if metric.percent and v is not None else v for v in values]
    return lists


def from_history(lists: dict[str, list[Any]], epochs: int) -> tuple[Epoch, ...]:
    """The epochs in the content of training_progress.json, of `epochs` in all.

    The best so far is the one with the highest validation top-1. LookupError and TypeError for other content.
    """
    known = [metric for metric in METRICS if metric.history in lists]
    found: list[Epoch] = []
    highest = -1.0
    for place, number in enumerate(lists["epochs"]):
        values = {metric.field: _fraction(metric, lists[metric.history][place]) for metric in known}
        best = values["val_top1"] > highest
        highest = max(highest, values["val_top1"])
        samples = lists["val_samples"][place] if "val_samples" in lists else None
        found.append(Epoch(epoch=number, epochs=epochs, best=best, val_samples=samples, **values))
    return tuple(found)


def _fraction(metric: EpochMetric, value: Any) -> Any:
    return value / 100 if metric.percent and value is not None else value
