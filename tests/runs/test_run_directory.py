"""Run directories: the status of a job, and the state that readers derive from it."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanji_tui import events
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Damaged, Epoch, Failure, Gpu, Notice, Outcome, Progress, State, to_json
from kanji_tui.runs.event_log import parse_event, read_events
from kanji_tui.runs.run_directory import (
    LOST_AFTER_SECONDS,
    Config,
    RunDirectory,
    create,
    find_run,
    list_runs,
    status_of_this_process,
)

ENTRY = "kanji_tui.jobs.verify:run"


def new(runs: Path, job: str = "verify") -> RunDirectory:
    return create(job, ENTRY, {"data_dir": "dataset"}, runs)


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


# --- the current state -----------------------------------------------------------------------------------------


def test_a_job_of_this_process_is_running() -> None:
    assert status_of_this_process("train", "running").current_state() == "running"


def test_a_dead_process_is_lost() -> None:
    status = replace(status_of_this_process("train", "running"), pid=dead_pid())
    assert status.current_state() == "lost"


def test_a_zombie_process_is_lost() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    started = status_of_this_process("train", "running")
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert replace(started, pid=child.pid, pid_start=time.time()).current_state() == "lost"
    child.wait()


def test_a_pid_of_another_process_is_lost_after_missing_heartbeats() -> None:
    status = replace(status_of_this_process("train", "running"), pid_start=1.0)
    assert status.current_state(status.heartbeat + 7) == "lost"


def test_setting_the_clock_does_not_lose_a_job_with_recent_heartbeats() -> None:
    status = status_of_this_process("train", "running")
    stepped = replace(status, pid_start=status.pid_start + 3600)
    assert stepped.current_state(stepped.heartbeat + 2) == "running"


def test_a_job_before_a_reboot_is_lost() -> None:
    assert replace(status_of_this_process("train", "running"), boot_id="another").current_state() == "lost"


def test_on_another_host_the_heartbeat_decides() -> None:
    away = replace(status_of_this_process("train", "running"), host="elsewhere", boot_id="another", pid=dead_pid())
    assert away.current_state() == "running"
    assert away.current_state(away.heartbeat + LOST_AFTER_SECONDS - 1) == "running"
    assert away.current_state(away.heartbeat + LOST_AFTER_SECONDS + 1) == "lost"


def test_an_old_heartbeat_does_not_lose_an_existing_process(tmp_path: Path) -> None:
    run = new(tmp_path)  # as after a suspend, or with a full disk
    run.write_status(replace(status_of_this_process("train", "running"), heartbeat=0.0))
    assert run.state() == "running"
    with pytest.raises(UsageError, match="still running"):
        run.delete()
    assert run.request_stop() == "running"
    assert run.stop_file.exists()


def test_where_the_start_time_of_a_process_is_hidden_the_heartbeat_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(self: psutil.Process) -> float:
        raise psutil.AccessDenied(self.pid)

    status = status_of_this_process("train", "running")
    monkeypatch.setattr(psutil.Process, "create_time", hidden)
    assert status.current_state(status.heartbeat + LOST_AFTER_SECONDS - 1) == "running"
    assert status.current_state(status.heartbeat + LOST_AFTER_SECONDS + 1) == "lost"


def test_without_psutil_the_heartbeat_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = replace(status_of_this_process("train", "running"), pid=dead_pid())
    monkeypatch.setitem(sys.modules, "psutil", None)
    for status in (dead, status_of_this_process("train", "running")):
        assert status.current_state(status.heartbeat + LOST_AFTER_SECONDS - 1) == "running"
        assert status.current_state(status.heartbeat + LOST_AFTER_SECONDS + 1) == "lost"


@pytest.mark.parametrize("state", ["finished", "stopped", "failed"])
def test_a_job_that_ended_is_never_lost(state: str) -> None:
    ended = replace(status_of_this_process("train", state), pid=dead_pid(), heartbeat=0.0)
    assert ended.current_state() == state


def test_a_new_job_is_starting_and_lost_if_it_does_not_start(tmp_path: Path) -> None:
    run = new(tmp_path)
    assert run.state() == "starting"
    status = run.status()
    assert status is not None
    assert status.current_state(status.heartbeat + LOST_AFTER_SECONDS + 1) == "lost"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"state": 1}'])
def test_a_damaged_status_is_lost(tmp_path: Path, text: str) -> None:
    run = new(tmp_path)
    (run.path / "status.json").write_text(text)
    assert run.status() is None
    assert run.state() == "lost"


def test_unknown_fields_are_ignored_and_numbers_must_be_numbers(tmp_path: Path) -> None:
    run = new(tmp_path)
    value = json.loads((run.path / "status.json").read_text())
    (run.path / "status.json").write_text(json.dumps({**value, "version": 2, "mood": "good"}))
    assert run.state() == "starting"
    (run.path / "status.json").write_text(json.dumps({**value, "heartbeat": "soon"}))
    assert run.state() == "lost"


# --- creating, finding, deleting -------------------------------------------------------------------------------


def test_a_new_run_has_a_name_a_status_and_a_config(tmp_path: Path) -> None:
    run = new(tmp_path / "models" / "runs")
    stamp, job, number = run.name.split("-")
    assert time.strptime(stamp, "%Y%m%dT%H%M%S")
    assert (job, number) == ("verify", "1")
    assert run.config() == Config("verify", ENTRY, {"data_dir": "dataset"})
    status = json.loads((run.path / "status.json").read_text())
    fields = {"version", "job", "state", "host", "boot_id", "pid", "pid_start", "heartbeat"}
    assert set(status) == fields
    assert status["host"] == socket.gethostname()


def test_threads_create_different_runs(tmp_path: Path) -> None:
    made: list[RunDirectory] = []
    start = threading.Barrier(8)

    def one() -> None:
        start.wait()
        made.extend(new(tmp_path / "runs") for _ in range(5))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run.name for run in made}) == 40
    assert all(run.config().job == "verify" for run in made)


def test_processes_create_different_runs(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from kanji_tui.runs.run_directory import create\n"
        "for _ in range(20): print(create('verify', 'x:y', {}, Path(sys.argv[1])).name)"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    names = [name for process in both for name in process.communicate(timeout=60)[0].split()]
    assert len(set(names)) == 40
    assert {run.name for run in list_runs(tmp_path)} == set(names)


def test_runs_are_listed_newest_first_by_creation(tmp_path: Path) -> None:
    for number, name in enumerate(["20260101T000000-prepare-1", "20260101T000000-train-1", "20250101T000000-a-1"]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text("{}")
        os.utime(tmp_path / name / "config.yaml", (number + 1, number + 1))
    (tmp_path / "20260101T000000-prepare-1" / "status.json").write_text("{}")  # a heartbeat
    names = [run.name for run in list_runs(tmp_path)]
    assert names == ["20260101T000000-train-1", "20260101T000000-prepare-1", "20250101T000000-a-1"]


def test_other_files_and_folders_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "20260101T000000-train-1").mkdir()  # a run whose process died before it wrote the config
    assert list_runs(tmp_path) == []
    assert list_runs(tmp_path / "none") == []


def test_a_folder_that_cannot_be_created_is_an_error_message(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(KanjiError, match="models"):
        new(tmp_path / "models" / "runs")


def test_runs_are_found_by_name_path_prefix_and_latest(tmp_path: Path) -> None:
    run = new(tmp_path, "train")
    other = new(tmp_path, "prepare")
    assert find_run(run.name, tmp_path) == run
    assert find_run(str(run.path), tmp_path) == run
    assert find_run(run.name[:-2], tmp_path) == run
    assert find_run("latest", tmp_path) == run
    assert other.name.split("-")[0][:4] == run.name[:4]
    with pytest.raises(UsageError, match="matches 2 runs"):
        find_run(run.name[:4], tmp_path)
    with pytest.raises(UsageError, match="no run 'nothing'"):
        find_run("nothing", tmp_path)


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_an_empty_name_matches_no_run(tmp_path: Path, name: str) -> None:
    new(tmp_path)
    with pytest.raises(UsageError, match="there is no run"):
        find_run(name, tmp_path)


def test_only_an_active_job_is_stopped_and_only_an_ended_one_is_deleted(tmp_path: Path) -> None:
    run = new(tmp_path)
    with pytest.raises(UsageError, match="still running"):
        run.delete()
    assert run.request_stop() == run.request_stop() == "starting"
    assert run.stop_file.exists()
    run.write_status(status_of_this_process("verify", "finished"))
    run.stop_file.unlink()
    assert run.request_stop() == "finished"
    assert not run.stop_file.exists()
    run.delete()
    assert not run.path.exists()


@pytest.mark.parametrize("text", [None, "[", "- 1", "\x00"])
def test_a_damaged_config_is_an_error_message(tmp_path: Path, text: str | None) -> None:
    run = RunDirectory(tmp_path)
    if text is not None:
        (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(KanjiError, match=r"config\.yaml"):
        run.config()


# --- events ----------------------------------------------------------------------------------------------------


def test_an_incomplete_line_is_left_for_the_next_call(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    first, second = (json.dumps(to_json(Notice(text), 5.0)).encode() + b"\n" for text in ("一", "二"))
    path.write_bytes(first + second[:9])
    found, offset = read_events(path)
    assert found == [(5.0, Notice("一"))]
    assert offset == len(first)
    assert read_events(path, offset) == ([], offset)
    with open(path, "ab") as file:
        file.write(second[9:])
    assert read_events(path, offset) == ([(5.0, Notice("二"))], len(first + second))


def test_unknown_lines_are_skipped_and_damaged_ones_named(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    known = json.dumps({"v": 9, "t": 1, "type": "warning", "message": "kept", "colour": "new"})
    lines = [
        '{"type": "newer", "t": 1}',
        "no json",
        "[1, 2]",
        "5",
        "null",
        '{"type": ["list"]}',
        '{"type": "warning", "message": "x", "t": "soon"}',
        '{"type": "warning", "message": "x", "t": null}',
        '{"type": "warning"}',
        "\xff\xfe",
        "",
        known,
    ]
    path.write_bytes("\n".join(lines).encode("latin-1") + b"\n")
    found = [event for _, event in read_events(path)[0]]
    assert found[-1] == Notice("kept")
    assert len(found) == len(lines) - 1  # but for the newer type
    assert all(isinstance(event, Damaged) and "events.jsonl" in event.reason for event in found[:-1])


def test_a_missing_file_has_no_events(tmp_path: Path) -> None:
    assert read_events(tmp_path / "events.jsonl", 7) == ([], 7)


NUMBERS = st.floats(-(2**53), 2**53)
COUNTS = st.integers(0, 2**53)
SHARES = st.floats(0, 1)
ROUNDED = NUMBERS.map(lambda number: float(f"{number:.7g}"))  # of events that a run writes by the thousand
EVENTS = st.one_of(
    st.builds(State, st.text(), st.text()),
    st.builds(Progress, st.text(), COUNTS, COUNTS, st.text(), st.text(), st.none() | ROUNDED),
    st.builds(Epoch, COUNTS, COUNTS, NUMBERS, SHARES, NUMBERS, *[SHARES] * 3, *[NUMBERS] * 3, st.booleans()),
    st.builds(Gpu, st.integers(0, 9), st.text(), st.none() | ROUNDED, st.none() | COUNTS),
    st.builds(Notice, st.text()),
    st.builds(Outcome, st.dictionaries(st.text(), st.integers() | st.text())),
    st.builds(Failure, st.text(), st.text(), st.integers(0, 255)),
)


@given(st.lists(EVENTS))
def test_events_are_read_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, written: list) -> None:
    path = tmp_path_factory.mktemp("events") / "events.jsonl"
    with open(path, "w", encoding="utf-8") as file:
        for event in written:
            file.write(json.dumps(to_json(event, 3.0), ensure_ascii=False) + "\n")
    found, offset = read_events(path)
    assert found == [(3.0, event) for event in written]
    assert offset == path.stat().st_size


def test_each_event_class_is_found_by_its_type() -> None:
    assert set(events.EVENTS) == {
        "state",
        "progress",
        "epoch",
        "gpu",
        "energy",
        "warning",
        "result",
        "error",
        "step",
        "load",
        "log",
    }
    assert parse_event(b'{"type": "state", "state": "running"}') == (0.0, State("running"))
