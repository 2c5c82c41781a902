"""Runs the service until it is stopped; what it has begun to answer is finished first."""

import asyncio
import contextlib
import signal
import socket
import time
from collections import deque
from collections.abc import Iterator
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Notice, Progress, Report, Throttle
from kanji_tui.system.folders import temporary_folder
from kanji_tui.system.threads import usable_cores
from kanji_tui.web.paths import INDEX
from kanji_tui.web.results import Served

if TYPE_CHECKING:
    from kanji_tui.web.service import Service

POLL_SECONDS, PROGRESS_SECONDS = 0.1, 2.0
LAST_SECONDS = 30  # for what was begun before the stop
MOST_CONNECTIONS = 512


def require_packages() -> None:
    """Raise KanjiError with what to install if a package of the service is missing."""
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise KanjiError(
            f"the service needs {' and '.join(missing)}, not installed", 'pip install "kanji-tui[serve]"'
        )


def serve(folder: Path | None, model_path: Path, host: str, port: int, report: Report) -> Served:
    """Serve a page's folder and its model until `report`, SIGTERM or SIGHUP asks to stop.

    `folder` None: the model in `model_path`, and a page if its runtime is in the cache. `port` 0: a free one.
    Raises KanjiError where the model or the address cannot be used.
    """
    require_packages()
    from kanji_tui.engines.web_runtime import cached
    from kanji_tui.web.model_files import write_model
    from kanji_tui.web.page import write_page

    if folder is not None:
        return _serve(folder, host, port, report)
    with temporary_folder() as temporary:
        runtime = cached()
        if runtime:
            write_page(model_path, temporary, runtime)
        else:
            write_model(model_path, temporary)
        return _serve(temporary, host, port, report)


def _serve(folder: Path, host: str, port: int, report: Report) -> Served:
    from kanji_tui.web.page_files import PageFiles
    from kanji_tui.web.served_model import ModelOfFolder
    from kanji_tui.web.service import Service

    model = ModelOfFolder(folder)
    page = PageFiles(folder) if (folder / INDEX).is_file() else None
    service = Service(model, usable_cores(), page)
    began = time.monotonic()
    with _listen(host, port) as listening:
        address = _address(host, listening)
        report(Notice(f"serving {'the page and the API' if page else 'the API'} on {address}"))
        if page is None:
            report(Notice("without a page: kanji-tui export web --runtime npm fetches its runtime once"))
        if reached_by_others(listening):
            report(Notice(f"{host} is not loopback: every computer that reaches this one can use the service"))
        asyncio.run(_run(service, listening, address, report, model.news))
    return Served(
        address, model().name, page is not None, service.answered, service.refused, time.monotonic() - began
    )


@contextlib.contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=MOST_CONNECTIONS)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot listen on {host} port {port}: {reason}",
            "choose another address by --host, or port: --port 0 takes a free one",
        ) from None
    with listening:
        yield listening


def reached_by_others(listening: socket.socket) -> bool:
    """Whether a socket listens on another address than loopback, whatever name led to it."""
    return not ip_address(listening.getsockname()[0].partition("%")[0]).is_loopback


def _address(host: str, listening: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}/"


async def _run(
    service: "Service", listening: socket.socket, address: str, report: Report, news: deque[str]
) -> None:
    import uvicorn

    from kanji_tui.web.connections import ImpatientProtocol

    class Server(uvicorn.Server):
        """Leaves the signals to us: its own handlers end the process by the signal once more."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    config = uvicorn.Config(
        service.app(),
        http=ImpatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=LAST_SECONDS,
    )
    server = Server(config)
    with _signals() as terminated:
        polling = asyncio.create_task(_poll(server, service, address, report, news, terminated))
        await server.serve(sockets=[listening])
        polling.cancel()
    report(Progress("serving", service.answered, 0, "requests", address))


async def _poll(
    server: Any, service: "Service", address: str, report: Report, news: deque[str], terminated: list[bool]
) -> None:
    """Report what was answered, and news, and end the server when that is asked for."""
    throttle, reported = Throttle(PROGRESS_SECONDS), -1
    while not (terminated or report.stop_requested()):
        while news:
            report(Notice(news.popleft()))
        if reported < 0 or (service.answered != reported and throttle.due()):
            reported = service.answered
            report(Progress("serving", reported, 0, "requests", address))
        await asyncio.sleep(POLL_SECONDS)
    server.should_exit = True


@contextlib.contextmanager
def _signals() -> Iterator[list[bool]]:
    """A list that SIGTERM and SIGHUP fill; one that the process handles or ignores already is left to it."""
    received: list[bool] = []

    def note(signum: int, frame: FrameType | None) -> None:
        received.append(True)

    heard = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) == signal.SIG_DFL]
    for each in heard:
        signal.signal(each, note)
    try:
        yield received
    finally:
        for each in heard:
            signal.signal(each, signal.SIG_DFL)
