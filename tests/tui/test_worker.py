"""The worker thread, the views of runs it keeps, and the place it looks at."""

import json
import threading
import time
from pathlib import Path

import pytest

from kanji_tui.errors import KanjiError
from kanji_tui.events import Epoch, Progress, State
from kanji_tui.jobs.run_directory import RunDirectory
from kanji_tui.tui.messages import Answer, Refusal
from kanji_tui.tui.place import Place, next_step, read_place
from kanji_tui.tui.runs import Tail, Watch, start_time
from kanji_tui.tui.worker import Worker, read_complaint
from tests.tui.recorded import LIVE, RUN, write_live, write_run


class Listener:
    """Takes messages as a screen would, on whatever thread they are posted."""

    def __init__(self) -> None:
        self.messages: list = []

    def post_message(self, message: object) -> bool:
        self.messages.append(message)
        return True

    def wait_for(self, kind: type, count: int = 1, seconds: float = 20.0) -> list:
        deadline = time.monotonic() + seconds
        while len(found := [message for message in self.messages if isinstance(message, kind)]) < count:
            assert time.monotonic() < deadline, self.messages
            time.sleep(0.02)
        return found


@pytest.fixture
def worker(home: Path):
    listener = Listener()
    worker = Worker(listener)  # type: ignore[arg-type]
    worker.start()
    yield worker, listener
    worker.close()
    assert not worker.is_alive()


def test_the_bar_of_a_training_does_not_jump_while_it_validates(home: Path) -> None:
    run = write_live(home)
    tail = Tail(run)
    with open(run.events, "a") as file:
        for event in (Progress("training", 40, 100, "samples"), Progress("validation", 9, 10, "samples")):
            file.write(json.dumps({"t": 1.0, "type": "progress", **event.__dict__}) + "\n")
    tail.look()
    shown = tail.view.progress
    assert shown is not None
    assert (shown.phase, shown.done, shown.total) == ("validation", 40, 100)


def test_a_question_is_answered_on_the_worker_thread(worker) -> None:
    thread, listener = worker
    thread.ask(listener, "who", lambda: threading.current_thread().name)
    answer = listener.wait_for(Answer)[0]
    assert (answer.slot, answer.value) == ("who", "worker")


def test_an_error_becomes_a_refusal_with_its_remedy(worker) -> None:
    thread, listener = worker

    def refuse() -> None:
        raise KanjiError("no dataset in there", "make one")

    thread.ask(listener, "open", refuse)
    refusal = listener.wait_for(Refusal)[0]
    assert (refusal.slot, refusal.message, refusal.remedy) == ("open", "no dataset in there", "make one")


def test_a_newer_question_replaces_one_that_waits(worker) -> None:
    thread, listener = worker
    gate = threading.Event()
    thread.ask(listener, "slow", gate.wait)
    for number in range(1, 51):
        thread.ask(listener, "page", lambda number=number: number)
    gate.set()
    pages = [answer.value for answer in listener.wait_for(Answer, 2) if answer.slot == "page"]
    assert pages == [50]


def test_a_child_answers_with_json_and_refuses_with_its_sentence(worker, home: Path) -> None:
    thread, listener = worker
    thread.ask_child(listener, "runs", ("runs",))
    assert listener.wait_for(Answer)[0].value == {"runs": []}
    thread.ask_child(listener, "attach", ("attach", "nothing"))
    assert "nothing" in listener.wait_for(Refusal)[0].message


def test_complaints_of_the_command_line() -> None:
    assert read_complaint("note\nerror: it broke\n  try: mend it\n", 1) == ("it broke", "mend it")
    assert read_complaint("Killed\n", 137) == ("Killed", "")
    assert "code 9" in read_complaint("", 9)[0]


def test_a_tail_folds_what_was_added(home: Path) -> None:
    run = write_live(home)
    tail = Tail(run)
    assert tail.look()
    assert [epoch.epoch for epoch in tail.view.epochs] == [1, 2, 3, 4]
    assert tail.view.active
    assert tail.view.network == "kanjinet"
    assert not tail.look()
    line = json.dumps({"v": 1, "t": 5.0, "type": "progress", "phase": "training", "done": 9, "total": 10})
    with open(run.events, "a", encoding="utf-8") as file:
        file.write(line)
    assert not tail.look()  # a line without its end is not read yet
    with open(run.events, "a", encoding="utf-8") as file:
        file.write("\n")
    assert tail.look()
    assert tail.view.progress == Progress("training", 9, 10)
    assert tail.view.moved == 5.0


def test_files_of_a_preparation_are_kept_apart_from_its_progress(home: Path) -> None:
    story = [
        State("running"),
        Progress("prepare", 10, 100, "records"),
        Progress("file", 5, 50, "records", "ETL9G_01"),
        Progress("file", 7, 50, "records", "ETL9G_02"),
        Progress("file", 9, 50, "records", "ETL9G_01"),
    ]
    tail = Tail(write_run(home, "20260102T030405-prepare-1", {}, "running", story))
    tail.look()
    assert tail.view.progress is not None
    assert tail.view.progress.phase == "prepare"
    assert [(progress.item, progress.done) for progress in tail.view.files] == [("ETL9G_01", 9), ("ETL9G_02", 7)]


def test_an_epoch_written_again_after_a_resume_counts_once(home: Path) -> None:
    run = write_live(home)
    tail = Tail(run)
    tail.look()
    again = tail.view.epochs[-1]
    with open(run.events, "a", encoding="utf-8") as file:
        file.write(json.dumps({"v": 1, "t": 6.0, "type": "epoch", **again.__dict__, "val_top1": 0.5}) + "\n")
    tail.look()
    assert len(tail.view.epochs) == 4
    assert isinstance(tail.view.epochs[-1], Epoch)
    assert tail.view.epochs[-1].val_top1 == 0.5


def test_a_watch_finds_and_forgets_runs(recorded: Path) -> None:
    watch = Watch()
    assert watch.list() == frozenset()
    assert RUN in {view.name for view in watch.look(1.0)}
    assert not watch.busy
    run = write_live(recorded)
    watch.list()
    assert [view.name for view in watch.look(1.0)] == [LIVE]
    assert watch.busy
    run.write_status(run.status().__class__(**{**run.status().__dict__, "state": "stopped"}))  # type: ignore[union-attr]
    RunDirectory(run.path).delete()
    assert watch.list() == {LIVE}


def test_reading_many_runs_is_spread_over_turns(home: Path) -> None:
    for number in range(5):
        write_run(home, f"20260102T03040{number}-train-1", {}, "finished", [State("running")])
    watch = Watch()
    watch.list()
    assert watch.look(0.0) == ()
    assert watch.busy
    assert len(watch.look(5.0)) == 5


def test_names_tell_when_a_run_began() -> None:
    assert start_time("19700102T000000-train-1") == 86400.0
    assert start_time("mine") == 0.0


def test_the_next_step_follows_what_is_there(home: Path, recorded_once: Path, monkeypatch) -> None:
    assert "press 2, then s" in next_step(read_place())
    monkeypatch.chdir(recorded_once)
    place = read_place()
    assert place.model is not None
    assert place.model.accuracy == pytest.approx(0.9896)
    assert "press 3, then e" in next_step(place)
    assert "press 3, then n" in next_step(Place(place.files, place.dataset))
    assert "then p prepares" in next_step(Place(place.files))
