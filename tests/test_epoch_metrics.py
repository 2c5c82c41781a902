"""The one table of what is measured of an epoch."""

from dataclasses import fields

import pytest

from kanji_tui.epoch_metrics import METRICS, from_history, to_epoch, to_history
from kanji_tui.events import Epoch

VALIDATION = {"samples": 40, "loss": 0.25, "top1": 0.9, "top3": 0.95, "top5": 1.0, "balanced": 0.875}
ENTRY = {
    "epoch": 1, "train_loss": 1.5, "train_top1": 0.625, "train_clean_top1": 0.75, "learning_rate": 4e-3,
    "seconds": 75.0, "threads": 4, "samples_per_second": 1234.5, "validation": VALIDATION,
}  # fmt: skip


def test_every_number_of_an_epoch_is_a_metric() -> None:
    others = {"epoch", "epochs", "best", "val_samples"}
    assert {metric.field for metric in METRICS} == {field.name for field in fields(Epoch)} - others


def test_what_is_kept_of_a_training_is_read_back() -> None:
    epochs = [to_epoch(ENTRY, 3, True), to_epoch({**ENTRY, "epoch": 2}, 3, False)]
    kept = to_history(epochs)
    assert (kept["epochs"], kept["val_acc"], kept["val_loss"]) == ([1, 2], [90.0, 90.0], [0.25, 0.25])
    assert list(from_history(kept, 3)) == epochs


def test_a_history_of_an_older_version_lacks_what_it_did_not_measure() -> None:
    entry = {name: value for name, value in ENTRY.items() if name != "train_clean_top1"}
    kept = to_history([to_epoch(entry, 1, True)])
    assert kept["train_clean_acc"] == [None]
    del kept["train_clean_acc"], kept["val_samples"]
    (epoch,) = from_history(kept, 1)
    assert (epoch.train_clean_top1, epoch.val_samples) == (None, None)
    del kept["val_acc"]
    with pytest.raises((LookupError, TypeError)):
        from_history(kept, 1)


def test_metrics_as_text() -> None:
    shown = {metric.name: metric.text(to_epoch(ENTRY, 1, True)) for metric in METRICS}
    assert shown == {
        "train loss": "1.500", "train top-1": "62.50", "val loss": "0.250", "val top-1": "90.00", "seconds": "1:15",
        "learning rate": "4.0e-03", "val top-3": "95.00", "val top-5": "100.0", "clean top-1": "75.00",
        "samples/s": "1,234", "threads": "4",
    }  # fmt: skip
