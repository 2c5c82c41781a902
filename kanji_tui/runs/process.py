"""Starts a job as a child process in its own session, and runs it there.

The child survives a closed workbench and a lost connection; it is followed through its run directory alone.
"""

import importlib
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.events import Failure, Outcome, Report, State
from kanji_tui.paths import RUNS_DIR
from kanji_tui.runs.about import About, about_of_resumed
from kanji_tui.runs.recorder import Recorder
from kanji_tui.runs.run_directory import RunDirectory, create, job_of, status_of_process
from kanji_tui.system.files import DISK_FULL, writing_failed
from kanji_tui.system.gpu import gpu_failure
from kanji_tui.system.plain_data import from_plain, read_plain, to_plain
from kanji_tui.system.threads import prepare_process
from kanji_tui.system.visible import visible


@dataclass(frozen=True)
class Job:
    """A job of this program: its function, and the dataclasses of its spec and its result."""

    spec: type
    result: type
    run: Callable[[Any, Report], Any]


def start(job: str, spec: Any, runs: Path = RUNS_DIR, nice: int = 0, about: About | None = None) -> RunDirectory:
    """Start the job with `spec` as a child in its own session; returns immediately.

    `nice` lowers the child's priority. `about` None: that of the run that the spec resumes. The child's output goes
    to log.txt in its run directory.
    """
    run = create(job, entry_of(job), to_plain(spec), runs, about or about_of_resumed(spec))
    with open(run.log, "ab") as log:  # this interpreter with a module of ours, and no shell
        child = subprocess.Popen(  # nosec B603
            [sys.executable, "-m", "kanji_tui.runs.process", str(run.path), str(nice)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    # The child waits for the end of its stdin. Until it writes status.json itself, which on a busy machine may be
    # late, its process shows whether it lives.
    assert child.stdin is not None
    with child.stdin, suppress(KanjiError):
        run.write_status(status_of_process(child.pid, job, "starting"))
    return run


def resolve(entry: str) -> Job:
    """The job named `module:function`; its spec is the module's `Spec`, its result what the function returns."""
    module_name, _, name = entry.partition(":")
    try:
        if not module_name.startswith("kanji_tui.jobs."):
            raise ImportError
        module = importlib.import_module(module_name)
        function = getattr(module, name)
    except (ImportError, AttributeError):
        raise KanjiError(f"'{entry}' is not a job of this program") from None
    returned = get_type_hints(function)["return"]
    result = next((hint for hint in get_args(returned) if hint is not type(None)), returned)
    return Job(module.Spec, result, function)


def entry_of(job: str) -> str:
    """The name of the job's function in config.yaml."""
    return f"kanji_tui.jobs.{job}:run"


def read_result(job: str, plain: dict[str, Any]) -> Any:
    """The result in an Outcome event as the job's dataclass; KanjiError for one that this version cannot read."""
    return read_plain(resolve(entry_of(job)).result, plain, f"the result of {job}")


def as_json(result: Any) -> dict[str, Any]:
    """A job's result as its command prints it with --json; empty for None."""
    plain: dict[str, Any] = to_plain(result) or {}
    return plain


def run_in(run: RunDirectory, console: Report | None = None) -> int:
    """Run the job that `run` describes in this process, and record how it ends; returns the exit code.

    `console` also receives every event, and may request a stop.
    """
    status = run.status()
    with Recorder(run, status.job if status else job_of(run.name), console) as report:
        report.stop_on_sigterm()
        try:
            config = run.config()
            job = resolve(config.entry)
            spec: Any = from_plain(job.spec, config.spec)
            report(State("running"))
            result = job.run(spec, report)
        except Stopped as stop:
            report(State("stopped", stop.message))
            return stop.exit_code
        except KanjiError as error:
            return _record_failure(error, f"{error.message}\n{error.remedy}", report)
        except BaseException as error:
            return _record_failure(_failure(error, run), traceback.format_exc(), report)
        try:
            report(Outcome(as_json(result)))
            report(State("finished"))
        except KanjiError as error:
            return _record_failure(error, f"{error.message}\n{error.remedy}", report)
        return 0


def _failure(error: BaseException, run: RunDirectory) -> KanjiError:
    """The error for an exception that no job foresees."""
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return writing_failed(Path(error.filename or run.path / "log.txt"), error)
    return gpu_failure(error) or KanjiError(f"{type(error).__name__}: {error}", f"the traceback is in {run.log}")


def _record_failure(error: KanjiError, logged: str, report: Report) -> int:
    """Record that the job failed, as far as the disk takes it; the exit code."""
    with suppress(OSError):
        print(visible(logged, lines=True), file=sys.stderr, flush=True)
    for event in (Failure(error.message, error.remedy, error.exit_code), State("failed", error.message)):
        with suppress(KanjiError):
            report(event)
    return error.exit_code


def main() -> None:
    """`python -m kanji_tui.runs.process RUN_DIRECTORY NICE`: the child."""
    directory, nice = Path(sys.argv[1]), int(sys.argv[2])
    if nice:
        os.nice(nice)
    sys.stdin.read()
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    prepare_process()
    sys.exit(run_in(RunDirectory(directory)))


if __name__ == "__main__":
    main()
