"""Profiles some steps of a training: a trace of PyTorch's profiler, and a table of the step's phases.

`following` surrounds the training; `watch` yields its batches and traces some steps of the first epoch; `phase`
names a part of the step. Unless a profile is requested, `watch` and `phase` do nothing.

    profile.json          {steps, batch_size, device, seconds, phases: [{phase, seconds, device_seconds, share}]}
    profile_trace.json    Chrome's trace format: chrome://tracing, or ui.perfetto.dev
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, record_function
from torch.profiler import profile as tracing

from kanji_tui.system.files import replacing, write_json
from kanji_tui.system.plain_data import read_as
from kanji_tui.training.results import Phase, Profile

PROFILE, TRACE = "profile.json", "profile_trace.json"
STEPS = 10  # traced, after at most as many to warm up
DATA, AUGMENTATION, FORWARD, BACKWARD, OPTIMISER = "data", "augmentation", "forward", "backward", "optimiser"
PHASES = (DATA, AUGMENTATION, FORWARD, BACKWARD, OPTIMISER)
HOST_WAIT, OTHER = "host wait", "other"

Batch = TypeVar("Batch", bound=tuple[Tensor, ...])


class _Clock:
    """The time of each phase so far: the host's seconds, and pairs of CUDA events where there is a GPU."""

    def __init__(self, on_gpu: bool) -> None:
        self.on_gpu = on_gpu
        self.host = dict.fromkeys(PHASES, 0.0)
        self._marks: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        begin, end = self._mark(), self._mark()
        began = time.perf_counter()
        with record_function(name):
            if self.on_gpu:
                begin.record()
            yield
            if self.on_gpu:
                end.record()
                self._marks.append((name, begin, end))
        self.host[name] += time.perf_counter() - began

    def device(self) -> dict[str, float]:
        """Seconds between the events on the GPU, which must have finished all work."""
        seconds = dict.fromkeys(PHASES, 0.0)
        for name, begin, end in self._marks:
            seconds[name] += begin.elapsed_time(end) / 1000
        return seconds

    def _mark(self) -> "torch.cuda.Event":
        return torch.cuda.Event(enable_timing=True) if self.on_gpu else None


_directory: Path | None = None  # where a profile is wanted
_clock: _Clock | None = None  # while steps are traced


@contextmanager
def following(directory: Path | None) -> Iterator[None]:
    """Within the block the next training leaves its profile in `directory`; None: no profile."""
    global _directory
    _directory = directory
    try:
        yield
    finally:
        _directory = None


def phase(name: str) -> AbstractContextManager[None]:
    """The block is this phase of a step."""
    return nullcontext() if _clock is None else _clock.phase(name)


def watch(batches: Iterator[Batch], count: int) -> Iterator[Batch]:
    """The `count` batches as they are; where a profile is wanted, some steps between them are traced, once."""
    return batches if _directory is None or not count else _traced(batches, count, _directory)


def _traced(batches: Iterator[Batch], count: int, directory: Path) -> Iterator[Batch]:
    global _directory, _clock
    _directory = None
    begin = min(STEPS, count // 2)
    steps = min(STEPS, count - begin)
    yield from islice(batches, begin)
    clock = _Clock(torch.cuda.is_available())
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if clock.on_gpu else [])]
    with tracing(activities=activities) as trace:
        _clock = clock
        try:
            _settle(clock)
            began = time.perf_counter()
            samples = 0
            for _ in range(steps):
                with phase(DATA):
                    batch = next(batches)
                samples += len(batch[0])
                yield batch
            waited = _settle(clock)
            seconds = time.perf_counter() - began
        finally:
            _clock = None
    with replacing(directory / TRACE) as beside:
        trace.export_chrome_trace(str(beside))
    write_json(directory / PROFILE, asdict(_profile(clock, waited, steps, samples, seconds)))
    yield from batches


def read_profile(directory: Path) -> Profile | None:
    """The profile that was left in a run directory; None where there is none."""
    path = directory / PROFILE
    return read_as(Profile, path) if path.is_file() else None


def _settle(clock: _Clock) -> float:
    """Let the GPU end what it was given, so that the seconds are its too; returns how long that took."""
    if not clock.on_gpu:
        return 0.0
    began = time.perf_counter()
    torch.cuda.synchronize()
    return time.perf_counter() - began


def _profile(clock: _Clock, waited: float, steps: int, samples: int, seconds: float) -> Profile:
    host = {**clock.host, HOST_WAIT: waited}
    host[OTHER] = max(0.0, seconds - sum(host.values()))
    device = clock.device() if clock.on_gpu else {}
    return Profile(
        steps=steps,
        batch_size=samples // steps,
        device=torch.cuda.get_device_name() if clock.on_gpu else "cpu",
        seconds=seconds,
        phases=tuple(Phase(name, spent, device.get(name), spent / seconds) for name, spent in host.items()),
    )
