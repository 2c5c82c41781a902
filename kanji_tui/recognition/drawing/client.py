"""Client of the recogniser process for the Draw screen: a thread that sends requests, so that no other is blocked.

While a request is being answered, later ones wait. A newer request replaces a waiting one of its kind, except to
save, so only the newest drawing is recognised. If the child dies, it is restarted and the request sent once more.
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
    """The child starts with the first request; `on_reply` is called with every reply, on this thread."""

    def __init__(self, on_reply: Callable[[Reply], object]) -> None:
        super().__init__(name="recogniser client", daemon=True)
        self._on_reply = on_reply
        self._waiting: dict[str, Request] = {}
        self._changed = threading.Condition()
        self._child: Child | None = None
        self._closing = False

    def find_model(self) -> None:
        """Request to open the model (again); the reply is a ReadyModel."""
        self._ask("find", {"do": "find"})

    def recognise(self, strokes: Strokes) -> None:
        """Request the candidates for a drawing; the reply is a Recognition."""
        self._ask("recognise", {"do": "recognise", "strokes": strokes})

    def save(self, strokes: Strokes, label: str) -> None:
        """Request to save a drawing as a sample of the character `label`; the reply is a SavedDrawing."""
        self._ask(f"save {time.monotonic_ns()}", {"do": "save", "strokes": strokes, "label": label})

    def close(self) -> None:
        """End the child and the thread; waiting requests are dropped."""
        with self._changed:
            self._closing = True
            self._changed.notify()
            self._end_child()
        if self.is_alive():
            self.join(timeout=2.0)

    @property
    def pid(self) -> int | None:
        """The process id of the child, None if it is not running."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def run(self) -> None:
        while (request := self._next()) is not None:
            output: list[str] = []
            reply = self._exchange(request, output) or self._exchange(request, output)
            if self._closing:
                return
            if reply is None:
                reply = Failed(request["do"], KanjiError(f"the recogniser ended: {output[-1]}", "draw again"))
            self._on_reply(reply)

    def _ask(self, name: str, request: Request) -> None:
        """Queue a request; does not block."""
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

    def _exchange(self, request: Request, output: list[str]) -> Reply | None:
        """The child's reply; None if the child has ended, with its last output appended to `output`."""
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
                self._on_reply(Note(answer["note"]))
        with self._changed:
            if not self._closing:
                child.end()
                output.append(child.exit_reason())
            self._end_child()
        return None

    def _living_child(self) -> Child | None:
        """The child, started if there is none; None once the client is closing."""
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
    """The dataclass for the answer to a request."""
    do = request["do"]
    if "error" in answer:
        return Failed(do, KanjiError.from_json(answer["error"]))
    if do == "find":
        return from_plain(ReadyModel, answer, "the model")
    if do == "save":
        return from_plain(SavedDrawing, answer, "the saved drawing")
    candidates = tuple(from_plain(Candidate, found, "a candidate") for found in answer["candidates"])
    return Recognition(candidates, base64.b64decode(answer["image"]), answer["size"])
