"""Write docs/rust_example/: a tiny model, two inputs computed from formulas, and the expected results.

    python scripts/rust_example.py

Other implementations of preprocessing and inference can be checked against them: see docs/RUST_AND_WASM.md. Nothing
in it comes from ETL or is trained: every number is computed by the formulas below.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from kanji_tui.characters.jis import character_to_jis
from kanji_tui.data.resize import shrink
from kanji_tui.export.conversion import convert
from kanji_tui.export.readback import read_back
from kanji_tui.export.targets import TARGETS
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.recognition.ink import fit_to_frame
from kanji_tui.recognition.predictor import read_ink

FOLDER = Path(__file__).parent.parent / "docs" / "rust_example"
SIZE, MEAN, STD, EXTENT = 64, 0.2, 0.35, 0.8
CHANNELS, CHARACTERS = 4, "あいう亜田"


def record_levels() -> np.ndarray:
    """The levels 0-15 of a record's image, (127, 128): row y, column x."""
    y, x = np.mgrid[0:127, 0:128]
    return ((x * x + 3 * y * y + x * y) // 64 % 16).astype(np.uint8)


def photo_levels() -> np.ndarray:
    """The grey levels 0-255 of a photo, (100, 120): paper 230, a cross of ink 40, a faint line of 215."""
    photo = np.full((100, 120), 230, np.uint8)
    photo[20:80, 55:63] = photo[46:54, 30:95] = 40
    photo[5] = 215
    return photo


def tiny_network() -> nn.Sequential:
    """3x3 convolution with stride 2 and padding 1, ReLU, mean over the image, linear layer."""
    network = nn.Sequential(
        nn.Conv2d(1, CHANNELS, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(CHANNELS, len(CHARACTERS)),
    )
    k, i, j = np.mgrid[0:CHANNELS, 0:3, 0:3]
    c, f = np.mgrid[0 : len(CHARACTERS), 0:CHANNELS]
    values = {
        "0.weight": ((7 * k + 3 * i + 5 * j) % 11 - 5)[:, None] / 10,
        "0.bias": np.arange(CHANNELS) / 20,
        "4.weight": (5 * c + 3 * f) % 7 - 3,
        "4.bias": np.arange(len(CHARACTERS)) / 10,
    }
    network.load_state_dict({name: torch.tensor(value, dtype=torch.float32) for name, value in values.items()})
    return network.eval()


def from_record(levels: np.ndarray) -> np.ndarray:
    """A record's levels as the model's input, uint8 (SIZE, SIZE); a record packs two pixels a byte."""
    packed = levels[:, 0::2] << 4 | levels[:, 1::2]
    return shrink(packed[None], SIZE)[0]


def from_photo(levels: np.ndarray) -> np.ndarray:
    """A photo's grey levels as the model's input, uint8 (SIZE, SIZE)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.png"
        Image.fromarray(levels).save(path)
        return fit_to_frame(read_ink(path).ink, SIZE, EXTENT)


def rows(image: np.ndarray, digits: int) -> list[str]:
    """An image as one string per row, each pixel as `digits` hexadecimal digits."""
    return ["".join(f"{value:0{digits}x}" for value in row) for row in image.tolist()]


def compute() -> dict:
    """The source images, the inputs, the logits and the characters."""
    recogniser = Recogniser(tiny_network(), MEAN, STD).eval()
    examples = {}
    for name, levels, image in (
        ("record", record_levels(), from_record(record_levels())),
        ("photo", photo_levels(), from_photo(photo_levels())),
    ):
        with torch.inference_mode():
            logits = recogniser(torch.from_numpy(image.astype(np.float32) / 255)[None, None])[0]
        examples[name] = {
            "levels": rows(levels, digits=1 if name == "record" else 2),
            "picture": rows(image, digits=2),
            "logits": [round(float(value), 6) for value in logits],
            "character": CHARACTERS[int(logits.argmax())],
        }
    return {
        "model": "tiny.onnx",
        "size": SIZE,
        "mean": MEAN,
        "std": STD,
        "extent": EXTENT,
        "characters": CHARACTERS,
        **examples,
    }


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    classes = tuple(character_to_jis(character) or 0 for character in CHARACTERS)
    card = ModelCard("tiny", classes, SIZE, MEAN, STD, "example", "made by formulas", {}, {"ink_extent": EXTENT})
    recogniser = Recogniser(tiny_network(), MEAN, STD).eval()
    model, _, _ = convert(recogniser, card, TARGETS["tract"])
    (FOLDER / "tiny.onnx").write_bytes(model.SerializeToString())
    read_back(FOLDER / "tiny.onnx", TARGETS["tract"], card)
    text = json.dumps(compute(), ensure_ascii=False, indent=1)
    (FOLDER / "example.json").write_text(text + "\n", encoding="utf-8")
    print(f"wrote {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
