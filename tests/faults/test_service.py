"""Hostile requests to the service: whatever comes, the next one is answered, and memory stays bounded."""

import http.client
import io
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest
from PIL import Image

pytest.importorskip("uvicorn", reason="the extra serve is not installed")
from kanji_tui.web import serving
from kanji_tui.web.connections import HEAD_SECONDS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
HEAD = b"POST /v1/recognise HTTP/1.1\r\nHost: x\r\n"
MEMORY = 600 * 2**20  # bytes that it may take beyond what it takes at its start: four images of 16 megapixels
SECONDS = 120  # for an answer, however busy the machine is


class Served:
    """A running service."""

    def __init__(self, process: subprocess.Popen, port: int) -> None:
        self.process, self.port = process, port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), SECONDS)

    def ask(self, body: bytes | None, path: str = "/v1/recognise") -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request("GET" if body is None else "POST", path, body)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(content) if content.startswith(b"{") else {}

    def is_well(self) -> bool:
        return self.ask(None, "/healthz")[0] == 200 and self.ask(drawing([[[0, 0], [9, 9]]]))[0] == 200


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kanji_tui", "serve", "--port", "0"],
        cwd=tmp_path_factory.mktemp("served"),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    address = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stderr.readline())
    assert address
    yield Served(process, int(address[1]))
    process.send_signal(signal.SIGHUP)  # as a terminal that is closed
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def drawing(strokes: object) -> bytes:
    return json.dumps({"strokes": strokes}).encode()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, rows: bytes, more: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg(width: int, height: int, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("L", (width, height), 255).save(file, "JPEG", **options)
    return file.getvalue()


def bomb() -> bytes:
    """A text that is compressed to a thousandth."""
    return b"a\0\0" + zlib.compress(bytes(100_000_000))


BLANK = b"\0" * 110  # ten rows of ten pixels
BODIES = {  # made when they are sent: some take their time
    "3,000 strokes": (lambda: drawing([[[n % 50, n // 50], [n % 50 + 1, n // 50]] for n in range(3000)]), 200),
    "10,000 points": (lambda: drawing([[[n % 97, n % 89] for n in range(10_000)]]), 200),
    "100,000 strokes": (lambda: drawing([[[1, 1]]] * 100_000), 413),
    "300,000 empty strokes": (lambda: b'{"strokes": [' + b",".join([b"[]"] * 300_000) + b"]}", 413),
    "beyond all numbers": (lambda: b'{"strokes": [[[-1e999, 0], [1, 1]]]}', 400),
    "almost": (lambda: b'{"strokes": [[[1e308, 0], [-1e308, 1]]]}', 400),
    "hardly a number": (lambda: b'{"strokes": [[[1e-320, 0], [0, 1e-320]]]}', 200),
    "400 digits": (lambda: b'{"strokes": [[[' + b"9" * 400 + b", 0]]]}", 400),
    "booleans": (lambda: drawing([[[True, False]]]), 400),
    "null": (lambda: drawing([[[None, 0]]]), 400),
    "three coordinates": (lambda: drawing([[[1, 2, 3]]]), 400),
    "points of two kinds": (lambda: drawing([[[1, 2], [3]]]), 400),
    "an object": (lambda: drawing({"a": 1}), 400),
    "deep objects": (lambda: b'{"strokes":' + b'{"a":' * 50_000, 400),
    "no UTF-8": (lambda: b'{"strokes": "\xff\xfe"}', 400),
    "four megabytes of spaces": (lambda: b" " * 4_000_000 + b"{", 400),
    "16 megapixels": (lambda: png(4096, 4096, b"\0" * 4097 * 4096), 422),
    "a pixel high": (lambda: png(2**24, 1, bytes(2**24 + 1)), 422),
    "no pixels": (lambda: png(0, 0, b""), 400),
    "2,147,483,647 pixels": (lambda: png(2**31 - 1, 1, b""), 413),
    "more pixels than it says": (lambda: png(10, 10, bytes(100_000_000)), 422),
    "a text that swells": (lambda: png(10, 10, BLANK, chunk(b"zTXt", bomb())), 400),
    "a profile that swells": (lambda: png(10, 10, BLANK, chunk(b"iCCP", bomb())), 400),
    "256 megapixels of JPEG": (lambda: jpeg(16_000, 16_000), 413),
    "32 megapixels of progressive JPEG": (lambda: jpeg(4000, 8000, progressive=True), 422),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_answered_and_the_next_one_too(served, name):
    make, status = BODIES[name]
    body = make()
    before = psutil.Process(served.process.pid).memory_info().rss
    found, answer = served.ask(body)
    assert found == status, answer
    if status >= 400:
        message = answer["error"]["message"]
        assert message
        assert not set("\n\x1b") & set(message)
        assert "object at 0x" not in message
    assert psutil.Process(served.process.pid).memory_info().rss - before < MEMORY
    assert served.is_well()


REQUESTS = {
    "chunks of no size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
    "a chunk beyond memory": HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello\r\n",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "length and chunks": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "a length of 23 digits": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "a header of 200 kB": HEAD + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
    "20,000 headers": HEAD + b"".join(b"X%d: a\r\n" % number for number in range(20_000)) + b"\r\n",
    "an address of 60 kB": b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "escape sequences": b"GET /\x1b[31m%1b%0a HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01",
    "nothing of HTTP": bytes(range(256)) * 20,
    "half a body": HEAD + b"Content-Length: 100\r\n\r\nabc",
    "half a head": HEAD,
    "nothing": b"",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_is_none_ends_and_the_next_one_is_answered(served, name):
    """At the latest after the seconds that a head and a body have."""
    with served.connect() as connection, suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(REQUESTS[name])
        while connection.recv(65_536):
            pass
    assert served.is_well()


def test_idle_connections_do_not_keep_others_out(served):
    idle = [served.connect() for _ in range(serving.MOST_CONNECTIONS + 20)]
    try:
        for connection in idle:
            with suppress(ConnectionResetError):
                while connection.recv(1000):  # until it is closed: after HEAD_SECONDS, which is not forever
                    pass
        assert HEAD_SECONDS < SECONDS
        assert served.is_well()
    finally:
        for connection in idle:
            connection.close()


def test_many_at_once_are_answered_or_told_to_come_again(served):
    body = os.urandom(3_000_000)
    connections = [served.connect() for _ in range(100)]
    try:
        for number, connection in enumerate(connections):
            with suppress(OSError):
                connection.sendall(HEAD + b"Content-Length: 3000000\r\nConnection: close\r\n\r\n")
                connection.sendall(body if number % 2 else body[:1000])
        for connection in connections[1::2]:
            assert re.match(rb"HTTP/1.1 (4\d\d|503) ", connection.recv(1000))
    finally:
        for connection in connections:
            connection.close()
    assert served.is_well()
