"""Real runs of the program, in processes of their own, followed through their run directories as its faces do."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gpu_parts import Bench, Failed
from kanji_tui.events import Epoch, Event, Failure, Outcome
from kanji_tui.paths import WEIGHTS
from kanji_tui.runs.event_log import all_events
from kanji_tui.runs.process import start
from kanji_tui.runs.run_directory import ACTIVE, RunDirectory

LOOK_SECONDS, GRACE_SECONDS = 0.05, 15.0


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Variables that processes started within have."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def begin(bench: Bench, job: str, spec: Any, on_gpu: bool) -> RunDirectory:
    """Start the job as `kanji-tui` does; where it is not to use a GPU it sees none."""
    with environment(**({} if on_gpu else {"CUDA_VISIBLE_DEVICES": ""})):
        run = start(job, spec, bench.folder / "models" / "runs")
    bench.kept.setdefault("runs", []).append(run)
    return run


def follow(bench: Bench, run: RunDirectory, until: Callable[[list[Event]], bool] | None = None) -> list[Event]:
    """Wait for the run's end and give its events; `until` they are so, it is asked to stop. Failed where it failed.

    A run for which no time is left is asked to stop too, then killed, and is a failure.
    """
    asked = False
    try:
        while run.state() in ACTIVE:
            if bench.left <= 0:
                raise Failed(f"{run.name} was stopped: it had not ended in its time")
            if not asked and until is not None and until(events_of(run)):
                run.request_stop()
                asked = True
            time.sleep(LOOK_SECONDS)
    except BaseException:
        end(run)  # it would use the device during the next part
        raise
    events, state = events_of(run), run.state()
    if state not in ("finished", "stopped"):
        said = next((event.message for event in events if isinstance(event, Failure)), "without a word")
        log = run.log.read_text(errors="replace").strip().splitlines()[-3:]
        raise Failed(f"{run.name} is {state}: {said}; its log ends: {' / '.join(log)}")
    return events


def end(run: RunDirectory) -> None:
    """Ask it to stop, and kill it where it does not in a while: one that hangs on the device hears nothing."""
    run.request_stop()
    given = time.monotonic() + GRACE_SECONDS
    while run.state() in ACTIVE and time.monotonic() < given:
        time.sleep(LOOK_SECONDS)
    status = run.status()
    if run.state() in ACTIVE and status is not None and status.pid:
        with suppress(ProcessLookupError):
            os.kill(status.pid, signal.SIGKILL)


def result_of(bench: Bench, job: str, spec: Any, on_gpu: bool) -> dict[str, Any]:
    """Do the job to its end; what its command would print with --json."""
    events = follow(bench, begin(bench, job, spec, on_gpu))
    outcome = [event.result for event in events if isinstance(event, Outcome)]
    if not outcome:
        raise Failed(f"the job {job} ended without a result")
    return outcome[-1]


def events_of(run: RunDirectory) -> list[Event]:
    return [event for _, event in all_events(run.events)]


def epochs_of(events: list[Event]) -> list[Epoch]:
    return [event for event in events if isinstance(event, Epoch)]


def weights_of(run: RunDirectory) -> Path:
    return run.path / WEIGHTS
