"""Trackers: what a training tells, kept in TensorBoard's or W&B's own form too; and CodeCarbon beside it.

A tracker is fed with the events of the run, like any reader of its directory, and writes into that directory:

    tensorboard       tensorboard/events.out.tfevents...
    wandb             wandb/; without a network with WANDB_MODE=offline
    codecarbon:JPN    emissions.csv; the country is where the electricity comes from

One that breaks down says so and is left out; the training goes on.
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
from kanji_tui.errors import UsageError
from kanji_tui.events import Energy, Epoch, Event, Gpu, Notice, Report
from kanji_tui.runs.emissions import CODECARBON_FILE, WORLD, carbon_intensity

NAMES = ("tensorboard", "wandb", "codecarbon")

Values = dict[str, float]
Tell = Callable[[Values, int], None]  # values by name, epoch
End = Callable[[], object]


def check_trackers(track: tuple[str, ...]) -> None:
    """UsageError for an unknown tracker, one whose package is missing, and CodeCarbon without a country."""
    for named in track:
        name, _, country = named.partition(":")
        if name not in NAMES or (country and name != "codecarbon"):
            raise UsageError(f"there is no tracker '{named}'", "choose: tensorboard, wandb or codecarbon:COUNTRY")
        if name == "codecarbon":
            if country in ("", WORLD):
                raise UsageError(
                    "codecarbon must know whose electricity is used", "name the country: --track codecarbon:JPN"
                )
            carbon_intensity(country)
        if find_spec(name) is None:
            raise UsageError(
                f"to track with {name} the package {name} is needed, and it is not installed",
                f'pip install "kanji-tui[{name}]"',
            )


@contextmanager
def tracking(track: tuple[str, ...], config: dict[str, Any], report: Report) -> Iterator[Report]:
    """A report that passes everything on and feeds the trackers; `config` is what they note of the settings."""
    check_trackers(track)
    assert report.directory is not None, "trackers write into a run directory"
    tracked = Tracked(report)
    for named in track:
        name, _, country = named.partition(":")
        tracked.guard(name, partial(tracked.begin, name, country, config))
    try:
        yield tracked
    finally:
        tracked.end()


class Tracked:
    """A report that passes events on and tells the numbers of each epoch to the trackers begun."""

    def __init__(self, report: Report) -> None:
        self.directory = report.directory
        self.stop_requested = report.stop_requested
        self._report = report
        self._trackers: dict[str, tuple[Tell, End]] = {}
        self._devices: Values = {}  # the newest of each device

    def begin(self, name: str, country: str, config: dict[str, Any]) -> None:
        assert self.directory is not None
        begin = {"tensorboard": _tensorboard, "wandb": _wandb, "codecarbon": _codecarbon}[name]
        self._trackers[name] = begin(self.directory, config, country)

    def __call__(self, event: Event) -> None:
        self._report(event)
        if isinstance(event, Gpu | Energy):
            self._devices |= device_values(event)
        elif isinstance(event, Epoch):
            values = {**epoch_values(event), **self._devices}
            for name, (tell, _) in list(self._trackers.items()):
                self.guard(name, partial(tell, values, event.epoch))

    def guard(self, name: str, act: Callable[[], object]) -> None:
        """Do it; a tracker that fails is left out from then on, which is said."""
        try:
            act()
        except Exception as error:
            self._trackers.pop(name, None)
            said = (str(error).strip() or type(error).__name__).splitlines()[0]
            self._report(Notice(f"{name} no longer tracks this run: {said}"))

    def end(self) -> None:
        """Let every tracker close its files."""
        for name, (_, end) in list(self._trackers.items()):
            self.guard(name, end)


def epoch_values(epoch: Epoch) -> Values:
    """The numbers of an epoch, by the names they have in every tracker."""
    values = {metric.tag: metric.of(epoch) for metric in METRICS}
    return {tag: value for tag, value in values.items() if value is not None}


def device_values(event: Gpu | Energy) -> Values:
    """The numbers a device told; joules since the run began, watts, degrees, fractions, bytes."""
    if isinstance(event, Energy):
        return {} if event.joules is None else {f"energy/{event.device}": event.joules}
    values = {
        f"gpu {event.index}/utilisation": event.utilisation,
        f"gpu {event.index}/memory": event.memory_used,
        f"gpu {event.index}/power": event.power,
        f"gpu {event.index}/temperature": event.temperature,
    }
    return {name: value for name, value in values.items() if value is not None}


def _tensorboard(directory: Path, config: dict[str, Any], country: str) -> tuple[Tell, End]:
    from tensorboard.compat.proto.event_pb2 import Event as Record
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(directory / "tensorboard"))

    def tell(values: Values, epoch: int) -> None:
        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        writer.add_event(Record(wall_time=time.time(), step=epoch, summary=Summary(value=scalars)))
        writer.flush()

    return tell, writer.close


def _wandb(directory: Path, config: dict[str, Any], country: str) -> tuple[Tell, End]:
    import wandb

    settings = wandb.Settings(
        console="off", disable_git=True, save_code=False, x_disable_stats=True, x_disable_meta=True, silent=True
    )
    project = os.environ.get("WANDB_PROJECT", "kanji-tui")
    run = wandb.init(project=project, name=directory.name, dir=str(directory), config=config, settings=settings)

    def end() -> None:
        run.finish()
        wandb.teardown()  # its own process writes the file to its end

    return lambda values, epoch: run.log(values, step=epoch), end


def _codecarbon(directory: Path, config: dict[str, Any], country: str) -> tuple[Tell, End]:
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
