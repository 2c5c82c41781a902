"""The report of a job that owns a run directory: events into a file, a heartbeat, and the wish to stop."""

import signal
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from kanji_tui.events import Event, Report, State, to_json
from kanji_tui.runs.run_directory import HEARTBEAT_SECONDS, RunDirectory, status_of_this_process
from kanji_tui.system.files import strict_json, writing_failed

STOP_LOOK_SECONDS = 0.05


class Recorder:
    """Writes a run directory's events.jsonl and status.json; use as `with Recorder(run, job) as report`.

    Called with an event it appends one line. A State event also becomes the run's status. Thread-safe. `console` is
    told everything too, and may ask to stop, where the job runs in the command's own process.
    """

    def __init__(self, run: RunDirectory, job: str, console: Report | None = None) -> None:
        self.directory: Path | None = run.path
        self._console = console
        self._run = run
        self._status = status_of_this_process(job, "starting")
        self._events_lock = threading.Lock()
        self._status_lock = threading.Lock()  # its own: an event must not wait while a heartbeat is synced to disk
        self._ended = threading.Event()
        self._stop = False
        self._looked = 0.0
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> "Recorder":
        # A file name that is no UTF-8 comes as lone surrogates; as \\u escapes they are valid JSON.
        self._file = open(self._run.events, "a", encoding="utf-8", errors="backslashreplace")
        self._run.write_status(self._status)
        self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._heart.join()
        self._file.close()
        for signum, handler in self._handlers.items():
            signal.signal(signum, handler)

    def __call__(self, event: Event) -> None:
        moment = time.time()
        line = strict_json(to_json(event, moment)) + "\n"
        with self._events_lock:
            try:
                self._file.write(line)
                self._file.flush()
            except OSError as error:
                raise writing_failed(self._run.events, error) from error
        if isinstance(event, State):
            self._write_status(state=event.state)
        if self._console:
            self._console(event)

    def stop_requested(self) -> bool:
        """Whether a `stop` file lies in the run directory or SIGTERM came; cheap enough for every batch."""
        now = time.monotonic()
        if not self._stop and now - self._looked > STOP_LOOK_SECONDS:
            self._looked = now
            self._stop = self._run.stop_file.exists()
        return self._stop or bool(self._console and self._console.stop_requested())

    def stop_on_sigterm(self) -> None:
        """Until the end of the job take SIGTERM for the wish to stop, and let a hang-up pass; main thread only.

        With a console a hang-up is a wish to stop too: torchrun, which passes it on, would end the job.
        """

        def wish(signum: int, frame: FrameType | None) -> None:
            self._stop = True

        for signum, handler in (
            (signal.SIGTERM, wish),
            (signal.SIGHUP, wish if self._console else signal.SIG_IGN),
        ):
            self._handlers[signum] = signal.signal(signum, handler)

    def _write_status(self, **changes: str) -> None:
        with self._status_lock:
            self._status = replace(self._status, heartbeat=time.time(), **changes)  # type: ignore[arg-type]
            self._run.write_status(self._status)

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            # A full disk must not end the heart; the job itself will say so.
            with suppress(Exception):
                self._write_status()
