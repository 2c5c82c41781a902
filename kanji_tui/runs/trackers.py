"""Writes the metrics of a training to TensorBoard or W&B too, and measures its emissions with CodeCarbon.

A tracker receives the events of the run and writes into its run directory:

    tensorboard       tensorboard/events.out.tfevents...
    wandb             wandb/; without a network with WANDB_MODE=offline
    codecarbon:JPN    emissions.csv; the country is that of the electricity

A tracker that fails is reported and removed; the training goes on.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kanji_tui.epoch_metrics import METRICS
from kanji_tui.errors import UsageError, first_line
from kanji_tui.events import Energy, Epoch, Event, Gpu, Notice, Report
from kanji_tui.runs.about import read_about
from kanji_tui.runs.emissions import CODECARBON_FILE, WORLD, carbon_intensity

NAMES = ("tensorboard", "wandb", "codecarbon")

Values = dict[str, float]
Log = Callable[[Values, int], None]  # values by name, epoch
Close = Callable[[], object]


def check_trackers(track: tuple[str, ...]) -> None:
    """UsageError for an unknown tracker, one whose package is missing, and CodeCarbon without a country."""
    for named in track:
        name, _, country = named.partition(":")
        if name not in NAMES or (country and name != "codecarbon"):
            raise UsageError(f"there is no tracker '{named}'", "choose: tensorboard, wandb or codecarbon:COUNTRY")
        if name == "codecarbon":
            if country in ("", WORLD):
                raise UsageError(
                    "codecarbon needs the country of the electricity", "name it: --track codecarbon:JPN"
                )
            carbon_intensity(country)
        if find_spec(name) is None:
            raise UsageError(
                f"to track with {name} the package {name} is needed, and it is not installed",
                f'pip install "kanji-tui[{name}]"',
            )


@contextmanager
def tracking(track: tuple[str, ...], config: dict[str, Any], report: Report) -> Iterator[Report]:
    """A report that forwards events and updates the trackers; `config`: the settings that they store."""
    check_trackers(track)
    assert report.directory is not None, "trackers write into a run directory"
    tracked = TrackedReport(report)
    for named in track:
        name, _, country = named.partition(":")
        tracked.guard(name, partial(tracked.open, name, country, config))
    try:
        yield tracked
    finally:
        tracked.close()


class TrackedReport:
    """A report that forwards events and logs the metrics of each epoch to the open trackers."""

    def __init__(self, report: Report) -> None:
        self.directory = report.directory
        self.stop_requested = report.stop_requested
        self._report = report
        self._trackers: dict[str, tuple[Log, Close]] = {}
        self._devices: Values = {}  # the latest values of each device

    def open(self, name: str, country: str, config: dict[str, Any]) -> None:
        assert self.directory is not None
        opener = {"tensorboard": _tensorboard, "wandb": _wandb, "codecarbon": _codecarbon}[name]
        self._trackers[name] = opener(self.directory, config, country)

    def __call__(self, event: Event) -> None:
        self._report(event)
        if isinstance(event, Gpu | Energy):
            self._devices |= device_values(event)
        elif isinstance(event, Epoch):
            values = {**epoch_values(event), **self._devices}
            for name, (log, _) in list(self._trackers.items()):
                self.guard(name, partial(log, values, event.epoch))

    def guard(self, name: str, act: Callable[[], object]) -> None:
        """Call `act`; if it fails, remove the tracker `name` and report why."""
        try:
            act()
        except Exception as error:
            self._trackers.pop(name, None)
            self._report(Notice(f"{name} no longer tracks this run: {first_line(error)}"))

    def close(self) -> None:
        """Let every tracker close its files."""
        for name, (_, close) in list(self._trackers.items()):
            self.guard(name, close)


def epoch_values(epoch: Epoch) -> Values:
    """The numbers of an epoch, by the names they have in every tracker."""
    values = {metric.tag: metric.of(epoch) for metric in METRICS}
    return {tag: value for tag, value in values.items() if value is not None}


def device_values(event: Gpu | Energy) -> Values:
    """The values of a device: joules since the run began, watts, degrees Celsius, fractions, bytes."""
    if isinstance(event, Energy):
        return {} if event.joules is None else {f"energy/{event.device}": event.joules}
    values = {
        f"gpu {event.index}/utilisation": event.utilisation,
        f"gpu {event.index}/memory": event.memory_used,
        f"gpu {event.index}/power": event.power,
        f"gpu {event.index}/temperature": event.temperature,
    }
    return {name: value for name, value in values.items() if value is not None}


def _tensorboard(directory: Path, config: dict[str, Any], country: str) -> tuple[Log, Close]:
    from tensorboard.compat.proto.event_pb2 import Event as Record
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(directory / "tensorboard"))

    def log(values: Values, epoch: int) -> None:
        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        writer.add_event(Record(wall_time=time.time(), step=epoch, summary=Summary(value=scalars)))
        writer.flush()

    return log, writer.close


def _wandb(directory: Path, config: dict[str, Any], country: str) -> tuple[Log, Close]:
    import wandb

    settings = wandb.Settings(
        console="off", disable_git=True, save_code=False, x_disable_stats=True, x_disable_meta=True, silent=True
    )
    project = os.environ.get("WANDB_PROJECT", "kanji-tui")
    about = read_about(directory)
    run = wandb.init(
        project=project,
        name=about.name or directory.name,
        notes=about.note,
        dir=str(directory),
        config=config,
        settings=settings,
    )

    def close() -> None:
        run.finish()
        wandb.teardown()  # waits for wandb's own process, which writes the file

    return lambda values, epoch: run.log(values, step=epoch), close


def _codecarbon(directory: Path, config: dict[str, Any], country: str) -> tuple[Log, Close]:
    from codecarbon import OfflineEmissionsTracker

    tracker = OfflineEmissionsTracker(
        country_iso_code=country.upper(),
        project_name=directory.name,
        output_dir=str(directory),
        output_file=CODECARBON_FILE,
        log_level="error",
        allow_multiple_runs=True,
    )
    tracker.start()
    return lambda values, epoch: None, tracker.stop
