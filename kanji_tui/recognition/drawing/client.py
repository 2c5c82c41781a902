"""The Draw screen's line to the process that reads drawings: one thread that asks and waits, so no other has to.

A newer question in the same slot replaces one that still waits; so while the child computes, or opens its model,
only the newest drawing is kept. A child that dies is started anew and asked once more.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kanji_tui.errors import KanjiError

NOTE = "note"
Request = dict[str, Any]


class Reader(threading.Thread):
    """The child starts with the first question; answers go to `deliver` with their slot, notes under NOTE.

    What failed is delivered as a KanjiError. `deliver` is called on this thread.
    """

    def __init__(self, deliver: Callable[[str, Any], None]) -> None:
        super().__init__(name="reader", daemon=True)
        self._deliver = deliver
        self._waiting: dict[str, Request] = {}
        self._moved = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 closed when the thread ends
        self._closing = False

    def ask(self, slot: str, request: Request) -> None:
        """Put a question (see jobs.live); never waits."""
        with self._moved:
            self._waiting.pop(slot, None)
            self._waiting[slot] = request
            self._moved.notify()

    def close(self) -> None:
        """End the child and the thread; what waits is dropped."""
        with self._moved:
            self._closing = True
            self._moved.notify()
            self._kill()
        if self.is_alive():
            self.join(timeout=2.0)

    @property
    def pid(self) -> int | None:
        """The child, while there is one."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def run(self) -> None:
        with self._words:
            while (question := self._next()) is not None:
                slot, request = question
                answer = self._exchange(request)
                if answer is None:
                    answer = self._exchange(request)
                if self._closing:
                    return
                if answer is None:
                    self._deliver(slot, KanjiError(f"the recogniser ended: {self._last_words()}", "draw again"))
                elif "error" in answer:
                    self._deliver(slot, KanjiError(answer["error"], answer["remedy"]))
                else:
                    self._deliver(slot, answer)

    def _next(self) -> tuple[str, Request] | None:
        with self._moved:
            self._moved.wait_for(lambda: self._closing or bool(self._waiting))
            if self._closing:
                return None
            slot = next(iter(self._waiting))
            return slot, self._waiting.pop(slot)

    def _exchange(self, request: Request) -> dict[str, Any] | None:
        """The child's answer; None where the child is gone."""
        process = self._child()
        if process is None or process.stdin is None or process.stdout is None:
            return None
        with suppress(OSError, ValueError):
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            for line in process.stdout:
                answer: dict[str, Any] = json.loads(line)
                if NOTE not in answer:
                    return answer
                self._deliver(NOTE, answer[NOTE])
        with self._moved:
            self._kill()
        return None

    def _child(self) -> subprocess.Popen[bytes] | None:
        """The living child, a new one where there is none; None once the line is closing."""
        with self._moved:
            if self._closing:
                return None
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "kanji_tui.recognition.drawing.server"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._words,
                    start_new_session=True,
                )
            return self._process

    def _kill(self) -> None:
        """End the child and what it started."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _last_words(self) -> str:
        self._words.seek(0)
        said = self._words.read().decode("utf-8", "replace").strip().splitlines()
        return said[-1] if said else "it said nothing"
