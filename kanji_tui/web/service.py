"""The service: POST /v1/recognise, GET /v1/model, /healthz and /openapi.json, and the page where there is one.

Images are recognised by as many threads as there are cores. What comes when MOST_WAITING requests are being worked
on is answered 503 at once, so that no queue grows.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from kanji_tui import __version__
from kanji_tui.errors import KanjiError
from kanji_tui.system.files import strict_json
from kanji_tui.system.plain_data import to_plain
from kanji_tui.web.openapi import describe
from kanji_tui.web.page_files import PageFiles
from kanji_tui.web.requests import MOST_BYTES, Refusal, read_body, read_top
from kanji_tui.web.served_model import ServedModel

MOST_WAITING = 64  # requests being worked on
BODY_SECONDS = 10.0  # for a whole body to arrive
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Service:
    """Answers requests with the model that `model` returns, which may be another one each time.

    `answered`, `refused`: how many requests for recognition, so far.
    """

    def __init__(self, model: Callable[[], ServedModel], threads: int, page: PageFiles | None = None) -> None:
        self._model = model
        self._threads = ThreadPoolExecutor(threads, "recognise")
        self._page = page
        self._waiting = 0
        self.answered = self.refused = 0
        self._openapi = describe(__version__)

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/v1/recognise", self.recognise, methods=["POST"]),
            Route("/v1/model", self.model),
            Route("/healthz", self.health),
            Route("/openapi.json", self.openapi),
            *(Route(f"/{path}", self.file) for path in (self._page.paths if self._page else ())),
        ]
        return Starlette(
            routes=routes,
            exception_handlers={Refusal: self.refuse, HTTPException: self.refuse_route, Exception: self.fail},
        )

    async def recognise(self, request: Request) -> Response:
        top = read_top(request.query_params.get("top"))
        body = await _receive(request)
        if self._waiting >= MOST_WAITING:
            raise Refusal(503, "the service has more work than it can do", "ask again in a second")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            recognition = await loop.run_in_executor(self._threads, self._recognise, body, top)
        finally:
            self._waiting -= 1
        self.answered += 1
        return answer(recognition)

    def _recognise(self, body: bytes, top: int) -> dict[str, Any]:
        image: np.ndarray | list[np.ndarray] = read_body(body)
        model = self._model()
        try:
            return {"candidates": to_plain(model.recogniser.recognise(image, top)), "model": model.summary}
        except KanjiError as error:  # a blank image, a single point
            raise Refusal(422, error.message, error.remedy) from None
        except MemoryError:
            raise Refusal(503, "there is not enough memory for this image", "send a smaller copy of it") from None

    async def model(self, request: Request) -> Response:
        found = await asyncio.to_thread(self._model)  # which may have to be opened
        return answer(found.to_json())

    async def health(self, request: Request) -> Response:
        counts = {"answered": self.answered, "refused": self.refused, "working_on": self._waiting}
        return answer({"status": "ok", "version": __version__, **counts})

    async def openapi(self, request: Request) -> Response:
        return answer(self._openapi)

    async def file(self, request: Request) -> Response:
        """A file of the page."""
        assert self._page is not None, "its paths are the routes here"
        found = self._page.respond(request.url.path[1:], request.headers)
        found.headers.update(HEADERS)
        return found

    async def refuse(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        self.refused += request.url.path == "/v1/recognise"
        response = answer({"error": error.to_json()}, error.status)
        if error.status == 503:
            response.headers["Retry-After"] = "1"
        # The rest of a body that is too large is dropped as it comes: many clients read no answer before its end.
        if error.status == 408 or {"expect", "content-length"} <= set(request.headers):
            response.headers["Connection"] = "close"
        return response

    async def refuse_route(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        remedy = "the addresses are listed in /openapi.json"
        refusal = Refusal(error.status_code, f"{request.method} {request.url.path[:80]}: {error.detail}", remedy)
        response = answer({"error": refusal.to_json()}, error.status_code)
        response.headers.update(error.headers or {})
        return response

    async def fail(self, request: Request, error: Exception) -> Response:
        """An error of this program; the server writes its traceback to the log."""
        return answer({"error": Refusal(500, "this request met an error of the program").to_json()}, 500)


def answer(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(strict_json(value), status, {**HEADERS, "Cache-Control": "no-store"}, "application/json")


async def _receive(request: Request) -> bytes:
    """The request's body; Refusal where it is too large or does not arrive in time."""
    too_large = Refusal(413, f"the body is larger than {MOST_BYTES >> 20} MiB", "send a smaller copy of the image")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > MOST_BYTES:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise too_large
    except TimeoutError:
        raise Refusal(408, f"the body did not arrive within {BODY_SECONDS:.0f} s") from None
    except ClientDisconnect:
        raise Refusal(400, "the body ended too early") from None
    return bytes(body)
