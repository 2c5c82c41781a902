"""Records a job in its run directory: writes its events and a heartbeat, and polls for a stop request.

The process writes log.txt without this module. That it has grown becomes an event, so that its lines have times.
"""

import os
import shutil
import signal
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from kanji_tui.errors import KanjiError
from kanji_tui.events import Event, Failure, Logged, Outcome, Report, State, to_json
from kanji_tui.runs.run_directory import (
    HEARTBEAT_SECONDS,
    RunDirectory,
    directory_removed,
    status_of_this_process,
)
from kanji_tui.system.files import strict_json, writing_failed

STOP_POLL_SECONDS = 0.05  # the least interval between two polls of the stop file


class Recorder:
    """The report of a job with a run directory; use as `with Recorder(run, job) as report`.

    A call appends the event to events.jsonl; a State event is also written to status.json. Thread-safe. `console`
    also receives every event and may request a stop, where the job runs in the command's own process.
    """

    def __init__(self, run: RunDirectory, job: str, console: Report | None = None) -> None:
        self.directory: Path | None = run.path
        self._console = console
        self._run = run
        self._status = status_of_this_process(job, "starting")
        self._events_lock = threading.Lock()
        self._status_lock = threading.Lock()  # separate: an event must not wait while a heartbeat is synced to disk
        self._ended = threading.Event()
        self._stop = False
        self._polled = 0.0
        self._removed = False
        self._logged = 0  # bytes of log.txt of which an event has told
        self._heartbeat = threading.Thread(target=self._write_heartbeats, name="heartbeat", daemon=True)
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> "Recorder":
        # File names that are not UTF-8 hold lone surrogates; as \\u escapes these are valid JSON.
        self._file = open(self._run.events, "a", encoding="utf-8", errors="backslashreplace")
        self._run.write_status(self._status)
        self._heartbeat.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._heartbeat.join()
        with suppress(OSError):  # a full disk, of which an event has told
            self._file.close()
        if self._removed and not (self._run.path / "config.yaml").exists():  # what the job wrote there since
            shutil.rmtree(self._run.path, ignore_errors=True)
        for signum, handler in self._handlers.items():
            signal.signal(signum, handler)

    def __call__(self, event: Event) -> None:
        try:
            if isinstance(event, State | Outcome | Failure):  # why it failed was printed before
                self._report_log()
            self._write(event)
        finally:
            if isinstance(event, State):
                self._write_status(state=event.state)
        if self._console:
            self._console(event)

    def _write(self, event: Event) -> None:
        line = strict_json(to_json(event, time.time())) + "\n"
        with self._events_lock:
            try:
                self._file.write(line)
                self._file.flush()
            except OSError as error:
                raise writing_failed(self._run.events, error) from error

    def stop_requested(self) -> bool:
        """Whether the run directory has a `stop` file or SIGTERM was received; cheap enough for every batch.

        KanjiError where the run directory was removed: nobody could follow or stop the job any more.
        """
        now = time.monotonic()
        if self._removed:
            raise directory_removed(self._run)
        if not self._stop and now - self._polled > STOP_POLL_SECONDS:
            self._polled = now
            self._stop = self._run.stop_file.exists()
        return self._stop or bool(self._console and self._console.stop_requested())

    def stop_on_sigterm(self) -> None:
        """Until the job ends, treat SIGTERM as a stop request and ignore SIGHUP; main thread only.

        With a console SIGHUP is a stop request too, because torchrun forwards it and then kills the job.
        """

        def request_stop(signum: int, frame: FrameType | None) -> None:
            self._stop = True

        for signum, handler in (
            (signal.SIGTERM, request_stop),
            (signal.SIGHUP, request_stop if self._console else signal.SIG_IGN),
        ):
            self._handlers[signum] = signal.signal(signum, handler)

    def _write_status(self, **changes: str) -> None:
        with self._status_lock:
            if self._removed:  # to write there would make the directory again
                return
            self._status = replace(self._status, heartbeat=time.time(), **changes)  # type: ignore[arg-type]
            self._run.write_status(self._status)

    def _report_log(self) -> None:
        """Write an event if log.txt has grown; a job in the process of its command has none."""
        with suppress(OSError, KanjiError):  # a full disk is reported by the job itself
            size = os.stat(self._run.log).st_size
            if size > self._logged:
                self._logged = size
                self._write(Logged(size))

    def _write_heartbeats(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            self._removed = self._removed or self._is_removed()
            self._report_log()
            # A full disk must not end the heartbeat; the job itself reports it.
            with suppress(Exception):
                self._write_status()

    def _is_removed(self) -> bool:
        """Whether the run directory is no more, or another one has its name."""
        try:
            return not os.path.samestat(os.stat(self._run.events), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return True
        except (OSError, ValueError):  # a disk that does not answer, or the file was just closed
            return False
