"""Run directories, `models/runs/<UTC time>-<job>-<n>/`: all that others may know of a job.

    config.yaml     {job, entry, spec}: what was asked for, everything resolved
    status.json     {version, job, state, host, boot_id, pid, pid_start, heartbeat}
    events.jsonl    one event a line, see kanji_tui.events
    log.txt         what the process printed
    stop            when this file is there, the job stops at its next batch

Everything here only reads and writes small files: fit for any thread and any process.
"""

import json
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
from typing import Any

import yaml

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Event, from_json
from kanji_tui.paths import RUNS_DIR
from kanji_tui.system.files import read_json, write_json, write_text, writing_failed

STATUS_VERSION = 1
HEARTBEAT_SECONDS = 2.0
LOST_AFTER_SECONDS = 30.0
ACTIVE = ("starting", "running")


@dataclass(frozen=True)
class Status:
    """status.json as it was written; `heartbeat` in seconds since 1970, `pid_start` as psutil gives it, or 0."""

    job: str
    state: str
    host: str
    boot_id: str
    pid: int
    pid_start: float
    heartbeat: float
    version: int = STATUS_VERSION

    def verdict(self, now: float | None = None) -> str:
        """The state as a reader must see it: `lost` for a job that says it runs but is no longer there.

        On this host the process itself tells; of one on another host, or not begun yet, or where psutil is not
        installed here or there, only the heartbeat does.
        """
        if self.state not in ACTIVE:
            return self.state
        age = (time.time() if now is None else now) - self.heartbeat
        here = self.pid_start and self.host == socket.gethostname() and find_spec("psutil")
        alive = self._alive(age) if here else age <= LOST_AFTER_SECONDS
        return self.state if alive else "lost"

    def _alive(self, age: float) -> bool:
        import psutil

        if self.boot_id != boot_id():
            return False
        try:
            process = psutil.Process(self.pid)
            # A clock set anew moves all start times; where a heart still beats, the number was not given again.
            same = abs(process.create_time() - self.pid_start) < 1.0 or age < 3 * HEARTBEAT_SECONDS
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.AccessDenied:  # a process with this number, but when it began is hidden
            return age <= LOST_AFTER_SECONDS
        except psutil.NoSuchProcess:
            return False


@cache
def boot_id() -> str:
    """What tells this boot of this machine from any other."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # no Linux
        import psutil

        return f"booted-{int(psutil.boot_time())}"


def status_of_this_process(job: str, state: str) -> Status:
    """A status saying that the calling process runs `job`."""
    pid = os.getpid()
    return Status(
        job=job,
        state=state,
        host=socket.gethostname(),
        boot_id=boot_id(),
        pid=pid,
        pid_start=_start_of(pid),
        heartbeat=time.time(),
    )


def _start_of(pid: int) -> float:
    try:
        import psutil
    except ImportError:
        return 0.0
    return float(psutil.Process(pid).create_time())


@dataclass(frozen=True)
class RunDirectory:
    """One run's directory; the directory exists, its files may not yet."""

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

    def config(self) -> dict[str, Any]:
        """{job, entry, spec} as it was written at the start; KanjiError when missing or broken."""
        try:
            value = yaml.safe_load((self.path / "config.yaml").read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise KanjiError(f"{self.path / 'config.yaml'} cannot be read: {error}") from None
        if not isinstance(value, dict):
            raise KanjiError(f"{self.path / 'config.yaml'} holds no settings")
        return value

    def write_status(self, status: Status) -> None:
        write_json(self.path / "status.json", asdict(status))

    def status(self) -> Status | None:
        """The status as written, or None while there is none that can be read."""
        try:
            value = read_json(self.path / "status.json")
            known = {name: item for name, item in value.items() if name in Status.__dataclass_fields__}
            numbers = {"pid": int(known["pid"]), **{n: float(known[n]) for n in ("pid_start", "heartbeat")}}
            return Status(**{**known, **numbers})
        except (KanjiError, KeyError, TypeError, ValueError):
            return None

    def state(self) -> str:
        """The reader's verdict: starting, running, finished, stopped, failed or lost."""
        status = self.status()
        return status.verdict() if status else "lost"

    def request_stop(self) -> str:
        """Ask the job to stop, and return its state now. Asking twice, or a job that ended, changes nothing."""
        state = self.state()
        if state in ACTIVE:
            self.stop_file.touch()
        return state

    def delete(self) -> None:
        """Remove the directory; UsageError while the job still runs."""
        if self.state() in ACTIVE:
            raise UsageError(f"run {self.name} is still running", f"stop it first: kanji-tui stop {self.name}")
        try:
            shutil.rmtree(self.path)
        except OSError as error:
            raise KanjiError(f"{self.path} could not be removed: {error}", f"ls -l {self.path}") from None


def create(job: str, entry: str, spec: dict[str, Any], runs: Path = RUNS_DIR) -> RunDirectory:
    """Make a new run directory with config.yaml and a status saying `starting`; mkdir decides any race."""
    run = RunDirectory(_new_directory(job, runs))
    config = {"job": job, "entry": entry, "spec": spec}
    write_text(run.path / "config.yaml", yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
    run.write_status(Status(job, "starting", socket.gethostname(), boot_id(), 0, 0.0, time.time()))
    return run


def _new_directory(job: str, runs: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    try:
        runs.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = runs / f"{stamp}-{job}-{number}"
            with suppress(FileExistsError):
                path.mkdir()
                return path
            number += 1
    except OSError as error:
        raise writing_failed(runs, error) from error


def list_runs(runs: Path = RUNS_DIR) -> list[RunDirectory]:
    """All runs, newest first."""
    if not runs.is_dir():
        return []
    found = [(_born(path), RunDirectory(path)) for path in runs.iterdir()]
    return [run for born, run in sorted(found, key=lambda pair: pair[0], reverse=True) if born[1]]


def _born(path: Path) -> tuple[str, int, str]:
    """What tells the order of runs: the second in the name, then when config.yaml was written; 0 without one."""
    try:
        written = (path / "config.yaml").stat().st_mtime_ns
    except OSError:
        written = 0
    return path.name.split("-")[0], written, path.name


def find_run(name: str, runs: Path = RUNS_DIR) -> RunDirectory:
    """The run with this name, this path, or this unambiguous beginning; `latest` is the newest training."""
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
        raise UsageError(f"'{name}' fits {len(known)} runs", "write more of the name: kanji-tui runs")
    raise UsageError(f"there is no run '{name}' in {runs}", "list them with: kanji-tui runs")


def read_events(path: Path, offset: int = 0, limit: int | None = None) -> tuple[list[tuple[float, Event]], int]:
    """The events after byte `offset` as (seconds since 1970, event), and the offset to go on from.

    With `limit` no more than about so many bytes are read, to the end of a line. A last line without its line feed
    is left for the next call; broken or unknown lines are passed over.
    """
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            chunk = file.read() if limit is None else file.read(limit) + file.readline()
    except FileNotFoundError:
        return [], offset
    end = chunk.rfind(b"\n") + 1
    events = [_parse(line) for line in chunk[:end].splitlines()]
    return [event for event in events if event is not None], offset + end


def _parse(line: bytes) -> tuple[float, Event] | None:
    try:
        value = json.loads(line)
        event = from_json(value)
        return None if event is None else (float(value.get("t", 0.0)), event)
    except (ValueError, TypeError, AttributeError):  # no JSON, no object, or fields of the wrong kind
        return None
