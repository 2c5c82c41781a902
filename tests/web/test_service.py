"""The service: what it answers, what it refuses, what it does with too much work, and how it ends."""

import http.client
import io
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("uvicorn", reason="the extra serve is not installed")
import uvicorn
from starlette.testclient import TestClient

from kanji_tui import Recogniser
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.strokes import render
from kanji_tui.web import requests, service, serving
from kanji_tui.web.connections import ImpatientProtocol
from kanji_tui.web.page_files import PageFiles
from kanji_tui.web.served_model import ServedModel
from kanji_tui.web.service import Service
from tests.drawn import DRAWN

LEVELS = render(DRAWN["田"], StrokeStyle())
STROKES = {"strokes": [[list(point) for point in stroke] for stroke in DRAWN["田"]]}


def encoded(levels: np.ndarray, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels).save(file, kind, **options)
    return file.getvalue()


PNG = encoded(LEVELS, "PNG")


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser()


def serving_it(recogniser: object) -> Callable[[], ServedModel]:
    return lambda: ServedModel("built-in", recogniser)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def client(recogniser: Recogniser) -> TestClient:
    return TestClient(Service(serving_it(recogniser), 2).app())


def best(response) -> str:
    assert response.status_code == 200, response.text
    return response.json()["candidates"][0]["character"]


def test_images_and_strokes_are_recognised_as_in_python(client: TestClient, recogniser: Recogniser) -> None:
    answers = [
        client.post("/v1/recognise", content=PNG, headers={"Content-Type": "image/png"}),
        client.post("/v1/recognise", content=encoded(LEVELS, "JPEG")),
        client.post("/v1/recognise", content=encoded(255 - LEVELS, "PNG")),
        client.post("/v1/recognise", json=STROKES),
    ]
    assert [best(answer) for answer in answers] == ["田"] * 4
    found = answers[3].json()
    expected = recogniser.recognise(DRAWN["田"])
    assert [each["jis"] for each in found["candidates"]] == [each.jis for each in expected]
    assert found["candidates"][0]["probability"] == pytest.approx(expected[0].probability)
    assert found["candidates"][0]["readings"] == ["デン", "た"]
    assert found["model"] == {"name": "built-in", "digest": recogniser.digest}
    assert answers[3].headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "text/plain", ";", ""])
def test_json_is_read_under_any_content_type_and_with_a_byte_order_mark(client: TestClient, kind: str) -> None:
    for body in (json.dumps(STROKES).encode(), json.dumps(STROKES).encode("utf-8-sig")):
        assert best(client.post("/v1/recognise", content=body, headers={"Content-Type": kind})) == "田"


def test_top_and_lookalikes(client: TestClient) -> None:
    assert len(client.post("/v1/recognise?top=100", json=STROKES).json()["candidates"]) == 100
    mouth = [[[0, 0], [0, 1]], [[0, 0], [1, 0], [1, 1]], [[0, 1], [1, 1]]]
    (candidate,) = client.post("/v1/recognise?top=1", json={"strokes": mouth}).json()["candidates"]
    assert (candidate["character"], candidate["lookalikes"]) == ("口", ["ロ"])
    for wrong in ("0", "101", "-1", "x", "１", ""):
        assert client.post(f"/v1/recognise?top={wrong}", json=STROKES).status_code == 400, wrong


def png_of(width: int, height: int, rows: bytes) -> bytes:
    """A PNG that says it has this size, whatever its compressed rows hold."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


# An orientation, and a text where a number belongs.
BAD_EXIF = b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0\x1a\x01\x02\0\x04\0\0\0abc\0\0\0\0\0"
REFUSED = {
    "nothing": (b"", 400),
    "rubbish": (b"\0" + os.urandom(2000), 415),
    "another format": (encoded(LEVELS, "GIF"), 415),
    "half a PNG": (PNG[: len(PNG) // 2], 400),
    "a PNG's first bytes": (PNG[:8], 400),
    "half a JPEG": (encoded(LEVELS, "JPEG")[:300], 400),
    "a bomb": (png_of(60_000, 60_000, zlib.compress(bytes(10**6))), 413),
    "a blank image": (encoded(np.full((50, 50), 255, np.uint8), "PNG"), 422),
    "no JSON": (b'{"strokes": [[[0, 0]', 400),
    "deep JSON": (b"[" * 100_000, 400),
    "no object": (b"[[[0, 0]]]", 400),
    "another field": (b'{"image": []}', 400),
    "no strokes": (b'{"strokes": []}', 400),
    "no points": (b'{"strokes": [[]]}', 400),
    "no number": (b'{"strokes": [[[0, NaN]]]}', 400),
    "texts": (b'{"strokes": [[["0", "0"]]]}', 400),
    "a single point": (b'{"strokes": [[[7, 7]], [[7, 7], [7.0, 7]]]}', 422),
    "a truth value": (b'{"strokes": [[[true, 1]]]}', 400),
    "a truth value among fractions": (b'{"strokes": [[[0.5, 1], [1, false]]]}', 400),
    "no end": (b'{"strokes": [[[-Infinity, 1]]]}', 400),
    "a number of 5,000 digits": (b'{"strokes": [[[0, ' + b"9" * 5000 + b"]]]}", 400),
    "beyond all numbers": (b'{"strokes": [[[0, 1e999]]]}', 400),
    "many points": (json.dumps({"strokes": [[[0, 0]] * 10_001]}).encode(), 413),
    "many strokes": (b'{"strokes": [' + b",".join([b"[[0,0]]"] * 520_000) + b"]}", 413),
    "a stroke of many points": (b'{"strokes": [[' + b",".join([b"[0,0]"] * 690_000) + b"]]}", 413),
    "many numbers": (b'{"strokes": [' + b",".join([b"0"] * 2_000_000) + b"]}", 413),
    "damaged EXIF data, and blank": (encoded(np.full((50, 50), 255, np.uint8), "PNG", exif=BAD_EXIF), 422),
    "a large body": (bytes(requests.MOST_BYTES + 1), 413),
}


@pytest.mark.parametrize(("body", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_character_is_refused_in_one_sentence(client: TestClient, body: bytes, status: int) -> None:
    response = client.post("/v1/recognise", content=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, status), error
    assert error["message"]
    assert "\n" not in error["message"]


def test_a_body_without_a_length_is_limited_too(client: TestClient) -> None:
    chunks = (bytes(2**20) for _ in range(6))
    assert client.post("/v1/recognise", content=chunks).status_code == 413


def test_many_strokes_are_refused_before_they_are_looked_at() -> None:
    with (
        patch("kanji_tui.recognition.recogniser._check_stroke", side_effect=AssertionError),
        pytest.raises(requests.Refusal, match="more than 10,000 points") as refused,
    ):
        requests.read_body(json.dumps({"strokes": [[[0, 0]]] * 10_001}).encode())
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/recognise", 405), ("POST", "/v1/model", 405), ("GET", "/", 404), ("GET", "/v2/x", 404)],
)
def test_other_addresses_are_refused_as_json(client: TestClient, method: str, path: str, status: int) -> None:
    response = client.request(method, path)
    assert response.status_code == response.json()["error"]["code"] == status


def conforms(value: object, schema: dict, schemas: dict) -> None:
    """Assert that a value is what the part of OpenAPI's schema language in use says."""
    schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float)}
    assert isinstance(value, kinds[schema["type"]]), (value, schema)
    if schema["type"] == "object":
        assert set(schema["required"]) <= set(value) <= set(schema["properties"])
        for name, each in value.items():
            conforms(each, schema["properties"][name], schemas)
    elif schema["type"] == "array":
        for each in value:
            conforms(each, schema["items"], schemas)


def test_the_answers_are_those_that_openapi_describes(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]

    def described(path: str, method: str, response) -> None:
        known = document["paths"][path][method]["responses"][str(response.status_code)]
        conforms(response.json(), known["content"]["application/json"]["schema"], schemas)

    conforms(
        STROKES,
        document["paths"]["/v1/recognise"]["post"]["requestBody"]["content"]["application/json"]["schema"],
        schemas,
    )
    described("/v1/recognise", "post", client.post("/v1/recognise", json=STROKES))
    for body in {status: body for body, status in REFUSED.values()}.values():  # one of each status
        described("/v1/recognise", "post", client.post("/v1/recognise", content=body))
    described("/v1/model", "get", client.get("/v1/model"))
    described("/healthz", "get", client.get("/healthz"))


def test_the_model_and_the_health_say_what_they_are(recogniser: Recogniser) -> None:
    client = TestClient(Service(serving_it(recogniser), 1).app())
    model = client.get("/v1/model").json()
    assert (model["name"], model["digest"], model["classes"]) == ("built-in", recogniser.digest, 3176)
    assert "CC BY-SA" in model["license"]
    assert "田" in model["characters"]
    client.post("/v1/recognise", json=STROKES)
    client.post("/v1/recognise", content=b"rubbish")
    health = client.get("/healthz").json()
    assert (health["status"], health["answered"], health["refused"]) == ("ok", 1, 1)


class SlowRecogniser:
    """Recognises when it may."""

    def __init__(self, recogniser: Recogniser) -> None:
        self.recogniser, self.card, self.digest = recogniser, recogniser.card, recogniser.digest
        self.may = threading.Event()
        self.begun = threading.Semaphore(0)

    def recognise(self, image: object, top: int) -> object:
        self.begun.release()
        assert self.may.wait(30)
        return self.recogniser.recognise(image, top)


def test_more_work_than_it_can_do_is_answered_503_at_once(recogniser: Recogniser, monkeypatch) -> None:
    monkeypatch.setattr(service, "MOST_WAITING", 2)
    slow = SlowRecogniser(recogniser)
    with TestClient(Service(serving_it(slow), 2).app()) as client, ThreadPoolExecutor(2) as others:
        waiting = [others.submit(client.post, "/v1/recognise", json=STROKES) for _ in range(2)]
        for _ in waiting:
            assert slow.begun.acquire(timeout=30)
        refused = client.post("/v1/recognise", json=STROKES)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        slow.may.set()
        assert [best(each.result()) for each in waiting] == ["田"] * 2
        assert best(client.post("/v1/recognise", json=STROKES)) == "田"


def test_a_page_is_answered_with_types_copies_and_what_it_may_load(recogniser: Recogniser, tmp_path: Path) -> None:
    page = tmp_path / "page"
    (page / "in").mkdir(parents=True)
    files = {"index.html": b"<p>", "a.wasm": b"w" * 9, "a.wasm.br": b"B", "a.wasm.gz": b"G", "in/b.mjs": b"1"}
    for name, content in files.items():
        (page / name).write_bytes(content)
    (tmp_path / "secret.txt").write_text("secret")
    client = TestClient(Service(serving_it(recogniser), 1, PageFiles(page)).app())
    index = client.get("/")
    assert (index.content, index.headers["content-type"]) == (b"<p>", "text/html; charset=utf-8")
    assert "script-src 'self' 'wasm-unsafe-eval'" in index.headers["content-security-policy"]
    assert client.get("/in/b.mjs").headers["content-type"].startswith("text/javascript")
    plain = client.get("/a.wasm", headers={"Accept-Encoding": "identity"})
    assert (plain.content, plain.headers["content-type"]) == (b"w" * 9, "application/wasm")
    for accepted, encoding in (("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip")):
        with client.stream("GET", "/a.wasm", headers={"Accept-Encoding": accepted}) as response:
            assert response.headers["content-encoding"] == encoding
            assert response.headers["vary"] == "Accept-Encoding"
            assert b"".join(response.iter_raw()) == files[f"a.wasm{'.br' if encoding == 'br' else '.gz'}"]
    for accepted in ("br; q=0, gzip", "br;q=0.0,gzip", "br ; Q=0.000 , gzip;q=0.5", "gzip, br;q=0;x=1"):
        assert client.head("/a.wasm", headers={"Accept-Encoding": accepted}).headers["content-length"] == "1"
        assert client.head("/a.wasm", headers={"Accept-Encoding": accepted}).headers["content-encoding"] == "gzip"
    again = client.get("/a.wasm", headers={"Accept-Encoding": "identity", "If-None-Match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for known in ("*", f'"other", W/{plain.headers["etag"]}'):
        headers = {"Accept-Encoding": "identity", "If-None-Match": known}
        assert client.get("/a.wasm", headers=headers).status_code == 304
    for part in ("bytes=0-2", "bytes=-2", "bytes=5-2", "bytes=x", "bytes=9-", "bytes", "items=0-5", ""):
        whole = client.get("/a.wasm", headers={"Accept-Encoding": "identity", "Range": part})
        assert (whole.status_code, whole.content) == (200, files["a.wasm"]), part
        assert whole.headers["accept-ranges"] == "none"
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/in/../../secret.txt", "/a.wasm.br", "/in"):
        assert client.get(path).status_code == 404, path


def test_a_page_that_is_exported_again_is_served_as_it_is_then(recogniser: Recogniser, tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.mkdir()
    for name, content in {"index.html": b"<p>", "a.js": b"1", "a.js.gz": b"G", "b.txt": b"b"}.items():
        (page / name).write_bytes(content)
    client = TestClient(Service(serving_it(recogniser), 1, PageFiles(page)).app())
    first = client.get("/a.js", headers={"Accept-Encoding": "identity"})
    shutil.rmtree(page)
    page.mkdir()
    (page / "index.html").write_bytes(b"<p>")
    (page / "a.js").write_bytes(b"2")
    headers = {"Accept-Encoding": "gzip", "If-None-Match": first.headers["etag"]}
    again = client.get("/a.js", headers=headers)
    assert (again.status_code, again.content) == (200, b"2")
    assert again.headers["etag"] != first.headers["etag"]
    assert client.get("/b.txt").status_code == 404
    assert client.get("/").content == b"<p>"


def ask_until_refused(address: str) -> None:
    for _ in range(10_000):
        urllib.request.urlopen(f"{address}healthz", timeout=30).close()


def test_it_finishes_what_it_began_when_it_is_terminated(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kanji_tui", "serve", "--port", "0", "--json"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        address = re.search(r"http://127\.0\.0\.1:\d+/", process.stderr.readline())
        assert address
        host, port = address.group()[7:-1].split(":")
        connection = socket.create_connection((host, int(port)), timeout=30)
        request = f"POST /v1/recognise HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(PNG)}\r\n\r\n".encode()
        connection.sendall(request + PNG[:-1])
        health = json.load(urllib.request.urlopen(f"{address.group()}healthz"))  # the request above has arrived
        assert health["status"] == "ok"
        process.send_signal(signal.SIGTERM)
        with pytest.raises(OSError, match=r"refused|reset"):  # it takes no new work
            ask_until_refused(address.group())
        connection.sendall(PNG[-1:])
        answer = b""
        while part := connection.recv(65_536):
            answer += part
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["candidates"][0]["character"] == "田"
        output, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert json.loads(output)["answered"] == 1
    assert "stopping when the batch, file or request in work is done" in errors


@pytest.fixture
def address(recogniser: Recogniser) -> Iterator[tuple[str, int]]:
    """A service on a real socket, in a thread."""
    config = uvicorn.Config(Service(serving_it(recogniser), 1).app(), log_config=None, http=ImpatientProtocol)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join(30)


def test_a_client_that_sends_all_of_a_large_body_first_reads_why_it_is_refused(address: tuple[str, int]) -> None:
    connection = http.client.HTTPConnection(*address, timeout=60)
    connection.request("POST", "/v1/recognise", bytes(20 * 2**20))
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["error"]["message"]) == (413, "the body is larger than 4 MiB")
    connection.request("POST", "/v1/recognise", json.dumps(STROKES))
    assert json.load(connection.getresponse())["candidates"][0]["character"] == "田"
    connection.close()


def test_a_client_that_asks_before_it_sends_is_refused_at_once(address: tuple[str, int]) -> None:
    with socket.create_connection(address, 60) as connection:
        head = b"POST /v1/recognise HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n"
        connection.sendall(head)
        answer = b""
        while part := connection.recv(65_536):  # until it is closed, for what comes next would be taken as the body
            answer += part
    assert answer.startswith(b"HTTP/1.1 413 ")


HOSTS = {"127.0.0.2": False, "LOCALHOST": False, "0:0:0:0:0:0:0:1": False, "127.1": False, "0.0.0.0": True}


@pytest.mark.parametrize(("host", "reached"), HOSTS.items(), ids=HOSTS)
def test_that_others_can_reach_it_is_said_where_they_can(host: str, reached: bool) -> None:
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with serving._listen(host, 0) as listening:
        assert serving.reached_by_others(listening) == reached


@pytest.mark.parametrize("options", [("--port", "70000"), ("--host", "192.0.2.1"), ("nowhere",)])
def test_what_cannot_be_served_is_said(kanji_tui, options: tuple[str, ...]) -> None:
    done = kanji_tui("serve", *options)
    assert done.returncode == 2
    assert "try:" in done.stderr
