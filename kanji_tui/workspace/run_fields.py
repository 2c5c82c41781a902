"""What is known of a run, by name: what lists show, sort by, filter by and write as CSV.

Fractions 0-1, seconds, bytes; a value that is not known is None. Metrics are those of the best epoch.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kanji_tui.data.defaults import name_source
from kanji_tui.epoch_metrics import METRICS
from kanji_tui.events import Epoch
from kanji_tui.runs.run_summary import RunRecord
from kanji_tui.training.config import SETTINGS
from kanji_tui.training.results import Trained
from kanji_tui.workspace.earlier_epochs import read_earlier
from kanji_tui.workspace.run_views import RunView, start_time

Value = str | float | None
MOST = 1e300  # a larger number is damage, and no arithmetic with it is safe
Fields = Mapping[str, Value]

IDENTITY = ("run", "name", "note", "job", "state", "continues", "source", "started", "epoch", "epochs")
RESULTS = ("test_top1", "test_top3", "test_top5", "test_loss", "total_seconds", "device", "parameters", "classes")
SCORES = ("top1", "top3", "top5", "loss")
SETTING_NAMES = tuple(setting.name for setting in SETTINGS)
METRIC_NAMES = tuple(metric.field for metric in METRICS if metric.field not in SETTING_NAMES)
PLACES = ("data_dir", "init")
NAMES = tuple(dict.fromkeys((*IDENTITY, "network", "best_epoch", *METRIC_NAMES, *RESULTS, *SETTING_NAMES, *PLACES)))
SHORT = {
    "lr": "learning_rate",
    "batch": "batch_size",
    "best": "val_top1",
    "top1": "val_top1",
    "acc": "val_top1",
    "loss": "val_loss",
    "test": "test_top1",
    "start": "started",
    "time": "total_seconds",
    "data": "data_dir",
}
PERCENT = frozenset(
    {metric.field for metric in METRICS if metric.percent} | {"test_top1", "test_top3", "test_top5"}
)


def full_name(name: str) -> str | None:
    """The field that a name or a short name means; None for no field."""
    wanted = name.lower().replace("-", "_")
    wanted = SHORT.get(wanted, wanted)
    return wanted if wanted in NAMES else None


def fields_of_view(view: RunView) -> Fields:
    """The fields of a run that a screen follows."""
    newest = view.epochs[-1] if view.epochs else None
    result = view.result if isinstance(view.result, Trained) else None
    test = result.test if result else None
    results = {
        **({f"test_{name}": getattr(test, name) for name in SCORES} if test else {}),
        **({name: getattr(result, name) for name in ("device", "parameters", "classes")} if result else {}),
        "total_seconds": result.seconds if result else None,
    }
    source = name_source(view.source)
    identity = (view.name, view.about.name, view.about.note, view.job, view.state, view.continues, source)
    return _fields(identity, view.started, view.spec, newest, view.best or newest, results)


def fields_of_record(record: RunRecord) -> Fields:
    """The fields of a run that a command lists."""
    summary, config = record.summary, record.spec.get("config")
    newest, best = record.newest, record.best
    if best is None and summary.continues:
        planned = config.get("epochs") if isinstance(config, dict) else 0
        earlier = read_earlier(record.path, planned if isinstance(planned, int) else 0)
        newest = earlier[-1] if earlier else None
        best = next((epoch for epoch in reversed(earlier) if epoch.best), newest)
    result = record.result
    results = {
        **({f"test_{name}": getattr(result.test, name) for name in SCORES} if result.test else {}),
        **{name: getattr(result, name) for name in ("device", "parameters", "classes")},
        "total_seconds": result.seconds,
    }
    known = (summary.run, summary.name, summary.note, summary.job, summary.state, summary.continues)
    identity = (*known, name_source(summary.source))
    return _fields(identity, start_time(summary.run), record.spec, newest, best, results)


def _fields(
    identity: Sequence[str | None],
    started: float,
    spec: Mapping[str, Any],
    newest: Epoch | None,
    best: Epoch | None,
    results: Mapping[str, Any],
) -> Fields:
    moment = datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds") if started else None
    config = spec.get("config")
    known: dict[str, Any] = {
        **dict(zip(IDENTITY, (*identity, moment), strict=False)),
        "epoch": newest.epoch if newest else None,
        "epochs": newest.epochs if newest else None,
        "best_epoch": best.epoch if best else None,
        **({name: getattr(best, name) for name in METRIC_NAMES} if best else {}),
        **results,
        **{name: spec.get(name) for name in PLACES},
    }
    if isinstance(config, dict):
        known |= {name: config[name] for name in SETTING_NAMES if name in config and known.get(name) is None}
    return {name: _value(known.get(name)) for name in NAMES}


def _value(value: Any) -> Value:
    """A value as it is compared and written: a number, else a text."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return value if abs(value) < MOST else _text(value)
    return "/".join(f"{part:g}" for part in value) if isinstance(value, list) and _numbers(value) else _text(value)


def _numbers(values: list[Any]) -> bool:
    return all(isinstance(value, int | float) and abs(value) < MOST for value in values)


def _text(value: Any) -> str:
    """What a damaged file holds in the place of a number."""
    try:
        return str(value)
    except ValueError:  # of an integer with thousands of digits
        return "not readable"
