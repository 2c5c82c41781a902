"""The thread that works for the screens: it answers short questions, starts child processes and follows runs.

Nothing on it takes over 100 ms. Whatever needs torch or onnx runs in a child process: a job with a run directory,
or a question to a job. Answers are posted as messages, so a stalled terminal never blocks the thread. Questions
have priority; in between, the thread polls runs, the workspace and GPUs.
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
    from kanji_tui.runs.about import About
    from kanji_tui.system.child import Child

BEHIND_SECONDS = 0.02  # between reading parts of what was written before the start
FOLLOW_SECONDS = 0.25
LIST_SECONDS = 1.0
WORKSPACE_SECONDS = 3.0
GPU_SECONDS = 5.0
WORKSPACE_SHARE = 0.01  # of this thread's time: a folder that is slow to read is read less often
POLL_SECONDS = 0.08  # reading events at once
NICE = 5

T = TypeVar("T")
Name = tuple[MessagePump, type[Message], str]  # of a question: who asks, the class of the answer, its key


@dataclass(frozen=True)
class Question:
    """A call to make on the thread; returns the message to post, or None."""

    name: Name
    do: Callable[[], Message | None]


@dataclass(frozen=True)
class AskedChild:
    """A question that a child process answers; `read` reads the answer after it has ended."""

    name: Name
    child: "Child"
    read: Callable[[], Message]


class Worker(threading.Thread):
    """`listener`, the app, gets messages about runs, workspace and GPUs; whoever asks gets the answer."""

    def __init__(self, listener: MessagePump) -> None:
        super().__init__(name="worker", daemon=True)
        self._listener = listener
        self._queue: queue.Queue[Question | None] = queue.Queue()
        self._newest: dict[Name, Question] = {}
        self._newest_lock = threading.Lock()
        self._children: list[AskedChild] = []
        self._watch: Any = None
        self._workspace: Any = None
        self._gpus: tuple[Any, ...] | None = None  # None: not asked yet
        self._polled = 0.0  # when polling last ended
        self._due = {"list": 0.0, "workspace": 0.0, "gpu": 0.0, "litter": 0.0}
        self._problems: set[str] = set()  # already posted

    def ask(
        self, asker: MessagePump, answered: type[Answered[T]], question: Callable[[], T], key: str = ""
    ) -> None:
        """Ask a short question: the answer is posted as `answered(value, key)`, an error as QuestionFailed.

        A newer question with the same answer class and key replaces one that still waits.
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
        """Ask a question that the child process of `start` answers; `read` reads the answer after it has ended.

        A newer question with the same answer class and key ends the child of the one before.
        """
        name: Name = (asker, answered, key)

        def begin() -> None:
            self._end_children(name)
            child = start()
            self._children.append(AskedChild(name, child, lambda: answered(read(child), key)))

        self._put(Question(name, begin))

    def drop(self, asker: MessagePump, answered: type[Message], key: str = "") -> None:
        """End the child process of a question whose answer is no longer needed."""
        name: Name = (asker, answered, key)
        self._put(Question(name, lambda: self._end_children(name)))

    def start_job(self, asker: MessagePump, job: str, spec: Any, about: "About | None" = None) -> None:
        """Start the job as a child in its own session; posts JobStarted or QuestionFailed to the asker.

        `about` None: what is said of the run that the spec resumes.
        """

        def start() -> JobStarted:
            from kanji_tui.runs.process import start as start_child

            run = start_child(job, spec, nice=NICE, about=about)
            self._due["list"] = 0.0
            return JobStarted(run.name, job)

        self._put(Question((asker, JobStarted, job), start))

    def poll_now(self) -> None:
        """Read runs and the workspace now, not when they are next due."""

        def make_due() -> None:
            self._due.update(list=0.0, workspace=0.0)
            self._polled = -math.inf

        self._put(Question((self._listener, Done, "poll"), make_due))

    def close(self) -> None:
        """End the thread and the children that answer questions; jobs continue."""
        self._queue.put(None)
        self.join(timeout=2.0)
        for asked in self._children:
            asked.child.close()

    def run(self) -> None:
        from kanji_tui.workspace.run_views import Watch  # here, where the first paint does not wait for it

        self._watch = Watch(self._report_problem)
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
            if wait < -LIST_SECONDS:  # even while questions keep coming
                self._poll()

    def _put(self, question: Question) -> None:
        with self._newest_lock:
            self._newest[question.name] = question
        self._queue.put(question)

    def _answer(self, question: Question) -> None:
        with self._newest_lock:
            if self._newest.get(question.name) is not question:
                return  # replaced while it waited
            del self._newest[question.name]
        self._post(question.name, question.do)

    def _post(self, name: Name, do: Callable[[], Message | None]) -> None:
        """Post the message that `do` returns, or why it failed, to whoever asked."""
        asker, answered, key = name
        try:
            message = do()
        except Exception as error:
            message = QuestionFailed(answered, error_of(error), key)
        if message is not None:
            asker.post_message(message)

    def _until_poll(self) -> float:
        """Seconds until polling is due; negative when it is late."""
        busy = self._watch.busy or bool(self._children)
        pause = BEHIND_SECONDS if self._watch.behind else FOLLOW_SECONDS if busy else LIST_SECONDS
        return self._polled + pause - time.monotonic()

    def _poll(self) -> None:
        """Read what changes without a question."""
        polls = (self._follow_runs, self._poll_children, self._read_workspace, self._read_gpus, self._remove_litter)
        for poll in polls:
            try:
                poll()
            except Exception as error:  # an unreadable file must not end the thread that all screens need
                self._report_problem(f"{type(error).__name__}: {error}")
        self._polled = time.monotonic()

    def _report_problem(self, text: str) -> None:
        """Post an error that no question caused; each text once."""
        if text not in self._problems:
            self._problems.add(text)
            self._listener.post_message(QuestionFailed(Done, KanjiError(text)))

    def _follow_runs(self) -> None:
        gone = self._watch.list() if self._is_due("list", LIST_SECONDS) else frozenset()
        views = self._watch.poll(POLL_SECONDS)
        if views or gone:
            self._listener.post_message(RunsChanged(views, gone))
        if any(not view.active for view in views):
            self._due["workspace"] = 0.0

    def _poll_children(self) -> None:
        for asked in [asked for asked in self._children if asked.child.poll() is not None]:
            self._children.remove(asked)
            self._post(asked.name, asked.read)
            asked.child.close()

    def _read_workspace(self) -> None:
        from kanji_tui.workspace.snapshot import read_workspace

        if not self._is_due("workspace", WORKSPACE_SECONDS):
            return
        began = time.thread_time()
        workspace = read_workspace(before=self._workspace)
        self._due["workspace"] += (time.thread_time() - began) / WORKSPACE_SHARE
        if workspace != self._workspace:
            self._workspace = workspace
            self._listener.post_message(WorkspaceRead(workspace))

    def _read_gpus(self) -> None:
        from kanji_tui.system.gpu import read_gpus

        if self._gpus == () or not self._is_due("gpu", GPU_SECONDS):
            return
        gpus = tuple(read_gpus())
        if gpus != self._gpus:
            self._gpus = gpus
            self._listener.post_message(GpusRead(gpus))

    def _remove_litter(self) -> None:
        """Once, when all else has been read."""
        from kanji_tui.runs.litter import remove_litter

        if self._is_due("litter", math.inf):
            remove_litter()

    def _is_due(self, name: str, seconds: float) -> bool:
        """Whether this is due; if so, it is due again in `seconds`."""
        now = time.monotonic()
        if now < self._due[name]:
            return False
        self._due[name] = now + seconds
        return True

    def _end_children(self, name: Name) -> None:
        for old in [asked for asked in self._children if asked.name == name]:
            self._children.remove(old)
            old.child.close()
