"""The files of the page as the service answers them: right types, compressed copies, and what the page may load."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from kanji_tui.system.compression import COMPRESSED
from kanji_tui.system.files import Stamp, file_stamp
from kanji_tui.web.paths import CONTENT_SECURITY, INDEX

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
REFUSED = re.compile(r"\bq\s*=\s*0(\.0*)?\s*(;|$)")  # the weight of an encoding that the browser does not want


@dataclass(frozen=True)
class PageFile:
    """A file, its compressed copies by encoding, its content's hash, and its stamp when they were found."""

    path: Path
    copies: dict[str, Path]
    tag: str
    stamp: Stamp


class WholeFile(FileResponse):
    """A file, of which no part is sent alone.

    A server may ignore Range (RFC 9110, 14.2); Starlette refuses ranges that are to be ignored.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)


class PageFiles:
    """The files that lie in a folder when this object is made; no other name is ever answered.

    A page that is exported there again is answered as it is then.
    """

    def __init__(self, folder: Path) -> None:
        found = [path for path in folder.rglob("*") if path.suffix in TYPES and path.is_file()]
        self._files = {path.relative_to(folder).as_posix(): _page_file(path) for path in found}

    @property
    def paths(self) -> tuple[str, ...]:
        """The files' paths in the page's address; "" is the index."""
        return ("", *self._files)

    def respond(self, path: str, headers: Mapping[str, str]) -> Response:
        """The file at one of `paths`. Raises HTTPException where it has been removed."""
        file = self._current(path or INDEX)
        encoding = _encoding(file, headers.get("accept-encoding", ""))
        tag = f'"{file.tag}{encoding and "-"}{encoding}"'
        shared = {
            "ETag": tag,
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
            "Accept-Ranges": "none",
        }
        if file.path.name == INDEX:
            shared["Content-Security-Policy"] = CONTENT_SECURITY
        known = headers.get("if-none-match", "")
        if tag in known or known.strip() == "*":
            return Response(status_code=304, headers=shared)
        if encoding:
            shared["Content-Encoding"] = encoding
        return WholeFile(file.copies.get(encoding, file.path), 200, shared, TYPES[file.path.suffix])

    def _current(self, name: str) -> PageFile:
        file = self._files[name]
        try:
            if file_stamp(file.path) != file.stamp:
                file = self._files[name] = _page_file(file.path)
        except FileNotFoundError:
            raise HTTPException(404, "the file has been removed") from None
        return file


def _page_file(path: Path) -> PageFile:
    stamp = file_stamp(path)
    with open(path, "rb") as file:
        tag = hashlib.file_digest(file, "sha256").hexdigest()[:32]
    copies = {encoding: path.with_name(path.name + ending) for ending, encoding in COMPRESSED.items()}
    return PageFile(path, {encoding: copy for encoding, copy in copies.items() if copy.is_file()}, tag, stamp)


def _encoding(file: PageFile, accepted: str) -> str:
    """The copy to send: one that the browser names without the weight 0; "" for the file itself."""
    parts = (part.partition(";") for part in accepted.lower().split(","))
    named = {name.strip() for name, _, weight in parts if not REFUSED.search(weight)}
    return next((encoding for encoding in file.copies if encoding in named), "")
