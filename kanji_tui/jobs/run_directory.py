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
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import yaml

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Event, from_json
from kanji_tui.system.files import read_json, write_json, write_text

STATUS_VERSION = 1
HEARTBEAT_SECONDS = 2.0
LOST_AFTER_SECONDS = 30.0
ACTIVE = ("starting", "running")
RUNS = Path("models/runs")


@dataclass(frozen=True)
class Status:
    """status.json as it was written; `heartbeat` in seconds since 1970, `pid_start` as psutil gives it."""

    job: str
    state: str
    host: str
    boot_id: str
    pid: int
    pid_start: float
    heartbeat: float
    version: int = STATUS_VERSION

    def verdict(self, now: float | None = None) -> str:
        """The state as a reader must see it: `lost` for a job that says it runs but is no longer there."""
        if self.state not in ACTIVE:
            return self.state
        if self.pid and self.host == socket.gethostname() and not self._alive():
            return "lost"
        age = (time.time() if now is None else now) - self.heartbeat
        return "lost" if age > LOST_AFTER_SECONDS else self.state

    def _alive(self) -> bool:
        if self.boot_id != boot_id():
            return False
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.pid_start) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.AccessDenied:
            return True
        except psutil.NoSuchProcess:
            return False


@cache
def boot_id() -> str:
    """What tells this boot of this machine from any other."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
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
        pid_start=psutil.Process(pid).create_time(),
        heartbeat=time.time(),
    )


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
        except (OSError, yaml.YAMLError) as error:
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
            return Status(**{k: v for k, v in value.items() if k in Status.__dataclass_fields__})
        except (KanjiError, TypeError):
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
        shutil.rmtree(self.path)


def create(job: str, entry: str, spec: dict[str, Any], runs: Path = RUNS) -> RunDirectory:
    """Make a new run directory with config.yaml and a status saying `starting`; mkdir decides any race."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    runs.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        path = runs / f"{stamp}-{job}-{number}"
        try:
            path.mkdir()
            break
        except FileExistsError:
            number += 1
    run = RunDirectory(path)
    config = {"job": job, "entry": entry, "spec": spec}
    write_text(path / "config.yaml", yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
    run.write_status(Status(job, "starting", socket.gethostname(), boot_id(), 0, 0.0, time.time()))
    return run


def list_runs(runs: Path = RUNS) -> list[RunDirectory]:
    """All runs, newest first."""
    if not runs.is_dir():
        return []
    found = [RunDirectory(path) for path in runs.iterdir() if (path / "config.yaml").is_file()]
    return sorted(found, key=lambda run: (run.name.split("-")[0], run.path.stat().st_ctime_ns), reverse=True)


def find_run(name: str, runs: Path = RUNS) -> RunDirectory:
    """The run with this name, this path, or this unambiguous beginning; `latest` is the newest training."""
    known = list_runs(runs)
    if name == "latest":
        known = [run for run in known if "-train-" in run.name][:1]
    else:
        wanted = Path(name).name
        known = [run for run in known if run.name == wanted] or [r for r in known if r.name.startswith(wanted)]
    if len(known) == 1:
        return known[0]
    if known:
        raise UsageError(f"'{name}' fits {len(known)} runs", "write more of the name: kanji-tui runs")
    raise UsageError(f"there is no run '{name}' in {runs}", "list them with: kanji-tui runs")


def read_events(path: Path, offset: int = 0) -> tuple[list[tuple[float, Event]], int]:
    """The events after byte `offset` as (seconds since 1970, event), and the offset to go on from.

    A last line without its line feed is left for the next call; broken or unknown lines are passed over.
    """
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            chunk = file.read()
    except FileNotFoundError:
        return [], offset
    end = chunk.rfind(b"\n") + 1
    events = []
    for line in chunk[:end].splitlines():
        try:
            value = json.loads(line)
        except (json.JSONDecodeError, UnicodeDecodeError):
            continue
        event = from_json(value) if isinstance(value, dict) else None
        if event is not None:
            events.append((float(value.get("t", 0.0)), event))
    return events, offset + end
