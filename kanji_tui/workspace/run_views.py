"""What the screens know of a run: its events folded into a frozen view, and the watch that keeps the views current.

Only the worker thread calls the watch. A poll reads status.json of each run that has not ended, and only the lines
added to events.jsonl.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kanji_tui.errors import KanjiError
from kanji_tui.events import Damaged, Epoch, Failure, Gpu, Load, Logged, Notice, Outcome, Progress, Step
from kanji_tui.paths import CHECKPOINT, RUNS_DIR
from kanji_tui.runs.about import ABOUT, About, continued_run, read_about
from kanji_tui.runs.event_log import Timed, near_end, read_events
from kanji_tui.runs.process import read_result
from kanji_tui.runs.resuming import run_with_checkpoint
from kanji_tui.runs.run_directory import ACTIVE, RunDirectory, is_run, job_of, list_runs
from kanji_tui.runs.run_source import source_of
from kanji_tui.workspace.earlier_epochs import read_earlier
from kanji_tui.workspace.gpu_history import GpuHistory, GpuRecord
from kanji_tui.workspace.log_times import LogLine, LogMarks, Mark
from kanji_tui.workspace.run_curves import LoadPoint, LoadRecord, StepPoint, StepRecord

ENDED = ("finished", "stopped", "failed")
READ_BYTES = 1 << 17  # of an events file at once: some 15 ms
MOST_BYTES = 1 << 23  # of an events file in all: six hours of a training; epochs before are in its history
FILES_KEPT = 256
NOTICES_KEPT = 20
TRAINING = "training"  # the phase of a training that its progress bar shows, also during the others


@dataclass(frozen=True)
class RunView:
    """One run at one moment. `last_event_at`: time of its last event, seconds since 1970, 0 before the first.

    `files` holds the last progress of each record file that a preparation works on, in order of first appearance;
    `gpus` the telemetry of each GPU. `result`: the dataclass that the run's job returns. `stopping`: the run was
    asked to stop, here or elsewhere. `problem`: what of its files is damaged, in a sentence. `about`: what a person
    says of the run. `steps`: what was measured inside its epochs; `loads`: how busy the machine was; `log_marks`:
    when its log had grown. `resumable`: it ended before its end and has a checkpoint, or what it resumed has one.
    `source`: where its samples come from, empty where it is not known.
    """

    name: str
    path: Path
    job: str
    state: str = "starting"
    spec: dict[str, Any] = field(default_factory=dict)
    started: float = 0.0
    last_event_at: float = 0.0
    progress: Progress | None = None
    files: tuple[Progress, ...] = ()
    epochs: tuple[Epoch, ...] = ()
    gpus: tuple[GpuHistory, ...] = ()
    stopping: bool = False
    notices: tuple[LogLine, ...] = ()
    failure: Failure | None = None
    result: Any = None
    problem: str = ""
    about: About = field(default_factory=About)
    steps: tuple[StepPoint, ...] = ()
    loads: tuple[LoadPoint, ...] = ()
    log_marks: tuple[Mark, ...] = ()
    resumable: bool = False
    source: str = ""

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def best(self) -> Epoch | None:
        """The best epoch by validation so far."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.best), None)

    @property
    def network(self) -> str:
        """The network of a training, else an empty string."""
        config = self.spec.get("config")
        return str(config.get("network", "")) if isinstance(config, dict) else ""

    @property
    def continues(self) -> str | None:
        """The name of the run that this one resumed; None where it began anew."""
        return continued_run(self.spec)

    @property
    def label(self) -> str:
        """What a list calls the run: the name that a person gave it, else its network."""
        return self.about.name or self.network or self.job

    @property
    def title(self) -> str:
        """The run's short name: `train kanjinet`, `prepare`."""
        return f"{self.job} {self.network}".strip().replace("_", " ")


class Tail:
    """Follows one run directory: reads new events and folds them into a view."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self._damaged = ""  # what of config.yaml and events.jsonl is damaged
        try:
            spec = run.config().spec
        except KanjiError as error:
            spec, self._damaged = {}, error.message
        self._about_path = str(run.path / ABOUT)
        self._about_written = self._time_of_about()
        self.view = RunView(
            run.name,
            run.path,
            job_of(run.name),
            spec=spec,
            started=start_time(run.name),
            about=read_about(run.path),
            source=source_of(run.path, job_of(run.name), spec),
        )
        self.behind = False  # there was more to read than READ_BYTES
        self._first = self._offset = self._near_end()
        self._files: dict[str, Progress] = {}
        self._gpus: dict[int, GpuRecord] = {}
        self._steps, self._loads = StepRecord(), LoadRecord()
        self._log_marks = LogMarks(from_start=self._first == 0)
        self._bar: Progress | None = None  # of the training itself
        self._borrowed = False  # the epochs of the view are those of the run that it resumes

    def poll(self) -> bool:
        """Read new events, READ_BYTES of them at most; True when the view changed."""
        state, problem = self._state()  # before the events: once it has ended, none can be missed
        stopping = state in ACTIVE and self.run.stop_file.exists()
        fresh = self._read_events()
        now: dict[str, Any] = {"state": state, "stopping": stopping, "problem": problem or self._damaged}
        now["resumable"] = state not in (*ACTIVE, "finished") and self._has_checkpoint()
        if not fresh and all(getattr(self.view, name) == value for name, value in now.items()):
            return False
        changes = self._fold(fresh, state in ACTIVE)
        last_event_at = fresh[-1][0] if fresh else self.view.last_event_at
        self.view = replace(self.view, **changes, **now, last_event_at=last_event_at)
        return True

    def reread_about(self) -> bool:
        """Read about.json again where it was written since; True when the view changed."""
        written = self._time_of_about()
        if written == self._about_written:
            return False
        self._about_written = written
        before, self.view = self.view, replace(self.view, about=read_about(self.run.path))
        return before != self.view

    def _time_of_about(self) -> int:
        try:
            return os.stat(self._about_path).st_mtime_ns
        except OSError:
            return 0

    def _has_checkpoint(self) -> bool:
        """Whether there is a checkpoint that a training goes on from which resumes this run."""
        try:
            found = run_with_checkpoint(self.run.path) if self.view.job == "train" else None
        except KanjiError:
            return False
        return found is not None and (found / CHECKPOINT).is_file()

    def _state(self) -> tuple[str, str]:
        """The run's state, and what is wrong with status.json or an empty string."""
        try:
            return self.run.read_status().current_state(), ""
        except KanjiError as error:
            return "lost", error.message

    def _read_events(self) -> list[Timed]:
        """The new events; the first damage among them is kept."""
        before = self._offset
        try:
            fresh, self._offset = read_events(self.run.events, before, READ_BYTES, all_progress=False)
        except KanjiError as error:
            self._damaged = self._damaged or error.message
            return []
        self.behind = self._offset - before >= READ_BYTES
        damaged = next((event.reason for _, event in fresh if isinstance(event, Damaged)), "")
        self._damaged = self._damaged or damaged
        return fresh

    def _near_end(self) -> int:
        """Where to begin in the events."""
        try:
            return near_end(self.run.events, MOST_BYTES)
        except KanjiError:  # reading it says why
            return 0

    def _earlier(self, active: bool) -> tuple[Epoch, ...]:
        """The epochs from before the run was resumed, or from before the first event that is read.

        Until an active run has a history of its own, they are those of the run that it resumes: what was learned is
        not gone while torch is loaded.
        """
        self._borrowed = False
        resumed = self.view.spec.get("resume")
        if not (self._first or resumed):
            return ()
        config = self.view.spec.get("config")
        planned = config.get("epochs") if isinstance(config, dict) else 0
        planned = planned if isinstance(planned, int) else 0
        found = read_earlier(self.run.path, planned)
        if not found and resumed and active:
            with suppress(KanjiError):
                before = run_with_checkpoint(self.run.path)
                found = read_earlier(before, planned) if before else ()
            self._borrowed = bool(found)
        return found

    def _result(self, event: Outcome, moment: float, notices: list[LogLine]) -> Any:
        """The result as its dataclass; None, with a notice, where another version's result cannot be read."""
        try:
            return read_result(self.view.job, event.result)
        except KanjiError as error:
            notices.append(LogLine(f"the result cannot be shown: {error.message}", moment))
            return None

    def _shown_progress(self, now: Progress) -> Progress:
        """The progress to show: the bar of a training stays during its other phases, and never goes back."""
        if now.phase == TRAINING:
            if self._bar is None or now.done >= self._bar.done or now.total != self._bar.total:
                self._bar = now
            return self._bar
        return now if self._bar is None else replace(self._bar, phase=now.phase, item="")

    def _fold(self, fresh: list[Timed], active: bool) -> dict[str, Any]:
        view = self.view
        known = () if self._borrowed else view.epochs
        known = known or self._earlier(active)
        epochs, notices = {epoch.epoch: epoch for epoch in known}, list(view.notices)
        gpus = {gpu.index: gpu for gpu in view.gpus}
        changes: dict[str, Any] = {}
        for moment, event in fresh:
            if isinstance(event, Progress) and event.phase == "file":
                self._files[event.item] = event
            elif isinstance(event, Progress):
                changes["progress"] = self._shown_progress(event)
            elif isinstance(event, Step):
                self._steps.add(event)
            elif isinstance(event, Load):
                self._loads.add(moment, event)
            elif isinstance(event, Epoch):
                epochs[event.epoch] = event
            elif isinstance(event, Gpu):
                self._gpus.setdefault(event.index, GpuRecord()).add(event)
            elif isinstance(event, Notice):
                notices.append(LogLine(event.message, moment))
            elif isinstance(event, Logged):
                self._log_marks.add(moment, event.size)
            elif isinstance(event, Failure):
                changes["failure"] = event
            elif isinstance(event, Outcome):
                changes["result"] = self._result(event, moment, notices)
        if not view.source and any(isinstance(event, Epoch | Outcome) for _, event in fresh):
            changes["source"] = source_of(view.path, view.job, view.spec, changes.get("result"))
        updated = {event.index for _, event in fresh if isinstance(event, Gpu)}
        gpus |= {index: self._gpus[index].history() for index in updated}
        for old in list(self._files)[:-FILES_KEPT]:
            del self._files[old]
        return changes | {
            "steps": self._steps.points(),
            "loads": self._loads.points(),
            "files": tuple(file for _, file in sorted(self._files.items())),
            "epochs": tuple(epochs[number] for number in sorted(epochs)),
            "gpus": tuple(gpus[index] for index in sorted(gpus)),
            "log_marks": self._log_marks.marks(),
            "notices": tuple(notices[-NOTICES_KEPT:]),
        }


class Watch:
    """All runs of a models folder, wherever they were started."""

    def __init__(self, report_problem: Callable[[str], None] = lambda text: None, runs: Path = RUNS_DIR) -> None:
        """`report_problem` is called about runs whose files cannot be read."""
        self._report_problem = report_problem
        self._runs = runs
        self._tails: dict[str, Tail] = {}
        self._waiting: list[RunDirectory] = []
        self._edited: list[str] = []  # runs of which a person said something else

    def list(self) -> frozenset[str]:
        """Find new and removed runs; returns the names of the removed."""
        gone, self._waiting = frozenset[str](), []
        names = self._names()  # these alone: to look into 500 folders each second costs CPU
        others = names - self._tails.keys()  # new runs, folders that become one, and what never will
        if self._tails.keys() - names or any(is_run(self._runs / name) for name in others):
            found = {run.name: run for run in list_runs(self._runs)}
            gone = frozenset(self._tails.keys() - found.keys())
            for name in gone:
                del self._tails[name]
            self._waiting = [run for name, run in found.items() if name not in self._tails]
        self._edited = [name for name, tail in self._tails.items() if tail.reread_about()]
        return gone

    def _names(self) -> set[str]:
        """The names in the folder that may be runs."""
        try:
            return {name for name in os.listdir(self._runs) if not name.startswith(".")}
        except OSError:
            return set()

    def poll(self, seconds: float) -> tuple[RunView, ...]:
        """The views that changed; stops after `seconds` and continues at the next poll."""
        deadline = time.monotonic() + seconds
        changed = [
            tail.view
            for tail in self._tails.values()
            if (tail.view.state not in ENDED or (tail.behind and time.monotonic() < deadline)) and self._poll(tail)
        ]
        known = {view.name for view in changed}
        changed += [self._tails[name].view for name in self._edited if name in self._tails and name not in known]
        self._edited = []
        while self._waiting and time.monotonic() < deadline:
            run = self._waiting.pop(0)  # newest first
            tail = Tail(run)
            self._poll(tail)
            self._tails[run.name] = tail
            changed.append(tail.view)
        return tuple(changed)

    def _poll(self, tail: Tail) -> bool:
        """Poll one run; one that cannot be read does not stop the others from being read."""
        try:
            return tail.poll()
        except OSError as error:
            self._report_problem(f"run {tail.run.name} cannot be read: {error}")
            return False

    @property
    def behind(self) -> bool:
        """Whether there is more to read now."""
        return bool(self._waiting) or any(tail.behind for tail in self._tails.values())

    @property
    def busy(self) -> bool:
        """Whether a run is active or waits to be read, so that polling should be frequent."""
        return self.behind or any(tail.view.active for tail in self._tails.values())


def start_time(name: str) -> float:
    """When the run with this name was created, seconds since 1970; 0 if the name has no time."""
    try:
        return datetime.strptime(name.split("-")[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
