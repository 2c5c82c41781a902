"""The recorder: events, states, heartbeats and stop requests."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from kanji_tui.errors import KanjiError
from kanji_tui.events import Failure, Logged, Notice, Progress, State
from kanji_tui.runs import recorder as recorder_module
from kanji_tui.runs.event_log import read_events
from kanji_tui.runs.recorder import Recorder
from kanji_tui.runs.run_directory import RunDirectory, create


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


def test_heartbeats_are_written_until_the_job_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "HEARTBEAT_SECONDS", 0.02)
    run = new(tmp_path)
    with Recorder(run, "verify") as report:
        report(State("running"))
        heartbeats = set()
        deadline = time.monotonic() + 20
        while len(heartbeats) < 4 and time.monotonic() < deadline:
            status = run.status()
            assert status is not None
            assert status.state == "running"
            heartbeats.add(status.heartbeat)
            time.sleep(0.02)
        assert len(heartbeats) == 4
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_an_event_does_not_wait_for_a_heartbeat_on_a_slow_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "HEARTBEAT_SECONDS", 0.01)
    run = new(tmp_path)
    slow, go_on, written = threading.Event(), threading.Event(), threading.Event()
    with Recorder(run, "verify") as report:

        def write_slowly(self: RunDirectory, status: object) -> None:
            slow.set()
            go_on.wait(20)
            written.set()

        monkeypatch.setattr(RunDirectory, "write_status", write_slowly)
        assert slow.wait(20)
        report(Progress("training", 1, 2))
        assert not written.is_set()
        go_on.set()
    assert [event for _, event in read_events(run.events)[0]] == [Progress("training", 1, 2)]


def test_a_heartbeat_that_cannot_be_written_does_not_end_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_events_of_several_threads_are_complete_lines(tmp_path: Path) -> None:
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


def test_a_file_name_that_is_not_utf_8_can_be_recorded(tmp_path: Path) -> None:
    run = new(tmp_path)
    name = os.fsdecode(b"caf\xe9")
    with Recorder(run, "verify") as report:
        report(Notice(name))
    assert [event for _, event in read_events(run.events)[0]] == [Notice(name)]


def test_the_stop_file_is_a_stop_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "STOP_POLL_SECONDS", 0.0)
    run = new(tmp_path)
    with Recorder(run, "verify") as report:
        assert not report.stop_requested()
        assert run.request_stop() == "starting"
        time.sleep(0.001)
        assert report.stop_requested()
        run.stop_file.unlink()
        assert report.stop_requested()  # a request cannot be taken back


def test_signal_handlers_are_restored_when_the_job_has_ended(tmp_path):
    """A process that ran a job must not pass an ignored SIGHUP on to its later children."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    run = create("verify", "kanji_tui.jobs.verify:run", {}, tmp_path)
    with Recorder(run, "verify") as report:
        report.stop_on_sigterm()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)) == before


def test_nan_and_infinity_are_written_as_null(tmp_path):
    run = new(tmp_path)
    with Recorder(run, "verify") as report:
        report(Progress("training", 1, 2, rate=float("nan"), remaining=float("inf")))

    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is not JSON")

    line = json.loads(run.events.read_text(), parse_constant=refuse)
    assert (line["rate"], line["remaining"], line["done"]) == (None, None, 1)


def test_that_the_log_has_grown_becomes_an_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "HEARTBEAT_SECONDS", 0.02)
    run = new(tmp_path)
    with Recorder(run, "verify") as report:
        report(State("running"))  # there is no log yet
        for text in ("one\n", "two of 漢字\n"):
            with open(run.log, "a", encoding="utf-8") as log:
                log.write(text)
            until_logged(run)
    sizes = [event.size for _, event in read_events(run.events)[0] if isinstance(event, Logged)]
    assert sizes == [4, 18]


def until_logged(run: RunDirectory) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        sizes = [event.size for _, event in read_events(run.events)[0] if isinstance(event, Logged)]
        if sizes and sizes[-1] == run.log.stat().st_size:
            return
        time.sleep(0.01)


def test_what_was_printed_before_the_end_has_its_time(tmp_path: Path) -> None:
    run = new(tmp_path)
    with Recorder(run, "verify") as report:
        run.log.write_text("Traceback\n")
        report(Failure("it broke"))
        report(State("failed"))
    assert [event for _, event in read_events(run.events)[0]] == [Logged(10), Failure("it broke"), State("failed")]
