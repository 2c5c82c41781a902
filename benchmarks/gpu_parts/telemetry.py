"""What NVML tells of the GPU while a training runs, asked directly, against what the run's events tell."""

import os
import pwd
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch

from gpu_parts import Bench, Figures, NotApplicable, require
from gpu_parts.jobs import begin, epochs_of, follow
from gpu_parts.made import small_dataset
from gpu_parts.runs import spec_of
from kanji_tui.events import Energy, Event, Gpu, Progress
from kanji_tui.runs.event_log import all_events
from kanji_tui.runs.run_directory import RunDirectory
from kanji_tui.training.config import configure

ASK_SECONDS, TRAIN_SECONDS = 0.25, 20.0
NEAR_SECONDS = 1.5  # an event is held against what was asked so near to it
# By which the mean of an event's difference may be off; power and memory as a share of the highest seen.
ALLOWED = {"utilisation": 0.2, "memory_used": 0.05, "power": 0.2, "temperature": 4.0}
RELATIVE = ("memory_used", "power")
ENERGY = 0.05


@dataclass
class Asked:
    """What NVML answered at `moment` (seconds since 1970), in the events' units; None where it does not say."""

    moment: float
    values: dict[str, float | None]
    joules: float | None


@dataclass
class Watcher:
    """Asks in a thread of its own until told to stop."""

    handle: Any
    asked: list[Asked] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.ended.wait(ASK_SECONDS):
            self.asked.append(self.ask())

    def ask(self) -> Asked:
        import pynvml as nvml

        questions: dict[str, Callable[[], float]] = {
            "utilisation": lambda: nvml.nvmlDeviceGetUtilizationRates(self.handle).gpu / 100,  # per cent
            "memory_used": lambda: float(nvml.nvmlDeviceGetMemoryInfo(self.handle).used),  # bytes
            "power": lambda: nvml.nvmlDeviceGetPowerUsage(self.handle) / 1000,  # milliwatts
            "temperature": lambda: float(nvml.nvmlDeviceGetTemperature(self.handle, nvml.NVML_TEMPERATURE_GPU)),
            "energy": lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle) / 1000,  # millijoules
        }
        values: dict[str, float | None] = {}
        for name, question in questions.items():
            try:
                values[name] = question()
            except nvml.NVMLError as error:  # under MIG much is not supported
                values[name], self.reasons[name] = None, str(error)
        return Asked(time.time(), values, values.pop("energy"))


def telemetry(bench: Bench) -> Figures:
    """A training of some 20 seconds, on the full-size set where it was prepared; its own figures come along."""
    if not bench.on_gpu:
        raise NotApplicable("there is no GPU to ask about")
    import pynvml as nvml

    nvml.nvmlInit()
    uuid = f"GPU-{torch.cuda.get_device_properties(bench.device).uuid}"
    try:
        watcher = Watcher(nvml.nvmlDeviceGetHandleByUUID(uuid))
    except nvml.NVMLError as error:
        raise NotApplicable(
            f"NVML does not know the GPU {uuid} that CUDA names ({error}); a part of one?"
        ) from None
    dataset = bench.kept.get("full") or small_dataset(bench)
    config = configure(epochs=200, batch_size=1024, split_shares=(98.0, 1.0, 1.0))
    run = begin(bench, "train", spec_of(bench, dataset, config), on_gpu=True)
    thread = threading.Thread(target=watcher.watch, daemon=True)
    thread.start()
    processes: list[Figures] = []
    try:
        events = follow(bench, run, lambda events: _long_enough(events, run, watcher.handle, processes))
    finally:
        watcher.ended.set()
        thread.join()
    epochs = epochs_of(events)
    told = list(all_events(run.events))
    figures = bench.found
    figures |= {
        "processes": processes,
        "epochs": [{"seconds": e.seconds, "samples_per_second": e.samples_per_second} for e in epochs],
        "trained_on": str(dataset.parent.name),
        "not_answered": watcher.reasons,
        **compare(told, watcher.asked),
    }
    for name in ("utilisation", "memory_used", "power", "temperature", "energy"):
        bench.say(f"{name}: {figures[name]}")
    bench.say(f"processes: {processes or 'NVML names none; in a container it may not'}")
    wrong = [name for name, value in figures.items() if isinstance(value, dict) and value.get("agrees") is False]
    require(
        not wrong,
        f"the run's events do not agree with NVML on {', '.join(wrong)}: { {n: figures[n] for n in wrong} }",
    )
    return figures


def _long_enough(events: list[Event], run: RunDirectory, handle: Any, processes: list[Figures]) -> bool:
    """Whether it has trained for long enough; once it trains, who is on the card is noted."""
    if not any(isinstance(event, Progress) and event.phase == "training" for event in events):
        return False
    if not processes:
        processes.extend(on_card(handle))
    began = next(
        moment
        for moment, event in all_events(run.events)
        if isinstance(event, Progress) and event.phase == "training"
    )
    return time.time() - began >= TRAIN_SECONDS


def on_card(handle: Any) -> list[Figures]:
    """The processes that compute on the card, with user and memory; in a container a number may be the host's."""
    import pynvml as nvml

    found = []
    for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle):
        try:
            user = pwd.getpwuid(os.stat(f"/proc/{process.pid}").st_uid).pw_name
        except (OSError, KeyError):
            user = "not known here"
        found.append({"pid": process.pid, "user": user, "memory_bytes": process.usedGpuMemory})
    return found


def compare(told: list[tuple[float, Event]], asked: list[Asked]) -> Figures:
    """For each value the events' and NVML's means, how far apart they were on the average, and whether they agree.

    An event's value is held against the mean of what was asked within `NEAR_SECONDS` of it. Energy is what both
    counters went on by between the first and the last event of the run.
    """
    figures: Figures = {}
    for name, allowed in ALLOWED.items():
        pairs = []
        for moment, event in told:
            near = [a.values[name] for a in asked if abs(a.moment - moment) <= NEAR_SECONDS]
            answers = [value for value in near if value is not None]
            if isinstance(event, Gpu) and getattr(event, name) is not None and answers:
                pairs.append((float(getattr(event, name)), statistics.fmean(answers)))
        if not pairs:
            figures[name] = _nothing(any(a.values[name] is not None for a in asked))
            continue
        events, answers = ([pair[side] for pair in pairs] for side in (0, 1))
        scale = max(answers) if name in RELATIVE else 1.0
        apart = statistics.fmean(abs(one - other) for one, other in pairs)
        figures[name] = {
            "events": len(pairs),
            "told": statistics.fmean(events),
            "asked": statistics.fmean(answers),
            "apart": apart,
            "agrees": apart <= allowed * scale,
        }
    return {**figures, "energy": _energy(told, asked)}


def _nothing(answered: bool) -> Figures:
    """Nothing to compare: a fault where NVML answered, for then the run should have told it too."""
    reason = "NVML answered, and the run's events do not tell it" if answered else "NVML does not answer it"
    return {"agrees": False if answered else None, "reason": reason}


def _energy(told: list[tuple[float, Event]], asked: list[Asked]) -> Figures:
    counted = [(a.moment, a.joules) for a in asked if a.joules is not None]
    events = [
        (moment, event)
        for moment, event in told
        if isinstance(event, Energy) and event.device.startswith("GPU") and event.joules is not None
    ]
    inside = [(m, e) for m, e in events if counted and counted[0][0] <= m <= counted[-1][0]]
    if len(inside) < 2:
        return _nothing(bool(counted))
    (first, begin), (last, end) = inside[0], inside[-1]
    used = float(end.joules or 0) - float(begin.joules or 0)
    other = _at(counted, last) - _at(counted, first)
    return {
        "measured_by": end.measured_by,
        "seconds": last - first,
        "told": used,
        "asked": other,
        "agrees": abs(used - other) <= ENERGY * max(other, 1.0),
    }


def _at(counted: list[tuple[float, float]], moment: float) -> float:
    """The counter at a moment between two of its readings, as if it went evenly."""
    for (before, low), (after, high) in pairwise(counted):
        if before <= moment <= after:
            return low + (high - low) * (moment - before) / max(1e-9, after - before)
    return counted[-1][1]
