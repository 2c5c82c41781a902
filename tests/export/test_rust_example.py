"""The example for other implementations: following docs/RUST_AND_WASM.md gives exactly its values."""

import importlib.util
import json
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest

from kanji_tui.engines.engine import ENGINES, Engine
from kanji_tui.export.readback import read_back
from kanji_tui.export.targets import TARGETS
from kanji_tui.recognition.models import open_model

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "docs" / "rust_example"


@pytest.fixture(scope="module")
def example() -> dict:
    return json.loads((FOLDER / "example.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rust_example", ROOT / "scripts" / "rust_example.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unpack(rows: list[str], digits: int) -> np.ndarray:
    return np.array([[int(row[i : i + digits], 16) for i in range(0, len(row), digits)] for row in rows], np.uint8)


def test_the_script_reproduces_the_example(example: dict, script: ModuleType) -> None:
    made = script.compute()
    for name in ("record", "photo"):
        logits, expected = made[name].pop("logits"), example[name]["logits"]
        np.testing.assert_allclose(logits, expected, atol=1e-5)
        # Another version of Pillow may round differently by one level; the image of a record is exact.
        images = [unpack(source[name]["picture"], 2).astype(int) for source in (made, example)]
        assert np.abs(images[0] - images[1]).max() <= (0 if name == "record" else 1)
        assert made[name]["levels"] == example[name]["levels"]
        assert made[name]["character"] == example[name]["character"]
    assert {key: made[key] for key in made if key not in ("record", "photo")} == {
        key: example[key] for key in example if key not in ("record", "photo")
    }


def test_the_documented_formula_gives_the_levels(example: dict) -> None:
    levels = unpack(example["record"]["levels"], 1)
    assert levels.shape == (127, 128)
    assert all(levels[y, x] == (x * x + 3 * y * y + x * y) // 64 % 16 for y in range(127) for x in range(128))


def test_the_documented_formula_gives_the_image_of_a_record(example: dict) -> None:
    """The documented area average, in exact fractions, for some pixels."""
    levels, image = unpack(example["record"]["levels"], 1), unpack(example["record"]["picture"], 2)
    size = example["size"]

    def overlaps(number: int, length: int) -> list[tuple[int, Fraction]]:
        low, high = Fraction(number * length, size), Fraction((number + 1) * length, size)
        parts = [(old, min(Fraction(old + 1), high) - max(Fraction(old), low)) for old in range(length)]
        return [(old, part) for old, part in parts if part > 0]

    for row, column in [(0, 0), (0, 63), (63, 0), (63, 63), (17, 40), (31, 31), (32, 32), (5, 58)]:
        across, down = overlaps(column, 128), overlaps(row, 127)
        total = sum(int(levels[y, x]) * v * h for y, v in down for x, h in across)
        mean = total / (sum(v for _, v in down) * sum(h for _, h in across))
        assert image[row, column] == (17 * mean + Fraction(1, 2)) // 1


def test_the_image_of_a_photo_has_the_documented_properties(example: dict) -> None:
    levels, image = unpack(example["photo"]["levels"], 2), unpack(example["photo"]["picture"], 2)
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    assert np.median(border) == 230
    ink = np.flatnonzero((image > 0.3 * image.max()).any(axis=0))
    side = example["size"] * example["extent"]
    assert ink[-1] - ink[0] + 1 == pytest.approx(side, abs=1)
    assert image[0].max() == 0


def test_both_engines_give_the_documented_logits(example: dict) -> None:
    path = FOLDER / "tiny.onnx"
    for name in ("record", "photo"):
        given = (unpack(example[name]["picture"], 2) / 255).astype(np.float32)[None, None]
        expected = np.array(example[name]["logits"])
        for engine in ENGINES:
            with Engine(engine) as opened:
                logits = opened.run(path, {"input": given}, {"batch": 1})[0]
            assert logits is not None
            assert np.abs(logits[0] - expected).max() <= 1e-4 * max(1.0, np.abs(expected).max())
            assert example["characters"][int(logits.argmax())] == example[name]["character"]


def test_plain_numpy_gives_the_documented_logits(example: dict) -> None:
    """Normalisation, convolution, ReLU, mean and linear layer in plain NumPy, with the weights of the file."""
    weights = {
        tuple(tensor.dims): onnx.numpy_helper.to_array(tensor)
        for tensor in onnx.load(str(FOLDER / "tiny.onnx")).graph.initializer
    }
    kernel, bias, matrix, shift = (weights[shape] for shape in [(4, 1, 3, 3), (4,), (5, 4), (5,)])
    image = unpack(example["record"]["picture"], 2).astype(np.float64) / 255
    padded = np.pad((image - example["mean"]) / example["std"], 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))[::2, ::2]
    features = np.einsum("hwij,kij->khw", windows, kernel[:, 0]) + bias[:, None, None]
    logits = matrix @ np.maximum(features, 0).mean(axis=(1, 2)) + shift
    np.testing.assert_allclose(logits, example["record"]["logits"], atol=1e-4)


def test_the_file_has_the_properties_of_its_target() -> None:
    card = open_model(FOLDER / "tiny.onnx").card
    assert "".join(card.characters) == "あいう亜田"
    read_back(FOLDER / "tiny.onnx", TARGETS["tract"], card)
