"""A page that is exported again while it is served: the API answers with its model, as the page does."""

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import onnx
import pytest

pytest.importorskip("uvicorn", reason="the extra serve is not installed")
from starlette.testclient import TestClient

from kanji_tui.errors import UsageError
from kanji_tui.paths import BUILT_IN
from kanji_tui.recognition.model_files import model_file
from kanji_tui.system.folders import replacing_folder
from kanji_tui.web.paths import CLASSES, MODEL
from kanji_tui.web.served_model import ModelOfFolder
from kanji_tui.web.service import Service

DRAWING = {"strokes": [[[0, 0], [9, 0]], [[4, 0], [4, 9]]]}


def export(folder: Path, name: str) -> None:
    """A folder as `export web` leaves it: the built-in model under a name, in a file of its own."""
    model = onnx.load(model_file(BUILT_IN, ".onnx"))
    model.doc_string = name
    with replacing_folder(folder) as building:
        onnx.save(model, building / MODEL)
        (building / CLASSES).write_text(json.dumps({"model": {"name": name}}))


def test_a_page_that_is_exported_again_answers_with_its_model(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    export(folder, "first")
    model = ModelOfFolder(folder)
    client = TestClient(Service(model, 2).app())
    ask = lambda: client.post("/v1/recognise", json=DRAWING).json()["model"]  # noqa: E731
    about = lambda: client.get("/v1/model").json()  # noqa: E731
    first = ask()
    assert first["name"] == about()["name"] == "first"
    assert ask() == first
    in_work = model()
    export(folder, "second")
    second = ask()
    assert second["name"] == about()["name"] == "second"
    assert second["digest"] == about()["digest"] != first["digest"]
    assert in_work.recogniser.recognise(DRAWING["strokes"])  # what was begun is finished by the model before
    assert list(model.news) == ["the page was exported again: from now on second answers"]


@pytest.mark.parametrize("damage", ["no model", "no classes", "nothing"])
def test_what_is_no_model_leaves_the_one_before_answering(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "page"
    export(folder, "first")
    model = ModelOfFolder(folder)
    if damage == "nothing":
        shutil.rmtree(folder)
    elif damage == "no classes":
        export(folder, "second")
        (folder / CLASSES).unlink()
    else:
        (folder / MODEL).write_bytes(b"no model")
    assert model().name == model().name == "first"
    assert len(model.news) == (damage != "nothing")  # said once
    export(folder, "third")
    assert model().name == "third"


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no model\.onnx"):
        ModelOfFolder(tmp_path)


def test_the_command_says_which_model_answers(tmp_path: Path) -> None:
    export(tmp_path / "page", "first")
    command = [sys.executable, "-m", "kanji_tui", "serve", "page", "--port", "0", "--json"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        address = re.search(r"http://127\.0\.0\.1:\d+/", process.stderr.readline())
        assert address
        export(tmp_path / "page", "second")
        found = json.load(urllib.request.urlopen(f"{address.group()}v1/model", timeout=60))
        assert found["name"] == "second"
        assert any("from now on second answers" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert json.loads(output)["model"] == "second"
