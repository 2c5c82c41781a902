"""Reads and writes run directories, `models/runs/<UTC time>-<job>-<n>/`, through which a job is watched.

    about.json      {name, note}: what a person says of the run, where somebody did
    config.yaml     {job, entry, spec}: all settings, resolved
    status.json     {version, job, state, host, boot_id, pid, pid_start, heartbeat}
    events.jsonl    one event per line, see kanji_tui.events
    log.txt         the output of the process
    stop            when this file exists, the job stops at its next batch

All functions read and write small files only, and may be called from any thread and any process.
"""

import os
import shutil
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import yaml

from kanji_tui.allowed import MOMENT, NAME, at_most, between, matching, one_of
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.paths import RUNS_DIR
from kanji_tui.runs.about import About, write_about
from kanji_tui.runs.litter import DELETED, remove_litter
from kanji_tui.system.files import inside, read_yaml, write_json, write_text, writing_failed
from kanji_tui.system.plain_data import read_as, read_plain

STATUS_VERSION = 1
HEARTBEAT_SECONDS = 2.0
LOST_AFTER_SECONDS = 30.0
ACTIVE = ("starting", "running")
ENTRY = matching(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", "a function as module:function")


@dataclass(frozen=True)
class Config:
    """The content of config.yaml; `spec`: the plain values of the job's spec."""

    job: Annotated[str, NAME]
    entry: Annotated[str, ENTRY]
    spec: dict[str, Any]


@dataclass(frozen=True)
class Status:
    """The content of status.json; `heartbeat` in seconds since 1970, `pid_start` as in psutil, or 0 if unknown."""

    job: Annotated[str, NAME]
    state: Annotated[str, one_of(*ACTIVE, "finished", "stopped", "failed")]
    host: Annotated[str, at_most(255)]
    boot_id: Annotated[str, at_most(255)]
    pid: Annotated[int, between(0, 2**31 - 1)]
    pid_start: Annotated[float, MOMENT]
    heartbeat: Annotated[float, MOMENT]
    version: int = STATUS_VERSION

    def current_state(self, now: float | None = None) -> str:
        """The stored state, or `lost` (crashed) for a job that is stored as active and no longer runs.

        On this host the process is checked. For a job on another host, one whose process is not known yet, or
        without psutil on either side, the age of the heartbeat decides. One that is as far in the future says no
        more than an old one: a clock was set back.
        """
        if self.state not in ACTIVE:
            return self.state
        age = abs((time.time() if now is None else now) - self.heartbeat)
        here = self.pid_start and self.host == socket.gethostname() and find_spec("psutil")
        alive = self._alive(age) if here else age <= LOST_AFTER_SECONDS
        return self.state if alive else "lost"

    def _alive(self, age: float) -> bool:
        import psutil

        if self.boot_id != boot_id():
            return False
        try:
            process = psutil.Process(self.pid)
            # Setting the clock changes all start times; with a recent heartbeat it is still the same process.
            same = abs(process.create_time() - self.pid_start) < 1.0 or age < 3 * HEARTBEAT_SECONDS
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.AccessDenied:  # a process has this pid, but its start time is hidden
            return age <= LOST_AFTER_SECONDS
        except psutil.NoSuchProcess:
            return False


@cache
def boot_id() -> str:
    """An identifier of the current boot of this machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        import psutil

        return f"booted-{int(psutil.boot_time())}"


def status_of_this_process(job: str, state: str) -> Status:
    """A status saying that the calling process runs `job`."""
    return status_of_process(os.getpid(), job, state)


def status_of_process(pid: int, job: str, state: str) -> Status:
    """A status saying that this process, which has not been waited for, runs `job`."""
    return Status(
        job=job,
        state=state,
        host=socket.gethostname(),
        boot_id=boot_id(),
        pid=pid,
        pid_start=_start_time(pid),
        heartbeat=time.time(),
    )


def _start_time(pid: int) -> float:
    try:
        import psutil
    except ImportError:
        return 0.0
    return float(psutil.Process(pid).create_time())


@dataclass(frozen=True)
class RunDirectory:
    """The directory of one run; it exists, its files may not exist yet."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def stop_file(self) -> Path:
        return self.path / "stop"

    @property
    def _remedy(self) -> str:
        return f"the other runs are as they were; to remove this one: kanji-tui delete {self.name}"

    def config(self) -> Config:
        """The settings as written at the start; KanjiError when the file is missing or damaged."""
        path = self.path / "config.yaml"
        return read_plain(Config, read_yaml(path), path, self._remedy)

    def write_status(self, status: Status) -> None:
        write_json(self.path / "status.json", asdict(status))

    def read_status(self) -> Status:
        """The stored status; KanjiError when the file is missing or damaged."""
        return read_as(Status, self.path / "status.json", self._remedy)

    def status(self) -> Status | None:
        """The stored status, or None where there is none that can be read."""
        try:
            return self.read_status()
        except KanjiError:
            return None

    def state(self) -> str:
        """The current state: starting, running, finished, stopped, failed or lost (crashed)."""
        status = self.status()
        return status.current_state() if status else "lost"

    def request_stop(self) -> str:
        """Request the job to stop, and return its current state. Has no effect on a job that has ended."""
        state = self.state()
        if state in ACTIVE:
            self.stop_file.touch()
        return state

    def delete(self) -> None:
        """Remove the directory; UsageError while the job still runs.

        It gets a hidden name first, so that broken off nothing of it is listed; the next start removes the rest.
        """
        if self.state() in ACTIVE:
            raise UsageError(f"run {self.name} is still running", f"stop it first: kanji-tui stop {self.name}")
        try:
            hidden = self.path.rename(self.path.with_name(f"{DELETED}{self.path.name}"))
            shutil.rmtree(hidden)
        except OSError as error:
            raise KanjiError(
                f"{self.path} could not be removed: {error}", f"check its permissions: ls -l {self.path}"
            ) from None


def directory_removed(run: RunDirectory) -> KanjiError:
    """The error with which a job ends whose run directory was removed."""
    return KanjiError(
        f"the run directory {run.path} was removed while its job ran, so the job has ended",
        "to end a run and remove it: kanji-tui stop RUN, then kanji-tui delete RUN",
    )


def create(
    job: str, entry: str, spec: dict[str, Any], runs: Path = RUNS_DIR, about: About | None = None
) -> RunDirectory:
    """Make a new run directory with config.yaml and the status `starting`; mkdir resolves races.

    What dead processes left unfinished in the models folder is removed.
    """
    remove_litter(runs)
    run = RunDirectory(_new_directory(job, runs))
    config = {"job": job, "entry": entry, "spec": spec}
    try:
        # With its config the run is listed, and then it has a status.
        run.write_status(Status(job, "starting", socket.gethostname(), boot_id(), 0, 0.0, time.time()))
        if about is not None and about != About():
            write_about(run.path, about)
        write_text(run.path / "config.yaml", yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
    except KanjiError:
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    return run


def _new_directory(job: str, runs: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    try:
        runs.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = inside(runs, f"{stamp}-{job}-{number}")
            with suppress(FileExistsError):
                path.mkdir()
                return path
            number += 1
    except OSError as error:
        raise writing_failed(runs, error) from error


def job_of(name: str) -> str:
    """The job in a run's name; the name itself where it has none."""
    return "-".join(name.split("-")[1:-1]) or name


def list_runs(runs: Path = RUNS_DIR) -> list[RunDirectory]:
    """All runs, newest first."""
    if not runs.is_dir():
        return []
    paths = [path for path in runs.iterdir() if not path.name.startswith(".") and is_run(path)]
    return [RunDirectory(path) for path in sorted(paths, key=_creation, reverse=True)]


def is_run(path: Path) -> bool:
    """Whether this is a run's directory: it is one from the moment on that it has its config."""
    return os.path.exists(path / "config.yaml")


def _creation(path: Path) -> tuple[str, int, str]:
    """Sort key of runs: the second in the name, then the time config.yaml was written."""
    try:
        written = (path / "config.yaml").stat().st_mtime_ns
    except OSError:  # it was just removed
        written = 0
    return path.name.split("-")[0], written, path.name


def find_run(name: str, runs: Path = RUNS_DIR) -> RunDirectory:
    """The run with this name, path or unique prefix of a name; `latest` is the newest training."""
    known = list_runs(runs)
    if name == "latest":
        known = [run for run in known if "-train-" in run.name][:1]
    else:
        wanted = Path(name).name
        exact = [run for run in known if run.name == wanted]
        known = exact or [run for run in known if wanted and run.name.startswith(wanted)]
    if len(known) == 1:
        return known[0]
    if known:
        raise UsageError(f"'{name}' matches {len(known)} runs", "give more of the name: kanji-tui runs")
    raise UsageError(f"there is no run '{name}' in {runs}", "list them with: kanji-tui runs")
