"""Starts jobs of the program as forks of a process that has loaded torch already, in place of new interpreters.

Loading torch costs 2.5 s of a core, and the tests start some fifty jobs. A fork is a process as well: its session,
priority, log and signals are a job's own, and it runs the `main` of kanji_tui.runs.process. That a new interpreter
does the same is shown in tests/runs/test_process.py, tests/cli/test_all_steps.py and tests/test_docs.py.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import IO, Any

LOADED = ("torch", "torch._dynamo", "kanji_tui.training.trainer", "kanji_tui.recognition.evaluation")


@contextmanager
def forking() -> Iterator[SimpleNamespace]:
    """What stands in for `subprocess` in kanji_tui.runs.process; the process to fork begins with the first job."""
    servers: list[subprocess.Popen[str]] = []
    lock = Lock()  # the workbench starts jobs from a thread

    def start(command: list[str], stdout: IO[bytes], **_: Any) -> None:
        with lock:
            if not servers:
                line = [sys.executable, "-m", "tests.forking"]
                servers.append(
                    subprocess.Popen(line, cwd=Path(__file__).parents[1], stdin=subprocess.PIPE, text=True)
                )
            asked = {
                "arguments": command[2:],
                "folder": os.getcwd(),
                "environment": dict(os.environ),
                "log": os.path.abspath(stdout.name),
            }
            requests = servers[0].stdin
            assert requests is not None
            requests.write(json.dumps(asked) + "\n")
            requests.flush()

    yield SimpleNamespace(Popen=start, DEVNULL=subprocess.DEVNULL)
    for server in servers:
        server.communicate()


def end_with_parent() -> None:
    """Have this process sent SIGTERM when its parent ends, however that does: nothing outlives killed tests."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def become_job(arguments: list[str], folder: str, environment: dict[str, str], log: str) -> None:
    """What `start` of kanji_tui.runs.process gives to a child, then its `main`; does not return."""
    from kanji_tui.runs.process import main

    end_with_parent()
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_APPEND)
    for taken, number in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (output, 2)):
        os.dup2(taken, number)
    sys.argv = arguments
    main()


def reap(*_: object) -> None:
    """Wait for the jobs that have ended: none stays a zombie, and their CPU time counts as the tests' own."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def serve() -> None:
    """Fork for every line on stdin, until it ends."""
    from kanji_tui.system.threads import prepare_process

    prepare_process()
    for name in LOADED:
        import_module(name)
    signal.signal(signal.SIGCHLD, reap)
    while line := sys.stdin.readline():
        if os.fork() == 0:
            become_job(**json.loads(line))


if __name__ == "__main__":
    serve()
