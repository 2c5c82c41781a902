"""The worker thread, the views of runs it keeps, and the workspace."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from kanji_tui.data.results import Verification
from kanji_tui.errors import KanjiError
from kanji_tui.events import Gpu, State
from kanji_tui.jobs import verify
from kanji_tui.runs import question
from kanji_tui.system.child import Child
from kanji_tui.tui.shell.messages import Answered, GpusRead, QuestionFailed, RunsChanged, WorkspaceRead
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.workspace import snapshot
from kanji_tui.workspace.run_views import Watch
from kanji_tui.workspace.snapshot import WorkspaceSnapshot, read_workspace
from tests.tui.recorded import LIVE, write_live, write_run


class Value(Answered[object]):
    """The answer to whatever a test asks."""


class OtherValue(Answered[object]):
    """The answer to another kind of question."""


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
            time.sleep(0.002)
        return found


@pytest.fixture
def unstarted(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Worker, Listener]]:
    monkeypatch.setattr("kanji_tui.tui.shell.worker.LIST_SECONDS", 0.02)
    listener = Listener()
    worker = Worker(listener)  # type: ignore[arg-type]
    yield worker, listener
    worker.close()
    assert not worker.is_alive()


@pytest.fixture
def worker(unstarted: tuple[Worker, Listener]) -> tuple[Worker, Listener]:
    unstarted[0].start()
    return unstarted


def add_run(number: int) -> None:
    """A new run that is active, complete from the moment it can be seen."""
    run = write_run(Path("elsewhere"), f"20260102T03040{number}-prepare-1", {}, "running", [State("running")])
    runs = Path("models/runs")
    runs.mkdir(parents=True, exist_ok=True)
    run.path.rename(runs / run.name)


def read_gpus(readings: list[float]) -> Callable[[], list[Gpu]]:
    """A driver that reports the utilisations of `readings`, then always the last."""
    rest = iter(readings)
    return lambda: [Gpu(0, "NVIDIA H200", utilisation=next(rest, readings[-1]))]


def test_gpus_are_posted_when_they_changed(unstarted, monkeypatch: pytest.MonkeyPatch) -> None:
    thread, listener = unstarted
    monkeypatch.setattr("kanji_tui.tui.shell.worker.GPU_SECONDS", 0.0)
    monkeypatch.setattr("kanji_tui.system.gpu.read_gpus", read_gpus([0.5, 0.5, 0.9, 0.9, 0.7]))
    thread.start()
    posted = [message.gpus[0].utilisation for message in listener.wait_for(GpusRead, 3)]
    assert posted == [0.5, 0.9, 0.7]


def test_gpus_are_not_read_at_every_poll(unstarted, monkeypatch: pytest.MonkeyPatch) -> None:
    thread, listener = unstarted
    monkeypatch.setattr("kanji_tui.tui.shell.worker.GPU_SECONDS", 1000.0)
    monkeypatch.setattr("kanji_tui.system.gpu.read_gpus", read_gpus([0.5, 0.9]))
    thread.start()
    listener.wait_for(GpusRead)
    for number in range(5):
        add_run(number)
        listener.wait_for(RunsChanged, number + 1)  # it polls
    assert [message.gpus[0].utilisation for message in listener.messages if isinstance(message, GpusRead)] == [0.5]


def test_a_question_is_answered_on_the_worker_thread(worker) -> None:
    thread, listener = worker
    thread.ask(listener, Value, lambda: threading.current_thread().name, "who")
    answer = listener.wait_for(Value)[0]
    assert (answer.key, answer.value) == ("who", "worker")


def test_questions_do_not_make_polling_more_frequent(worker, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is posted four times a second at most."""
    thread, listener = worker
    run = write_live(home)
    thread.poll_now()
    listener.wait_for(RunsChanged)
    monkeypatch.setattr("kanji_tui.tui.shell.worker.FOLLOW_SECONDS", 1000.0)
    ask_and_wait(thread, listener, "the poll that is due already is over")
    listener.messages.clear()
    for number in range(100):
        with open(run.events, "a") as file:
            file.write(
                json.dumps({"t": 1.0, "type": "progress", "phase": "training", "done": 1, "total": 9}) + "\n"
            )
        ask_and_wait(thread, listener, str(number))
    assert not [message for message in listener.messages if isinstance(message, RunsChanged)]


def ask_and_wait(thread: Worker, listener: Listener, key: str) -> None:
    before = sum(isinstance(message, Value) for message in listener.messages)
    thread.ask(listener, Value, lambda: 1, key)
    listener.wait_for(Value, before + 1)


def test_many_questions_do_not_stop_polling(worker, home: Path) -> None:
    thread, listener = worker
    listener.wait_for(WorkspaceRead)  # the first poll
    for number in range(250):
        thread.ask(listener, Value, lambda: time.sleep(0.002) or 1, str(number))
    write_live(home)
    listener.wait_for(Value, 250)
    kinds = [type(message) for message in listener.messages]
    assert kinds.index(RunsChanged) < len(kinds) - 1 - kinds[::-1].index(Value)


def test_an_error_is_posted_with_its_remedy(worker) -> None:
    thread, listener = worker

    def refuse() -> None:
        raise KanjiError("no dataset in there", "make one")

    thread.ask(listener, Value, refuse, "open")
    failed = listener.wait_for(QuestionFailed)[0]
    assert (failed.question, failed.key) == (Value, "open")
    assert (failed.error.message, failed.error.remedy) == ("no dataset in there", "make one")


def test_a_newer_question_replaces_one_that_waits(worker) -> None:
    thread, listener = worker
    gate = threading.Event()
    thread.ask(listener, OtherValue, gate.wait)
    for number in range(1, 51):
        thread.ask(listener, Value, lambda number=number: number)
        thread.ask(listener, Value, lambda number=number: -number, "another key")
    gate.set()
    assert [answer.value for answer in listener.wait_for(Value, 2)] == [50, -50]


def test_a_folder_that_is_slow_to_read_is_read_less_often(worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this thread's time it takes a hundredth: what takes 50 ms is read every 5 s."""
    thread, listener = worker
    listener.wait_for(WorkspaceRead)
    reads = []

    def slowly(**known: object) -> WorkspaceSnapshot:
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
        reads.append(1)
        return WorkspaceSnapshot(dataset_written=len(reads))

    monkeypatch.setattr("kanji_tui.tui.shell.worker.WORKSPACE_SECONDS", 0.0)
    monkeypatch.setattr("kanji_tui.tui.shell.worker.WORKSPACE_SHARE", 1e-6)
    monkeypatch.setattr(snapshot, "read_workspace", slowly)
    thread.poll_now()
    for number in range(5):
        add_run(number)
        listener.wait_for(RunsChanged, number + 1)  # it polls
    assert len(reads) == 1


class SlowToFind(Listener):
    """Takes a while to be found in a table on the worker's thread."""

    def __init__(self) -> None:
        super().__init__()
        self.searches = 0
        self.taken_out = threading.Event()

    def __hash__(self) -> int:
        if threading.current_thread().name == "worker":
            self.searches += 1
            if self.searches == 2:  # the question was found to be the newest
                self.taken_out.set()
            time.sleep(0.05)
        return id(self)


def test_a_question_put_while_another_is_taken_is_not_lost(worker) -> None:
    thread, _ = worker
    asker = SlowToFind()
    thread.ask(asker, Value, lambda: "first")
    assert asker.taken_out.wait(20)
    thread.ask(asker, Value, lambda: "newest")
    assert asker.wait_for(Value, 2)[1].value == "newest"


def test_a_run_that_cannot_be_read_is_listed_as_damaged_and_hides_no_other(worker, home: Path) -> None:
    thread, listener = worker
    broken = write_live(home)
    broken.events.unlink()
    broken.events.mkdir()
    (home / "models" / "runs" / "20260105T000000-train-1").mkdir()
    (home / "models" / "runs" / "20260105T000000-train-1" / "config.yaml").write_bytes(b"\xff\xfe\x00")
    write_run(home, "20260101T000000-train-1", {}, "finished", [State("running")])
    thread.poll_now()
    changed = listener.wait_for(RunsChanged)
    while "20260101T000000-train-1" not in (found := {view.name: view for one in changed for view in one.views}):
        changed = listener.wait_for(RunsChanged, len(changed) + 1)  # it may have listed the runs in between
    assert found[LIVE].problem
    assert not found["20260101T000000-train-1"].problem
    write_run(home, "20260101T000001-train-1", {}, "finished", [State("running")])
    listener.wait_for(RunsChanged, len(changed) + 1)  # it polls on


def test_an_unexpected_error_does_not_end_the_thread(worker, monkeypatch: pytest.MonkeyPatch) -> None:
    thread, listener = worker
    thread.ask(listener, Value, lambda: 1)
    listener.wait_for(Value)
    monkeypatch.setattr(Watch, "list", lambda watch: 1 / 0)
    thread.poll_now()
    assert "ZeroDivisionError" in listener.wait_for(QuestionFailed)[0].error.message
    thread.ask(listener, Value, lambda: "there")
    assert listener.wait_for(Value, 2)[1].value == "there"


def test_a_workspace_that_did_not_change_opens_no_dataset(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    read_prepared = snapshot.read_prepared
    monkeypatch.setattr(snapshot, "read_prepared", lambda path: opened.append(path) or read_prepared(path))
    first = read_workspace()
    assert read_workspace(before=first) == first
    assert len(opened) == 1
    os.utime(recorded / "dataset" / "metadata.json")
    read_workspace(before=first)
    assert len(opened) == 2
    chunk = next((recorded / "dataset").glob("*chunk*.npz"))
    chunk.write_bytes(b"")
    os.utime(recorded / "dataset" / "metadata.json")
    broken = read_workspace(before=first)
    assert broken.dataset is not None
    assert broken.dataset.problem
    read_workspace(before=broken)
    assert len(opened) == 4  # until it is mended


def test_a_child_answers_with_the_jobs_own_result(worker, recorded_once: Path) -> None:
    thread, listener = worker
    spec = verify.Spec(recorded_once / "dataset")
    read = partial(question.read_answer, "verify")
    thread.ask_child(listener, Value, lambda: question.ask("verify", spec), read)
    answer = listener.wait_for(Value, seconds=60)[0].value
    assert isinstance(answer, Verification)
    assert answer.samples == 48


def test_a_child_fails_with_the_jobs_own_error(worker, home: Path) -> None:
    thread, listener = worker
    spec = verify.Spec(home / "nothing")
    read = partial(question.read_answer, "verify")
    thread.ask_child(listener, Value, lambda: question.ask("verify", spec), read)
    failed = listener.wait_for(QuestionFailed, seconds=60)[0]
    assert "nothing" in failed.error.message
    assert failed.error.remedy


def test_a_crashed_child_is_reported_with_its_last_output(worker) -> None:
    thread, listener = worker
    thread.ask_child(
        listener, Value, lambda: Child("os:_exit", "9"), partial(question.read_answer, "verify")
    )  # os._exit refuses a string
    failed = listener.wait_for(QuestionFailed, seconds=60)[0]
    assert "verify gave no result: TypeError" in failed.error.message


def test_a_dropped_question_ends_its_child(worker) -> None:
    thread, listener = worker
    children: list[Child] = []

    def start() -> Child:
        children.append(Child("signal:pause"))
        return children[-1]

    thread.ask_child(listener, Value, start, lambda child: child.output)
    thread.ask(listener, OtherValue, lambda: 1)
    listener.wait_for(OtherValue)
    assert psutil.pid_exists(children[0].pid)
    thread.drop(listener, Value)
    thread.ask(listener, OtherValue, lambda: 1)
    listener.wait_for(OtherValue, 2)
    assert not psutil.pid_exists(children[0].pid)
