"""Jobs as child processes in their own sessions, started as the workbench and the commands start them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from kanji_tui.data.results import Verification
from kanji_tui.errors import KanjiError
from kanji_tui.events import Failure, Outcome, State
from kanji_tui.jobs import sample, verify
from kanji_tui.runs.event_log import read_events
from kanji_tui.runs.process import Job, as_json, resolve, start
from kanji_tui.runs.run_directory import ACTIVE, RunDirectory, create, list_runs
from kanji_tui.system.plain_data import to_plain

LONG = {"classes": 2000, "sets": 100}


def wait_for(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def end_of(run: RunDirectory) -> str:
    wait_for(lambda: run.state() not in ACTIVE)
    return run.state()


def events_of(run: RunDirectory) -> list:
    return [event for _, event in read_events(run.events)[0]]


def child(run: RunDirectory) -> subprocess.CompletedProcess:
    """Run the child's command and wait for it."""
    command = [sys.executable, "-m", "kanji_tui.runs.process", str(run.path), "0"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def long_run(tmp_path: Path):
    """A running `sample` job that takes minutes; stopped at the end of the test."""
    run = start("sample", sample.Spec(tmp_path / "ETL9G", **LONG), tmp_path / "runs", nice=5)
    wait_for(lambda: run.state() == "running")
    yield run
    run.request_stop()
    end_of(run)


def pid_of(run: RunDirectory) -> int:
    status = run.status()
    assert status is not None
    assert status.pid
    return status.pid


def test_a_job_runs_to_its_end_and_records_its_result(tmp_path: Path) -> None:
    run = start("sample", sample.Spec(tmp_path / "ETL9G", 3, 4, 1), tmp_path / "runs")
    assert run.state() in ACTIVE
    assert end_of(run) == "finished", run.log.read_text()
    events = events_of(run)
    assert (events[0], events[-1]) == (State("running"), State("finished"))
    (outcome,) = [event for event in events if isinstance(event, Outcome)]
    assert (outcome.result["records"], outcome.result["classes"], outcome.result["sets"]) == (12, 3, 4)
    assert [Path(path).is_file() for path in outcome.result["files"]] == [True]


def test_the_child_has_its_own_session_a_lower_priority_and_a_log(
    long_run: RunDirectory,
) -> None:
    pid = pid_of(long_run)
    assert os.getsid(pid) == pid != os.getsid(0)
    process = psutil.Process(pid)
    assert process.nice() == min(19, os.nice(0) + 5)
    assert process.terminal() is None
    assert os.path.samefile(f"/proc/{pid}/fd/1", long_run.log)
    assert os.path.samefile(f"/proc/{pid}/fd/2", long_run.log)
    assert os.path.samefile(f"/proc/{pid}/fd/0", "/dev/null")


def test_a_child_that_begins_late_is_alive_and_one_that_ends_before_is_lost_at_once(
    tmp_path: Path,
) -> None:
    run = start("sample", sample.Spec(tmp_path / "ETL9G", 3, 4, 1), tmp_path / "runs")
    os.kill(pid_of(run), signal.SIGSTOP)
    status = run.read_status()
    run.write_status(replace(status, heartbeat=status.heartbeat - 1000))
    assert run.state() == status.state
    os.kill(pid_of(run), signal.SIGCONT)
    assert end_of(run) == "finished", run.log.read_text()
    killed = start("sample", sample.Spec(tmp_path / "ETL9G", 3, 4, 1), tmp_path / "runs")
    os.kill(pid_of(killed), signal.SIGKILL)
    wait_for(lambda: killed.state() == "lost", 10)


def test_the_child_outlives_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from kanji_tui.runs.process import start; from kanji_tui.jobs.sample import Spec\n"
        "start('sample', Spec(Path(sys.argv[1]) / 'ETL9G', 40, 20), Path(sys.argv[1]) / 'runs')\n"
        "os.killpg(os.getpid(), signal.SIGKILL)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], start_new_session=True)
    assert parent.wait(60) == -signal.SIGKILL
    (run,) = list_runs(tmp_path / "runs")
    assert run.state() in ACTIVE
    assert end_of(run) == "finished", run.log.read_text()


def test_a_stop_file_ends_it_cleanly(long_run: RunDirectory, tmp_path: Path) -> None:
    pid = pid_of(long_run)
    assert long_run.request_stop() == "running"
    assert end_of(long_run) == "stopped"
    assert events_of(long_run)[-1] == State("stopped", "stopped")
    wait_for(lambda: gone(pid))


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_sigterm_stops_the_job_and_sighup_is_ignored(long_run: RunDirectory) -> None:
    pid = pid_of(long_run)
    os.kill(pid, signal.SIGHUP)
    time.sleep(0.3)
    assert long_run.state() == "running"
    os.kill(pid, signal.SIGTERM)
    assert end_of(long_run) == "stopped"


def test_a_killed_child_is_lost_immediately(long_run: RunDirectory) -> None:
    os.kill(pid_of(long_run), signal.SIGKILL)
    wait_for(lambda: long_run.state() == "lost", seconds=5)


def test_a_stop_request_before_the_start_stops_the_job(tmp_path: Path) -> None:
    run = create(
        "sample", "kanji_tui.jobs.sample:run", to_plain(sample.Spec(tmp_path / "ETL9G")), tmp_path / "runs"
    )
    run.request_stop()
    assert child(run).returncode == 130
    assert run.state() == "stopped"
    assert not list((tmp_path / "ETL9G").glob("ETL9G_*"))


def test_a_failure_is_recorded_with_its_remedy_and_exit_code(tmp_path: Path) -> None:
    spec = sample.Spec(tmp_path / "ETL9G", classes=1)
    run = create("sample", "kanji_tui.jobs.sample:run", to_plain(spec), tmp_path / "runs")
    process = child(run)
    assert process.returncode == 2
    assert "Traceback" not in process.stderr
    (failure,) = [event for event in events_of(run) if isinstance(event, Failure)]
    assert failure.exit_code == 2
    assert failure.message in process.stderr
    assert failure.remedy
    assert run.state() == "failed"


@pytest.mark.parametrize(
    ("entry", "spec", "code", "words"),
    [
        ("os:system", {}, 1, "not a job of this program"),
        ("kanji_tui.jobs.verify:run", {"data_dri": "x"}, 2, "has no field 'data_dri'"),
        ("kanji_tui.jobs.verify:run", ["x"], 1, "spec must be names with values"),
        ("kanji_tui.jobs.nothing:run", {}, 1, "not a job of this program"),
        ("kanji_tui.jobs.verify:walk", {}, 1, "not a job of this program"),
    ],
)
def test_a_job_that_cannot_start_fails_with_a_message(
    tmp_path: Path, entry: str, spec: object, code: int, words: str
) -> None:
    run = create("verify", entry, spec, tmp_path)  # type: ignore[arg-type]
    assert child(run).returncode == code
    (failure,) = [event for event in events_of(run) if isinstance(event, Failure)]
    assert words in failure.message
    assert run.state() == "failed"


def test_an_unexpected_error_leaves_its_traceback_in_the_log(tmp_path: Path) -> None:
    run = create("folds", "kanji_tui.jobs.folds:summarise", {"count": 2}, tmp_path)  # not called like this
    process = child(run)
    assert "Traceback" in process.stderr
    (failure,) = [event for event in events_of(run) if isinstance(event, Failure)]
    assert str(run.log) in failure.remedy


def test_only_jobs_can_be_resolved() -> None:
    assert resolve("kanji_tui.jobs.verify:run") == Job(verify.Spec, Verification, verify.run)
    with pytest.raises(KanjiError):
        resolve("subprocess:run")


def test_results_become_plain_values(tmp_path: Path) -> None:
    assert as_json(sample.Spec(Path("a"), 1, 2, 3)) == {
        "output_dir": "a",
        "classes": 1,
        "sets": 2,
        "seed": 3,
        "source": "strokes",
        "characters": "etl9g",
    }
    assert as_json({"path": Path("b"), "many": (1, 2)}) == {"path": "b", "many": [1, 2]}
