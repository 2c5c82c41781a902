"""The Draw screen's side of the recogniser process: one thread that asks and waits, so that no other has to.

A newer request replaces an older one of its kind that still waits, but for saving: while the child computes, or
opens its model, only the newest drawing is kept. A child that dies is started again and asked once more.
"""

import base64
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kanji_tui.errors import KanjiError
from kanji_tui.recognition.drawing.results import Failed, Note, ReadyModel, Recognition, Reply, SavedDrawing
from kanji_tui.recognition.results import Candidate
from kanji_tui.system.child import Child
from kanji_tui.system.plain_data import from_plain

Strokes = tuple[tuple[tuple[float, float], ...], ...]
Request = dict[str, Any]


class RecogniserClient(threading.Thread):
    """The child starts with the first request; every reply goes to `hear`, on this thread."""

    def __init__(self, hear: Callable[[Reply], object]) -> None:
        super().__init__(name="recogniser client", daemon=True)
        self._hear = hear
        self._waiting: dict[str, Request] = {}
        self._changed = threading.Condition()
        self._child: Child | None = None
        self._closing = False

    def find_model(self) -> None:
        """Ask for the model, found again: a ReadyModel comes."""
        self._ask("find", {"do": "find"})

    def recognise(self, strokes: Strokes) -> None:
        """Ask what a drawing shows: a Recognition comes."""
        self._ask("recognise", {"do": "recognise", "strokes": strokes})

    def save(self, strokes: Strokes, label: str) -> None:
        """Keep a drawing as a sample of the character that `label` means: a SavedDrawing comes."""
        self._ask(f"save {time.monotonic_ns()}", {"do": "save", "strokes": strokes, "label": label})

    def close(self) -> None:
        """End the child and the thread; what waits is dropped."""
        with self._changed:
            self._closing = True
            self._changed.notify()
            self._end_child()
        if self.is_alive():
            self.join(timeout=2.0)

    @property
    def pid(self) -> int | None:
        """The child, while there is one."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def run(self) -> None:
        while (request := self._next()) is not None:
            words: list[str] = []
            reply = self._exchange(request, words) or self._exchange(request, words)
            if self._closing:
                return
            if reply is None:
                reply = Failed(request["do"], KanjiError(f"the recogniser ended: {words[-1]}", "draw again"))
            self._hear(reply)

    def _ask(self, name: str, request: Request) -> None:
        """Put a request; never waits."""
        with self._changed:
            self._waiting.pop(name, None)
            self._waiting[name] = request
            self._changed.notify()

    def _next(self) -> Request | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or bool(self._waiting))
            if self._closing:
                return None
            return self._waiting.pop(next(iter(self._waiting)))

    def _exchange(self, request: Request, words: list[str]) -> Reply | None:
        """The child's reply; None where the child is gone, and its last words in `words`."""
        child = self._living_child()
        if child is None:
            return None
        with suppress(OSError, ValueError):
            child.requests.write(json.dumps(request).encode() + b"\n")
            child.requests.flush()
            for line in child.answers:
                answer: dict[str, Any] = json.loads(line)
                if "note" not in answer:
                    return _reply(request, answer)
                self._hear(Note(answer["note"]))
        with self._changed:
            if not self._closing:
                child.end()
                words.append(child.exit_reason())
            self._end_child()
        return None

    def _living_child(self) -> Child | None:
        """The child, a new one where there is none; None once the client is closing."""
        with self._changed:
            if self._closing:
                return None
            if self._child is None:
                self._child = Child("kanji_tui.recognition.drawing.server:main", pipes=True)
            return self._child

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()


def _reply(request: Request, answer: dict[str, Any]) -> Reply:
    """The answer to a request as its dataclass."""
    do = request["do"]
    if "error" in answer:
        return Failed(do, KanjiError.from_json(answer["error"]))
    if do == "find":
        return from_plain(ReadyModel, answer, "the model")
    if do == "save":
        return from_plain(SavedDrawing, answer, "the saved drawing")
    candidates = tuple(from_plain(Candidate, found, "a candidate") for found in answer["candidates"])
    return Recognition(candidates, base64.b64decode(answer["image"]), answer["size"])
