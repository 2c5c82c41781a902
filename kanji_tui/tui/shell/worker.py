"""The one thread that works for the screens: it answers short questions, starts children and follows runs.

Nothing on it takes over 100 ms. Whatever needs torch or onnx is a child: a job with a run directory, or a question
put to this program's own command line. Answers travel as messages; a stalled terminal never blocks this thread.
Questions come first; between them it takes its turns, in which it looks at everything nobody has to ask for.
"""

import json
import math
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from textual.message_pump import MessagePump

from kanji_tui.errors import KanjiError
from kanji_tui.tui.shell.messages import Answer, GpusRead, JobStarted, PlaceRead, Refusal, RunsMoved

FOLLOW_SECONDS = 0.25
LIST_SECONDS = 1.0
PLACE_SECONDS = 3.0
GPU_SECONDS = 5.0
PLACE_SHARE = 0.01  # of this thread's time: a folder that takes long to look at is looked at less often
READ_SECONDS = 0.08
NICE = 5

Question = Callable[[], Any]


@dataclass(frozen=True)
class Child:
    """A question put to a child process, its standard streams kept in unnamed files."""

    asker: MessagePump
    slot: str
    process: subprocess.Popen[bytes]
    out: IO[bytes]
    err: IO[bytes]


class Worker(threading.Thread):
    """Start it with the app as `listener`: that one hears of runs, place and GPUs; askers hear their answers."""

    def __init__(self, listener: MessagePump) -> None:
        super().__init__(name="worker", daemon=True)
        self._listener = listener
        self._queue: queue.Queue[tuple[MessagePump, str, Question] | None] = queue.Queue()
        self._newest: dict[tuple[MessagePump, str], Question] = {}
        self._asking = threading.Lock()  # around _newest
        self._children: list[Child] = []
        self._watch: Any = None
        self._place: Any = None
        self._gpus: tuple[Any, ...] | None = None  # None: not asked yet
        self._turned = 0.0  # when the last turn ended
        self._due = {"list": 0.0, "place": 0.0, "gpu": 0.0}
        self._complaints: set[str] = set()

    def ask(self, asker: MessagePump, slot: str, question: Question) -> None:
        """Put a short question: its value comes as Answer(slot), a KanjiError as Refusal(slot).

        A newer question in the same slot replaces one that still waits.
        """
        with self._asking:
            self._newest[asker, slot] = question
        self._queue.put((asker, slot, question))

    def ask_child(self, asker: MessagePump, slot: str, arguments: tuple[str, ...]) -> None:
        """Put a question to `kanji-tui ARGUMENTS --json` in a child; its JSON comes as Answer(slot)."""
        self.ask(asker, slot, lambda: self._spawn(asker, slot, arguments))

    def drop(self, asker: MessagePump, slot: str) -> None:
        """The answer to a question put to a child is no longer wanted: end the child."""
        self.ask(asker, slot, lambda: self._end_children(asker, slot))

    def start_job(self, asker: MessagePump, job: str, spec: Any) -> None:
        """Start the job as a child in its own session; the asker hears JobStarted or Refusal("start")."""

        def start() -> JobStarted:
            from kanji_tui.runs.process import start as start_child

            run = start_child(job, spec, nice=NICE)
            self._due["list"] = 0.0
            return JobStarted(run.name, job)

        self.ask(asker, f"start {job}", start)

    def look_again(self) -> None:
        """Read runs and place now, not at the next turn."""
        self.ask(self._listener, "look", self._hurry)

    def close(self) -> None:
        """End the thread and its question children; jobs go on."""
        self._queue.put(None)
        self.join(timeout=2.0)
        for child in self._children:
            child.process.kill()
            child.process.wait()

    def run(self) -> None:
        from kanji_tui.workspace.run_views import Watch  # here, where the first paint does not wait for it

        self._watch = Watch(self._complain)
        self._turned = time.monotonic() - LIST_SECONDS
        while True:
            wait = self._until_turn()
            try:
                item = self._queue.get(timeout=max(0.0, wait))
            except queue.Empty:
                self._turn()
                continue
            if item is None:
                return
            self._answer(*item)
            if wait < -LIST_SECONDS:  # however many questions there are
                self._turn()

    def _until_turn(self) -> float:
        """Seconds until the next turn is due, negative where it is late."""
        busy = self._watch.busy or bool(self._children)
        return self._turned + (FOLLOW_SECONDS if busy else LIST_SECONDS) - time.monotonic()

    def _answer(self, asker: MessagePump, slot: str, question: Question) -> None:
        with self._asking:
            if self._newest.get((asker, slot)) is not question:
                return  # replaced while it waited
            del self._newest[asker, slot]
        try:
            value = question()
        except KanjiError as error:
            asker.post_message(Refusal(slot, error.message, error.remedy))
        except Exception as error:
            asker.post_message(Refusal(slot, f"{type(error).__name__}: {error}", ""))
        else:
            if isinstance(value, JobStarted):
                asker.post_message(value)
            elif value is not None:
                asker.post_message(Answer(slot, value))

    def _turn(self) -> None:
        """What is due besides questions."""
        for look in (self._follow_runs, self._poll_children, self._look_at_place, self._read_gpus):
            try:
                look()
            except Exception as error:  # no strange file may end the thread that all screens wait for
                self._complain(f"{type(error).__name__}: {error}")
        self._turned = time.monotonic()

    def _complain(self, text: str) -> None:
        """Tell what went wrong though nobody asked; the same once only."""
        if text not in self._complaints:
            self._complaints.add(text)
            self._listener.post_message(Refusal("turn", text, ""))

    def _follow_runs(self) -> None:
        gone = self._watch.list() if self._is_due("list", LIST_SECONDS) else frozenset()
        views = self._watch.look(READ_SECONDS)
        if views or gone:
            self._listener.post_message(RunsMoved(views, gone))
        if any(not view.active for view in views):
            self._due["place"] = 0.0

    def _poll_children(self) -> None:
        for child in [child for child in self._children if child.process.poll() is not None]:
            self._children.remove(child)
            self._finish(child)

    def _look_at_place(self) -> None:
        from kanji_tui.workspace.snapshot import read_place

        if not self._is_due("place", PLACE_SECONDS):
            return
        began = time.thread_time()
        place = read_place(before=self._place)
        self._due["place"] += (time.thread_time() - began) / PLACE_SHARE
        if place != self._place:
            self._place = place
            self._listener.post_message(PlaceRead(place))

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

    def _hurry(self) -> None:
        self._due.update(list=0.0, place=0.0)
        self._turned = -math.inf

    def _spawn(self, asker: MessagePump, slot: str, arguments: tuple[str, ...]) -> None:
        self._end_children(asker, slot)
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 closed by _finish
        process = subprocess.Popen(
            [sys.executable, "-m", "kanji_tui", *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
        self._children.append(Child(asker, slot, process, out, err))

    def _end_children(self, asker: MessagePump, slot: str) -> None:
        for old in [child for child in self._children if (child.asker, child.slot) == (asker, slot)]:
            self._children.remove(old)
            old.process.kill()
            old.process.wait()
            old.out.close()
            old.err.close()

    def _finish(self, child: Child) -> None:
        with child.out, child.err:
            child.out.seek(0)
            child.err.seek(0)
            try:
                child.asker.post_message(Answer(child.slot, json.loads(child.out.read())))
            except ValueError:
                said = child.err.read().decode("utf-8", "replace")
                child.asker.post_message(Refusal(child.slot, *read_complaint(said, child.process.returncode)))


def read_complaint(said: str, code: int) -> tuple[str, str]:
    """Message and remedy out of what the command line wrote to stderr before it ended with `code`."""
    message = remedy = ""
    for line in said.splitlines():
        if line.startswith("error:"):
            message = line.removeprefix("error:").strip()
        elif line.strip().startswith("try:"):
            remedy = line.strip().removeprefix("try:").strip()
    last = said.strip().splitlines()[-1:] or [f"the child ended with code {code} and said nothing"]
    return message or last[0], remedy
