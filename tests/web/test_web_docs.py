"""docs/WEB.md: its example, in the languages that can be run here, has the answer that stands there."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from kanji_tui.engines.engine import Engine
from kanji_tui.engines.web_runtime import pinned
from kanji_tui.recognition.model_files import built_in
from kanji_tui.web.requests import MOST_BYTES, MOST_PIXELS, MOST_POINTS

TEXT = (Path(__file__).parents[2] / "docs" / "WEB.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_python_and_tract_answer_as_it_says(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = blocks("python")
    names: dict = {}
    exec(first, names)
    assert capsys.readouterr().out.startswith("田 4544 0.")
    exec(second, names)
    output = int(capsys.readouterr().out)
    image = np.fromfile("den.bin", np.uint8).reshape(1, 1, 64, 64)
    with Engine("tract") as tract:
        (logits,) = tract.run(built_in(".onnx"), {"input": image.astype(np.float32) / 255}, {"batch": 1})
    assert int(logits.argmax()) == output


def test_the_request_is_answered_as_it_says() -> None:
    pytest.importorskip("uvicorn", reason="the extra serve is not installed")
    from starlette.testclient import TestClient

    from kanji_tui import Recogniser
    from kanji_tui.web.served_model import ServedModel
    from kanji_tui.web.service import MOST_WAITING, Service

    (command,) = blocks("sh")
    found = re.search(r"curl 'http://127.0.0.1:8080(\S+)' -d '(.*)'", command)  # quoted: zsh takes ? as a pattern
    assert found
    client = TestClient(Service(lambda: ServedModel("built-in", Recogniser()), 1).app())
    answer = client.post(found[1], content=json.dumps(json.loads(found[2])))
    assert [each["character"] for each in answer.json()["candidates"]] == ["田"]
    assert f"With {MOST_WAITING} requests in work" in TEXT
    for path in client.get("/openapi.json").json()["paths"]:
        assert f"{path}" in TEXT


def test_the_figures_are_those_of_the_code() -> None:
    most = f"{MOST_BYTES >> 20} MiB, {MOST_PIXELS >> 20} megapixels"
    assert most in TEXT
    assert f"{MOST_POINTS:,} points" in TEXT
    assert f"ONNX Runtime Web {pinned().version}" in TEXT
