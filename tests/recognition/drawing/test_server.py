"""The recogniser process, driven as the Draw screen does; once over its pipes, else in the tests' own process."""

import base64
import contextlib
import io
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.strokes.kanjivg import read_forms
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.saved import save_sample
from kanji_tui.recognition.drawing.server import serve
from kanji_tui.recognition.drawing.strokes import render
from tests.conftest import Trained
from tests.drawn import DEN, DRAWN, KEN


def ask(home: Path, *requests: dict) -> list[dict]:
    """All answers to these requests, in the folder `home`."""
    answers = io.BytesIO()
    with contextlib.chdir(home):
        serve(io.BytesIO(b"".join(json.dumps(request).encode() + b"\n" for request in requests)), answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def ask_process(home: Path, *requests: dict) -> list[dict]:
    """All answers of one child process to these requests."""
    process = subprocess.run(
        [sys.executable, "-m", "kanji_tui.system.child", "kanji_tui.recognition.drawing.server:main"],
        cwd=home,
        input="".join(json.dumps(request) + "\n" for request in requests),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return [json.loads(line) for line in process.stdout.splitlines()]


def recognise(strokes: object) -> dict:
    return {"do": "recognise", "strokes": strokes}


@pytest.fixture(scope="module")
def ready(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the trained model, its dataset and its export, named as by `export onnx`. Read only."""
    from kanji_tui.export.quick_export import export_quickly
    from kanji_tui.recognition.weights import load_recogniser

    home = tmp_path_factory.mktemp("ready")
    (home / "dataset").symlink_to(trained.data_dir)
    (home / "models").mkdir()
    for name in ("best_kanji_model.pth", "best_model_info.json"):
        (home / "models" / name).write_bytes((trained.models_dir / name).read_bytes())
    card = load_recogniser(trained.model_path)[1]
    export_quickly(trained.model_path, home / "models" / f"{card.export_name('tract')}.onnx")
    return home


def test_drawings_are_recognised(ready: Path):
    answers = ask_process(ready, *map(recognise, DRAWN.values()))
    assert [answer["candidates"][0]["character"] for answer in answers] == list(DRAWN)
    for answer in answers:
        probabilities = [candidate["probability"] for candidate in answer["candidates"]]
        assert len(probabilities) == 10
        assert probabilities == sorted(probabilities, reverse=True)
        assert 0 < sum(probabilities) <= 1 + 1e-6
        assert len(base64.b64decode(answer["image"])) == answer["size"] ** 2 == 32**2
        assert all(re.fullmatch("[0-9A-F]{4}", candidate["jis"]) for candidate in answer["candidates"])


def test_a_drawing_always_has_the_same_answer(ready: Path):
    first, *others = ask(ready, recognise(KEN), recognise(DEN), recognise(KEN))
    assert first == others[-1] == ask(ready, recognise(KEN))[0]


def test_the_models_own_export_is_used_but_not_another_models(ready: Path, tmp_path: Path, forked_children: None):
    (found,) = ask(ready, {"do": "find"})
    assert (found["name"], found["classes"], found["size"]) == (
        "kanji_model_etl9g-sample_32x32_12classes_tract.onnx",
        12,
        32,
    )
    assert found["style"]["source"] == "measured in dataset/"

    models = tmp_path / "models"
    models.mkdir()
    for path in (ready / "models").iterdir():
        (models / path.name).write_bytes(path.read_bytes())
    info = json.loads((models / "best_model_info.json").read_text())
    info["metrics"]["ink_extent"] = 0.5  # as if it were from another training
    (models / "best_model_info.json").write_text(json.dumps(info))
    note, found, answer = ask(tmp_path, {"do": "find"}, recognise(DEN))
    assert "some seconds" in note["note"]
    assert found["name"] == "best_kanji_model.pth"
    assert found["style"]["source"] == "usual for ETL9G"  # there is no dataset
    assert answer["candidates"]


def test_without_weights_the_export_is_used(ready: Path, tmp_path: Path):
    (tmp_path / "models").mkdir()
    (export,) = (ready / "models").glob("*.onnx")
    (tmp_path / "models" / export.name).write_bytes(export.read_bytes())
    found, answer = ask(tmp_path, {"do": "find"}, recognise(DEN))
    assert found["name"] == export.name
    assert answer["candidates"][0]["character"] == "田"


def test_in_an_empty_home_the_built_in_model_reads_the_first_drawings(tmp_path: Path):
    drawings = {character: DRAWN.get(character) or pen(character) for character in "あきで田漢学"}
    found, *answers = ask(tmp_path, {"do": "find"}, *map(recognise, drawings.values()))
    assert (found["name"], found["problem"], found["size"]) == ("built-in", "", 64)
    assert found["classes"] > 3036
    assert [answer["candidates"][0]["character"] for answer in answers] == list(drawings)


def pen(character: str) -> list[list[list[float]]]:
    """The character as a pen with KanjiVG's strokes draws it."""
    return [stroke.points.tolist() for stroke in read_forms(character)[0]]


def test_damaged_weights_are_reported_in_one_sentence_and_drawings_can_be_saved(
    tmp_path: Path, forked_children: None
):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "best_kanji_model.pth").write_bytes(b"nothing")
    _, found, answer, saved = ask(
        tmp_path, {"do": "find"}, recognise(DEN), {"do": "save", "strokes": DEN, "label": "U+7530"}
    )
    assert found["name"] == ""
    assert found["problem"].count("best_kanji_model.pth") == 1
    assert "Traceback" not in found["problem"]
    assert found["remedy"]
    assert answer["candidates"] == []
    assert max(base64.b64decode(answer["image"])) == 255
    assert Path(saved["path"]).parent == Path("samples/田")


def test_predict_gives_the_same_for_a_saved_drawing(ready: Path, tmp_path: Path, kanji_tui):
    (tmp_path / "models").symlink_to(ready / "models")
    (tmp_path / "dataset").symlink_to(ready / "dataset")
    requests = [
        request
        for character, strokes in DRAWN.items()
        for request in (recognise(strokes), {"do": "save", "strokes": strokes, "label": character})
    ]
    answers = ask(tmp_path, *requests)
    live = [answer["candidates"] for answer in answers[::2]]
    paths = [answer["path"] for answer in answers[1::2]]
    assert [answer["count"] for answer in answers[1::2]] == [1] * len(DRAWN)
    process = kanji_tui("predict", *paths, "--json")
    predicted = [prediction["candidates"] for prediction in json.loads(process.stdout)["predictions"]]
    for ours, theirs in zip(live, predicted, strict=True):
        assert ours[0]["jis"] == theirs[0]["jis"]
        assert ours[0]["probability"] == pytest.approx(theirs[0]["probability"], abs=1e-3)


def test_saved_drawings_can_be_prepared_as_a_dataset(ready: Path, tmp_path: Path, kanji_tui):
    (tmp_path / "models").symlink_to(ready / "models")
    (tmp_path / "dataset").symlink_to(ready / "dataset")
    saves = [{"do": "save", "strokes": strokes, "label": label} for label, strokes in DRAWN.items()] * 2
    answers = ask(tmp_path, *saves)
    assert len({answer["path"] for answer in answers}) == len(saves)
    with Image.open(tmp_path / answers[0]["path"]) as image:
        assert (image.size, image.mode) == ((128, 127), "L")
    prepared = tmp_path / "made"
    process = kanji_tui(
        "prepare", "--etl-dir", "samples", "--format", "images", "--output-dir", prepared, "--size", 32
    )
    assert process.returncode == 0, process.stderr
    dataset = open_dataset(prepared)
    assert (len(dataset), len(dataset.classes)) == (len(saves), len(DRAWN))
    (answer,) = ask(tmp_path, recognise(DEN))
    live = np.frombuffer(base64.b64decode(answer["image"]), np.uint8).reshape(32, 32).astype(int)
    (number, _) = np.flatnonzero(dataset.jis == 0x4544)
    assert (
        np.abs(dataset.images([number])[0] - live).mean() < 12
    )  # of 255: resized differently, at the same position


@pytest.mark.parametrize("label", ["", "xx", "あい", "U+1F600", "FFFF", "../up"])
def test_an_unknown_label_is_refused_and_nothing_saved(tmp_path: Path, label: str):
    (answer,) = ask(tmp_path, {"do": "save", "strokes": DEN, "label": label})
    assert label in answer["error"]["message"]
    assert answer["error"]["remedy"]
    assert not (tmp_path / "samples").exists()


def test_samples_saved_at_the_same_time_get_different_names(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: save_sample(DEN, "田", StrokeStyle(), tmp_path), range(24)))
    assert len(set(paths)) == 24
    expected = render(DEN, StrokeStyle())
    for path in paths:
        with Image.open(path) as image:
            assert np.array_equal(np.asarray(image), expected)


def test_recognising_does_not_load_torch(ready: Path):
    code = """
import io, json, sys
from kanji_tui.recognition.drawing.server import serve
out = io.BytesIO()
serve(io.BytesIO(json.dumps({"do": "recognise", "strokes": [[[0, 0], [1, 1]]]}).encode()), out)
print(len(json.loads(out.getvalue())["candidates"]), sorted({"torch", "onnx", "textual"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ready, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "10 []", done.stdout + done.stderr
