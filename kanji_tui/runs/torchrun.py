"""Runs a job in the processes that torchrun started: rank 0 owns the run directory, the others only compute."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from kanji_tui.errors import Stopped
from kanji_tui.events import Event, Notice, Report
from kanji_tui.paths import RUNS_DIR
from kanji_tui.runs.about import About, about_of_resumed
from kanji_tui.runs.process import entry_of, resolve, run_in
from kanji_tui.runs.run_directory import RunDirectory, create
from kanji_tui.system.plain_data import from_plain, to_plain
from kanji_tui.system.threads import prepare_process


class WorkerReport:
    """The report of a rank other than 0: discards events; a signal is a stop request."""

    def __init__(self, directory: Path) -> None:
        self.directory: Path | None = directory
        self._stop = False
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, self._request_stop)

    def __call__(self, event: Event) -> None:
        pass

    def stop_requested(self) -> bool:
        return self._stop

    def _request_stop(self, signum: int, frame: FrameType | None) -> None:
        self._stop = True


def run_distributed(
    job: str,
    make_spec: Callable[[], Any],
    console: Report,
    runs: Path = RUNS_DIR,
    about: Callable[[Any], About] = about_of_resumed,
) -> tuple[RunDirectory | None, int]:
    """Run this process's part of the job; returns the run (None except on rank 0) and the exit code.

    `make_spec` is called on rank 0 only, which broadcasts the spec; `about` gives what is said of its run.
    Raises KanjiError for errors before the run exists, and for errors on other ranks.
    """
    prepare_process()
    spec = make_spec() if os.environ.get("RANK", "0") == "0" else None
    from kanji_tui.training import distributed

    world = distributed.join()
    entry = entry_of(job)
    run = create(job, entry, to_plain(spec), runs, about(spec)) if world.is_rank0 else None
    directory, plain = world.broadcast((run.path.absolute(), to_plain(spec)) if run else (Path(), {}))
    if run:
        console(Notice(f"run {run.name} started in {world.size} processes"))
        code = run_in(run, console)
    else:
        code = _run_worker(entry, plain, directory)
    if code in (0, Stopped.exit_code):  # after a crash the other processes may be gone
        distributed.shutdown()
    return run, code


def _run_worker(entry: str, plain: dict[str, Any], directory: Path) -> int:
    report = WorkerReport(directory)
    job = resolve(entry)
    try:
        job.run(from_plain(job.spec, plain), report)
    except Stopped as stop:  # rank 0 reports it
        return stop.exit_code
    return 0
