"""The recorder: events and states into a run directory, a heart that beats, the wish to stop."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice, Progress, State
from kanji_tui.runs import recorder as recorder_module
from kanji_tui.runs.recorder import Recorder
from kanji_tui.runs.run_directory import RunDirectory, create, read_events


def new(runs: Path) -> RunDirectory:
    return create("verify", "kanji_tui.jobs.verify:run", {}, runs)


def test_the_recorder_writes_events_and_states(tmp_path: Path) -> None:
    run = new(tmp_path)
    with Recorder(run, "verify") as report:
        status = run.status()
        assert status is not None
        assert status.pid == os.getpid()
        assert run.state() == "starting"
        report(State("running"))
        assert run.state() == "running"
        report(Progress("reading", 1, 2))
        report(State("finished", "all well"))
    assert run.state() == "finished"
    found = [event for _, event in read_events(run.events)[0]]
    assert found == [State("running"), Progress("reading", 1, 2), State("finished", "all well")]
    line = json.loads(run.events.read_text().splitlines()[0])
    assert (line["v"], line["type"]) == (1, "state")
    assert abs(line["t"] - time.time()) < 60


def test_the_heart_beats_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "HEARTBEAT_SECONDS", 0.02)
    run = new(tmp_path)
    with Recorder(run, "verify") as report:
        report(State("running"))
        beats = set()
        deadline = time.monotonic() + 20
        while len(beats) < 4 and time.monotonic() < deadline:
            status = run.status()
            assert status is not None
            assert status.state == "running"
            beats.add(status.heartbeat)
            time.sleep(0.02)
        assert len(beats) == 4
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_an_event_does_not_wait_for_a_heartbeat_on_a_slow_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "HEARTBEAT_SECONDS", 0.01)
    run = new(tmp_path)
    slow, go_on = threading.Event(), threading.Event()
    with Recorder(run, "verify") as report:

        def write_slowly(self: RunDirectory, status: object) -> None:
            slow.set()
            go_on.wait(20)

        monkeypatch.setattr(RunDirectory, "write_status", write_slowly)
        assert slow.wait(20)
        began = time.monotonic()
        report(Progress("training", 1, 2))
        assert time.monotonic() - began < 5
        go_on.set()
    assert [event for _, event in read_events(run.events)[0]] == [Progress("training", 1, 2)]


def test_a_heart_that_cannot_write_goes_on_beating(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "HEARTBEAT_SECONDS", 0.01)
    run = new(tmp_path)
    with Recorder(run, "verify"):
        true = RunDirectory.write_status
        failed = threading.Event()

        def full(self: RunDirectory, status: object) -> None:
            failed.set()
            raise KanjiError("the disk is full")

        monkeypatch.setattr(RunDirectory, "write_status", full)
        assert failed.wait(20)
        before = run.status()
        monkeypatch.setattr(RunDirectory, "write_status", true)
        deadline = time.monotonic() + 20
        while run.status() == before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert run.status() != before


def test_threads_tell_whole_lines(tmp_path: Path) -> None:
    run = new(tmp_path)
    with Recorder(run, "verify") as report:
        threads = [
            threading.Thread(target=lambda: [report(Notice("あ" * 200)) for _ in range(200)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(read_events(run.events)[0]) == 800


def test_a_file_name_that_is_no_utf_8_can_be_told(tmp_path: Path) -> None:
    run = new(tmp_path)
    name = os.fsdecode(b"caf\xe9")
    with Recorder(run, "verify") as report:
        report(Notice(name))
    assert [event for _, event in read_events(run.events)[0]] == [Notice(name)]


def test_the_stop_file_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "STOP_LOOK_SECONDS", 0.0)
    run = new(tmp_path)
    with Recorder(run, "verify") as report:
        assert not report.stop_requested()
        assert run.request_stop() == "starting"
        time.sleep(0.001)
        assert report.stop_requested()
        run.stop_file.unlink()
        assert report.stop_requested()  # once asked, asked


def test_signals_are_as_before_once_the_job_has_ended(tmp_path):
    """A process that ran a job must not hand an ignored hang-up on to the children it starts later."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    run = create("verify", "kanji_tui.jobs.verify:run", {}, tmp_path)
    with Recorder(run, "verify") as report:
        report.stop_on_sigterm()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)) == before


def test_what_is_no_number_is_written_as_null(tmp_path):
    run = new(tmp_path)
    with Recorder(run, "verify") as report:
        report(Progress("training", 1, 2, rate=float("nan"), remaining=float("inf")))

    def no_number(text: str) -> None:
        raise AssertionError(f"{text} is no JSON")

    line = json.loads(run.events.read_text(), parse_constant=no_number)
    assert (line["rate"], line["remaining"], line["done"]) == (None, None, 1)
