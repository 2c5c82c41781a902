"""Starts commands of the program as forks of a process that has loaded torch already, in place of new interpreters.

Loading torch costs 2.5 s of a core, and the tests start some seventy processes that need it. A fork is a process as
well: its session, priority, streams and signals are its own, and it runs the module that its command names as
`__main__`. That a new interpreter does the same is shown in tests/runs/test_process.py, tests/tui/test_tmux.py and
tests/cli/test_all_steps.py, for the engines in tests/engines.
"""

import atexit
import ctypes
import gc
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import IO, Any, NoReturn

LOADED = (
    *("torch", "torch._dynamo", "kanji_tui.training.trainer", "kanji_tui.recognition.evaluation"),
    *("onnxruntime", "tract", "kanji_tui.engines.engine_process"),
)


class Forked:
    """A running fork: what the tests need of a subprocess.Popen, by the same names."""

    stderr = None

    def __init__(self, pid: int, ended: int, output: list[IO[Any] | None], pipes: tuple[Any, Any]) -> None:
        self.pid, self.returncode = pid, None
        self.stdin, self.stdout = pipes  # none of what is read by `communicate` alone
        self._ended, self._output = ended, output

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"fork {self.pid}", timeout or 0)
            self.returncode = int(os.read(self._ended, 100) or -signal.SIGKILL)
            os.close(self._ended)
        return self.returncode

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> list[Any]:
        """Wait for its end; what it wrote to stdout and stderr where these are pipes."""
        self.wait(timeout)
        for file in filter(None, self._output):
            file.seek(0)
        return [file.read() if file else None for file in self._output]

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def __del__(self) -> None:
        if self.returncode is None:
            os.close(self._ended)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forks:
    """Stands in for the module `subprocess`; `address` is the socket of the process to fork."""

    PIPE, DEVNULL, TimeoutExpired = subprocess.PIPE, subprocess.DEVNULL, subprocess.TimeoutExpired

    def __init__(self, address: str) -> None:
        self._address, self._lock = address, Lock()  # the workbench starts jobs from a thread

    def Popen(
        self,
        command: list[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: Any = None,
        stdout: Any = None,
        stderr: Any = None,
        text: bool = False,
        start_new_session: bool = False,
    ) -> Forked:
        """`python -m MODULE ARGUMENTS` as a fork.

        What it writes to a pipe is read when it has ended; where stdin is a pipe too, both are pipes as ever.
        """
        python, flag, *arguments = map(str, command)
        assert (python, flag) == (sys.executable, "-m"), command
        theirs: list[IO[Any]] = []
        ask: IO[Any] | None = None
        answers: IO[Any] | None = None
        if stdin == self.PIPE:
            stdin, ask = _pipe()
            theirs.append(stdin)
            if stdout == self.PIPE:
                answers, stdout = _pipe()
                theirs.append(stdout)
        output = [_file(text) if asked == self.PIPE else None for asked in (stdout, stderr)]
        with self._lock, open(os.devnull, "r+b") as nothing, socket.socket(socket.AF_UNIX) as server:
            own = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
            streams = []
            for asked, file, inherited in zip((stdin, stdout, stderr), (None, *output), own, strict=True):
                streams.append(
                    file or (nothing if asked == self.DEVNULL else inherited if asked is None else asked)
                )
            ended, tell = os.pipe()
            server.connect(self._address)
            socket.send_fds(server, [b"\n"], [*(stream.fileno() for stream in streams), tell])
            os.close(tell)
            request = {
                "arguments": arguments,
                "folder": str(cwd or os.getcwd()),
                "environment": dict(os.environ if env is None else env),
                "session": start_new_session,
            }
            server.sendall(json.dumps(request).encode())
            server.shutdown(socket.SHUT_WR)
            pid = int(server.makefile().read())
        for file in theirs:
            file.close()
        return Forked(pid, ended, output, (ask, answers))


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    """The end to read and the end to write."""
    reading, writing = os.pipe()
    return open(reading, "rb"), open(writing, "wb")


def _file(text: bool) -> IO[Any]:
    return tempfile.TemporaryFile("w+" if text else "w+b")


@contextmanager
def forking() -> Iterator[str]:
    """The address of a process to fork, for several processes; it loads torch at the first command.

    It ends with the block, and with this process.
    """
    with tempfile.TemporaryDirectory(prefix="kanji-forks-") as folder:
        address = f"{folder}/socket"
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.forking", address],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert server.stdout
        try:
            server.stdout.readline()  # it listens
            yield address
        finally:
            server.communicate()


@contextmanager
def forking_this_process() -> Iterator[Forks]:
    """The process to fork is a fork of this one, which loads what it needs before."""
    load()
    folder = tempfile.mkdtemp(prefix="kanji-forks-")  # a TemporaryDirectory would end with the first fork
    (lasting, end), (answer, listening) = os.pipe(), os.pipe()
    if (server := os.fork()) == 0:
        end_with_parent()
        for number, pipe in ((0, lasting), (1, listening)):
            os.dup2(pipe, number)
        for pipe in (lasting, end, answer, listening):
            os.close(pipe)
        serve(f"{folder}/socket")
    for pipe in (lasting, listening):
        os.close(pipe)
    try:
        os.read(answer, 100)  # it listens
        yield Forks(f"{folder}/socket")
    finally:
        for pipe in (end, answer):
            os.close(pipe)
        os.waitpid(server, 0)
        shutil.rmtree(folder)


def end_with_parent() -> None:
    """Have this process sent SIGTERM when its parent ends, however that does: nothing outlives killed tests."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def become(
    arguments: list[str], folder: str, environment: dict[str, str], session: bool, streams: list[int], address: str
) -> NoReturn:
    """What Popen gives to a child, then its module."""
    from kanji_tui.runs import process
    from kanji_tui.system import child

    end_with_parent()
    if session:
        os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for number in (signal.SIGCHLD, signal.SIGHUP):  # also where the tests run under nohup
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    process.subprocess = child.subprocess = Forks(address)  # what a fork starts is a fork too
    sys.argv = arguments
    warnings.filterwarnings("ignore", ".* found in sys.modules", RuntimeWarning)
    code: Any = 1
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    leave(code if isinstance(code, int) else 1 if code else 0)


def leave(code: int) -> NoReturn:
    """End this process without taking apart all that was loaded, which takes half a second."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def load() -> None:
    """Load what most commands need."""
    from kanji_tui.system.threads import prepare_process

    prepare_process()
    sys.modules["textual"] = None  # type: ignore[assignment]  # no command and no job needs it
    for name in LOADED:
        with suppress(ModuleNotFoundError):  # a bare machine has no tract
            import_module(name)


def serve(address: str) -> None:
    """Fork for every request, until stdin ends. The first waits until all is loaded."""
    tell: dict[int, int] = {}

    def reap(*_: object) -> None:
        """Wait for those that have ended: none stays a zombie, and their CPU time counts as the tests' own."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                with suppress(BrokenPipeError):
                    os.write(tell[ended[0]], str(os.waitstatus_to_exitcode(ended[1])).encode())
                os.close(tell.pop(ended[0]))

    signal.signal(signal.SIGCHLD, reap)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        print("listening", flush=True)
        if listening in select.select([sys.stdin, listening], [], [])[0]:
            load()
            gc.collect()
            gc.freeze()  # no fork looks through what is loaded, and copies its pages
        while sys.stdin not in select.select([sys.stdin, listening], [], [])[0]:
            asking, _ = listening.accept()
            with asking:
                _, descriptors, _, _ = socket.recv_fds(asking, 1, 4)
                request = json.loads(asking.makefile().read())
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
                if (pid := os.fork()) == 0:
                    for file in (asking, listening):
                        file.close()
                    for descriptor in (*tell.values(), descriptors[-1]):
                        os.close(descriptor)
                    become(**request, streams=descriptors[:-1], address=address)
                tell[pid] = descriptors.pop()
                signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
                asking.sendall(str(pid).encode())
            for descriptor in descriptors:
                os.close(descriptor)
    leave(0)


if __name__ == "__main__":
    serve(sys.argv[1])
