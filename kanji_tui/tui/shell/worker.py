"""The one thread that works for the screens: it answers short questions, starts children and follows runs.

Nothing on it takes over 100 ms. Whatever needs torch or onnx is a child: a job with a run directory, or a question
to a job. Answers travel as messages; a stalled terminal never blocks this thread. Questions have priority; in
between, the thread polls runs, the work folder and GPUs.
"""

import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from textual.message import Message
from textual.message_pump import MessagePump

from kanji_tui.errors import KanjiError
from kanji_tui.tui.shell.messages import (
    Answered,
    Done,
    GpusRead,
    JobStarted,
    QuestionFailed,
    RunsChanged,
    WorkspaceRead,
    error_of,
)

if TYPE_CHECKING:
    from kanji_tui.system.child import Child

FOLLOW_SECONDS = 0.25
LIST_SECONDS = 1.0
PLACE_SECONDS = 3.0
GPU_SECONDS = 5.0
PLACE_SHARE = 0.01  # of this thread's time: a folder that takes long to read is read less often
READ_SECONDS = 0.08
NICE = 5

T = TypeVar("T")
Name = tuple[MessagePump, type[Message], str]  # of a question: who asks, for which message, its key


@dataclass(frozen=True)
class Question:
    """Something to do on the thread; gives the message that is posted, or None."""

    name: Name
    do: Callable[[], Message | None]


@dataclass(frozen=True)
class AskedChild:
    """A question that a child process answers; `read` takes its answer once it has ended."""

    name: Name
    child: "Child"
    read: Callable[[], Message]


class Worker(threading.Thread):
    """Start it with the app as `listener`, which hears of runs, folder and GPUs; askers hear their answers."""

    def __init__(self, listener: MessagePump) -> None:
        super().__init__(name="worker", daemon=True)
        self._listener = listener
        self._queue: queue.Queue[Question | None] = queue.Queue()
        self._newest: dict[Name, Question] = {}
        self._asking = threading.Lock()  # around _newest
        self._children: list[AskedChild] = []
        self._watch: Any = None
        self._place: Any = None
        self._gpus: tuple[Any, ...] | None = None  # None: not asked yet
        self._polled = 0.0  # when polling last ended
        self._due = {"list": 0.0, "place": 0.0, "gpu": 0.0}
        self._complaints: set[str] = set()

    def ask(
        self, asker: MessagePump, answered: type[Answered[T]], question: Callable[[], T], key: str = ""
    ) -> None:
        """Put a short question: its value comes as `answered(value, key)`, an error as QuestionFailed.

        A newer question for the same message with the same key replaces one that still waits.
        """
        self._put(Question((asker, answered, key), lambda: answered(question(), key)))

    def ask_child(
        self,
        asker: MessagePump,
        answered: type[Answered[T]],
        start: Callable[[], "Child"],
        read: Callable[["Child"], T],
        key: str = "",
    ) -> None:
        """Put a question that the child of `start` answers; `read` takes the answer from it once it has ended.

        A newer question for the same message with the same key ends the child of the one before.
        """
        name: Name = (asker, answered, key)

        def begin() -> None:
            self._end_children(name)
            child = start()
            self._children.append(AskedChild(name, child, lambda: answered(read(child), key)))

        self._put(Question(name, begin))

    def drop(self, asker: MessagePump, answered: type[Message], key: str = "") -> None:
        """The answer to a question put to a child is no longer wanted: end the child."""
        name: Name = (asker, answered, key)
        self._put(Question(name, lambda: self._end_children(name)))

    def start_job(self, asker: MessagePump, job: str, spec: Any) -> None:
        """Start the job as a child in its own session; the asker hears JobStarted or QuestionFailed."""

        def start() -> JobStarted:
            from kanji_tui.runs.process import start as start_child

            run = start_child(job, spec, nice=NICE)
            self._due["list"] = 0.0
            return JobStarted(run.name, job)

        self._put(Question((asker, JobStarted, job), start))

    def poll_now(self) -> None:
        """Read runs and the work folder now, not when they are next due."""

        def hurry() -> None:
            self._due.update(list=0.0, place=0.0)
            self._polled = -math.inf

        self._put(Question((self._listener, Done, "poll"), hurry))

    def close(self) -> None:
        """End the thread and its question children; jobs go on."""
        self._queue.put(None)
        self.join(timeout=2.0)
        for asked in self._children:
            asked.child.close()

    def run(self) -> None:
        from kanji_tui.workspace.run_views import Watch  # here, where the first paint does not wait for it

        self._watch = Watch(self._complain)
        self._polled = time.monotonic() - LIST_SECONDS
        while True:
            wait = self._until_poll()
            try:
                question = self._queue.get(timeout=max(0.0, wait))
            except queue.Empty:
                self._poll()
                continue
            if question is None:
                return
            self._answer(question)
            if wait < -LIST_SECONDS:  # however many questions there are
                self._poll()

    def _put(self, question: Question) -> None:
        with self._asking:
            self._newest[question.name] = question
        self._queue.put(question)

    def _answer(self, question: Question) -> None:
        with self._asking:
            if self._newest.get(question.name) is not question:
                return  # replaced while it waited
            del self._newest[question.name]
        self._post(question.name, question.do)

    def _post(self, name: Name, do: Callable[[], Message | None]) -> None:
        """Post what `do` gives, or why it failed, to whoever asked."""
        asker, answered, key = name
        try:
            message = do()
        except Exception as error:
            message = QuestionFailed(answered, error_of(error), key)
        if message is not None:
            asker.post_message(message)

    def _until_poll(self) -> float:
        """Seconds until polling is due, negative where it is late."""
        busy = self._watch.busy or bool(self._children)
        return self._polled + (FOLLOW_SECONDS if busy else LIST_SECONDS) - time.monotonic()

    def _poll(self) -> None:
        """Everything that changes without a question."""
        for poll in (self._follow_runs, self._poll_children, self._read_place, self._read_gpus):
            try:
                poll()
            except Exception as error:  # no strange file may end the thread that all screens wait for
                self._complain(f"{type(error).__name__}: {error}")
        self._polled = time.monotonic()

    def _complain(self, text: str) -> None:
        """Say what went wrong though nobody asked; the same once only."""
        if text not in self._complaints:
            self._complaints.add(text)
            self._listener.post_message(QuestionFailed(Done, KanjiError(text)))

    def _follow_runs(self) -> None:
        gone = self._watch.list() if self._is_due("list", LIST_SECONDS) else frozenset()
        views = self._watch.look(READ_SECONDS)
        if views or gone:
            self._listener.post_message(RunsChanged(views, gone))
        if any(not view.active for view in views):
            self._due["place"] = 0.0

    def _poll_children(self) -> None:
        for asked in [asked for asked in self._children if asked.child.poll() is not None]:
            self._children.remove(asked)
            self._post(asked.name, asked.read)
            asked.child.close()

    def _read_place(self) -> None:
        from kanji_tui.workspace.snapshot import read_workspace

        if not self._is_due("place", PLACE_SECONDS):
            return
        began = time.thread_time()
        place = read_workspace(before=self._place)
        self._due["place"] += (time.thread_time() - began) / PLACE_SHARE
        if place != self._place:
            self._place = place
            self._listener.post_message(WorkspaceRead(place))

    def _read_gpus(self) -> None:
        from kanji_tui.system.gpu import read_gpus

        if self._gpus == () or not self._is_due("gpu", GPU_SECONDS):
            return
        gpus = tuple(read_gpus())
        if gpus != self._gpus:
            self._gpus = gpus
            self._listener.post_message(GpusRead(gpus))

    def _is_due(self, name: str, seconds: float) -> bool:
        """Whether it is time for this; if so, the next time is in `seconds`."""
        now = time.monotonic()
        if now < self._due[name]:
            return False
        self._due[name] = now + seconds
        return True

    def _end_children(self, name: Name) -> None:
        for old in [asked for asked in self._children if asked.name == name]:
            self._children.remove(old)
            old.child.close()
