"""`from kanji_tui import Recogniser`: every kind of image, strokes, its errors, threads, and what it loads."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from kanji_tui import Recogniser
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.strokes import render
from kanji_tui.recognition.model_files import built_in
from tests.drawn import DRAWN

LEVELS = render(DRAWN["田"], StrokeStyle())  # uint8 (127, 128), dark ink on white
COLOURS = np.repeat(LEVELS[..., None], 3, axis=2)
IMAGES = {
    "grey": LEVELS,
    "light on dark": 255 - LEVELS,
    "float": LEVELS / 255,
    "half precision": (LEVELS / 255).astype(np.float16),
    "bool": LEVELS > 127,
    "colour": COLOURS,
    "opacity": np.dstack([np.zeros_like(COLOURS), 255 - LEVELS]),  # black ink on nothing
    "slice": COLOURS[:, ::-1, 0][:, ::-1],
    "Pillow": Image.fromarray(LEVELS),
    "Pillow, black and white": Image.fromarray(LEVELS).convert("1"),
    "strokes": DRAWN["田"],
    "strokes as arrays": [np.array(stroke, np.float32) for stroke in DRAWN["田"]],
    "strokes elsewhere": [[(300 * x - 7, 300 * y + 900) for x, y in stroke] for stroke in DRAWN["田"]],
}


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser()


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
def test_every_kind_of_image_is_read(recogniser: Recogniser, image: object) -> None:
    best, *others = recogniser.recognise(image)
    assert (best.character, best.jis) == ("田", "4544")
    assert best.probability > 0.5
    assert len(others) == 9


@pytest.mark.parametrize("name", ["den.png", "den.webp"])
def test_a_file_is_read(recogniser: Recogniser, tmp_path: Path, name: str) -> None:
    Image.fromarray(LEVELS).save(tmp_path / name)
    assert recogniser.recognise(tmp_path / name)[0].character == "田"
    assert recogniser.recognise(str(tmp_path / name), top=1) == recogniser.recognise(tmp_path / name)[:1]


@pytest.mark.parametrize("character", DRAWN)
def test_strokes_are_the_image_that_is_saved_of_them(recogniser: Recogniser, character: str) -> None:
    style = StrokeStyle(recogniser.card.metrics["ink_extent"])
    saved = render(DRAWN[character], style)
    assert np.array_equal(recogniser.prepare(DRAWN[character]), recogniser.prepare(saved))
    assert recogniser.recognise(DRAWN[character])[0].character == character


def test_the_image_that_the_model_gets_has_ink_high(recogniser: Recogniser) -> None:
    prepared = recogniser.prepare(LEVELS)
    assert (prepared.shape, prepared.dtype) == ((recogniser.card.size,) * 2, np.uint8)
    assert (prepared[0].max(), prepared.max()) == (0, 255)


def test_probabilities_fall_and_are_those_of_all_characters(recogniser: Recogniser) -> None:
    everything = recogniser.recognise(DRAWN["田"], top=10_000)
    probabilities = [candidate.probability for candidate in everything]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-4)
    shown = [character for each in everything for character in (each.character, *each.lookalikes)]
    assert sorted(shown) == sorted(set(shown))
    assert recogniser.recognise(DRAWN["田"], top=3) == everything[:3]


def test_threads_share_one_recogniser(recogniser: Recogniser) -> None:
    expected = {character: recogniser.recognise(strokes) for character, strokes in DRAWN.items()}
    asked = list(DRAWN) * 8
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda character: recogniser.recognise(DRAWN[character]), asked))
    assert found == [expected[character] for character in asked]


def test_a_file_may_hold_the_model(recogniser: Recogniser, tmp_path: Path) -> None:
    path = shutil.copy(built_in(".onnx"), tmp_path / "mine.onnx")
    named = Recogniser(path)
    assert (named.card, named.digest) == (recogniser.card, recogniser.digest)
    assert named.recognise(LEVELS) == recogniser.recognise(LEVELS)
    with pytest.raises(KanjiError, match=r"there is no model .*none\.onnx"):
        Recogniser(tmp_path / "none.onnx")


class PathInBytes(os.PathLike):
    """A path whose file system form is bytes, as os.scandir(b".") gives them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> bytes:
        return os.fsencode(self.path)


def test_a_path_may_be_bytes_inside(recogniser: Recogniser, tmp_path: Path) -> None:
    Image.fromarray(LEVELS).save(tmp_path / "den.png")
    assert recogniser.recognise(PathInBytes(tmp_path / "den.png"))[0].character == "田"
    assert Recogniser(PathInBytes(built_in(".onnx"))).digest == recogniser.digest


@pytest.mark.parametrize("path", [None, 3, b"model.onnx", "a" * 5000, "a\0b", ""], ids=repr)
def test_what_is_no_path_of_a_model_is_refused(path: object) -> None:
    with pytest.raises(KanjiError, match=r"is not the path of a model|there is no model"):
        Recogniser(path)


def test_pickled_it_is_opened_again_in_the_other_process(recogniser: Recogniser) -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as other:
        assert other.submit(recogniser.recognise, LEVELS, 3).result() == recogniser.recognise(LEVELS, 3)


def closed() -> Image.Image:
    image = Image.fromarray(LEVELS)
    image.close()
    return image


WRONG = {
    "closed": (closed(), "cannot be read: Operation on closed image"),
    "no pixels": (Image.new("L", (0, 5)), "cannot be read: it has no pixels"),
    "a mode that is not converted": (Image.fromarray(LEVELS).convert("LA").convert("La"), "cannot be read: "),
    "NaN, Pillow": (Image.fromarray(np.where(LEVELS > 127, 1, np.nan).astype(np.float32)), "no numbers"),
    "65 megapixels": (np.zeros((8192, 8320), np.uint8), "at most 64 megapixels"),
    "65 megapixels, Pillow": (Image.new("1", (8192, 8320)), "at most 64 megapixels"),
    "spans of time": ([np.zeros((2, 2), "m8[s]")], "stroke 1"),
    "no dimension": ([np.array(5)], "stroke 1"),
    "blank": (np.full((40, 40), 255, np.uint8), "blank"),
    "blank, Pillow": (Image.new("L", (40, 40)), "blank"),
    "wide numbers": (LEVELS.astype(np.int32), "int32"),
    "floats of 0-255": (LEVELS.astype(np.float32), "0-1"),
    "NaN": (np.full((9, 9), np.nan), "0-1"),
    "one row": (LEVELS[0], "shape"),
    "a batch": (LEVELS[None], "shape"),
    "no pixel": (LEVELS[:0], "shape"),
    "no image": (b"GIF89a", "bytes"),
    "nothing": (None, "NoneType"),
    "no stroke": ([], "no strokes"),
    "an empty stroke": ([[(0, 0), (1, 1)], []], "stroke 2"),
    "three coordinates": ([[(0, 0, 0)]], "stroke 1"),
    "ragged": ([[(0, 0), (1,)]], "stroke 1"),
    "texts": ([[("0", "0")]], "stroke 1"),
    "a truth value": ([[(0, 0), (True, 1)]], "stroke 1"),
    "a truth value of NumPy": ([[(0.5, 0.5), (np.True_, 1)]], "stroke 1"),
    "truth values and numbers": ([[np.array([True, True]), np.array([1, 2])]], "stroke 1"),
    "a whole number of 31 digits": ([[(0, 0), (10**30, 1)]], "stroke 1"),
    "infinity": ([[(0, 0), (float("-inf"), 1)]], "stroke 1"),
    "complex numbers": ([[(0, 0), (1j, 1)]], "stroke 1"),
    "nothing as a number": ([[(0, 0), (None, 1)]], "stroke 1"),
    "a single point": ([[(3, 4)]], "a single point"),
    "a single point, three times": ([[(3, 4), (3, 4)], [(3.0, 4.0)]], "a single point"),
    "no number": ([[(0, 0), (float("nan"), 1)]], "stroke 1"),
    "too far": ([[(0, 0), (1e300, 1)]], "stroke 1"),
    "too many points": ([[(0, 0)] * 100_001], "100,001 points"),
}


@pytest.mark.parametrize(("image", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_no_image_is_refused_in_one_sentence(recogniser: Recogniser, image: object, expected: str) -> None:
    with pytest.raises(KanjiError, match=expected) as caught:
        recogniser.recognise(image)
    assert "\n" not in caught.value.message


def test_too_many_strokes_are_refused_before_they_are_looked_at(recogniser: Recogniser) -> None:
    with patch("kanji_tui.recognition.recogniser._check_stroke", side_effect=AssertionError):
        with pytest.raises(UsageError, match="100,001 points"):
            recogniser.recognise([[(0, 0)]] * 100_001)
        with pytest.raises(UsageError, match="100,001 points"):
            recogniser.recognise([[]] * 100_001)


def test_top_may_be_an_integer_of_numpy(recogniser: Recogniser) -> None:
    assert len(recogniser.recognise(LEVELS, np.int64(3))) == len(recogniser.recognise(LEVELS, np.uint8(3))) == 3


@pytest.mark.parametrize("top", [0, -1, 1.5, True, "3", np.int64(0), np.True_, None])
def test_top_is_a_whole_number(recogniser: Recogniser, top: object) -> None:
    with pytest.raises(UsageError, match="top is"):
        recogniser.recognise(LEVELS, top=top)


LIGHT = """
import json, sys
import kanji_tui
before = set(sys.modules)
from kanji_tui import Recogniser
best = Recogniser().recognise([[(0, 0), (0, 1)], [(0, 0), (1, 0), (1, 1)], [(0, 1), (1, 1)]])[0]
print(json.dumps([sorted(before), sorted(sys.modules), best.character, list(best.lookalikes)]))
"""


def test_the_package_loads_nothing_and_a_recogniser_no_torch_and_keeps_no_account_of_its_use(
    tmp_path: Path,
) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    command = [sys.executable, "-c", LIGHT]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    before, after, character, lookalikes = json.loads(done.stdout)
    assert not {"numpy", "PIL", "onnxruntime"} & set(before)
    assert not {"torch", "onnx", "textual"} & set(after)
    assert "口" in (character, *lookalikes)
    assert not list(tmp_path.iterdir())
