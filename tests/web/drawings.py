"""Drawings and the images that a model gets of them, which the page must make alike; the two files beside this one.

`python -m tests.web.drawings` writes the files anew: after a change to the preprocessing that is meant.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kanji_tui.recognition.drawing.model import normalise
from kanji_tui.recognition.drawing.results import StrokeStyle
from tests.drawn import DRAWN

DRAWINGS, IMAGES = (Path(__file__).with_name(f"drawings{ending}") for ending in (".json", ".png"))
SIZE = 64
STYLES = ((0.8, 5 / 128), (0.7, 0.05), (1.0, 0.03), (0.55, 0.09))


@dataclass(frozen=True)
class Drawing:
    """`strokes`: points (x, y); `style`: (extent, width)."""

    strokes: list
    style: tuple[float, float]

    def image(self) -> np.ndarray:
        """What Python makes of it: uint8 (SIZE, SIZE)."""
        return normalise(self.strokes, StrokeStyle(*self.style), SIZE)


def load() -> tuple[list[Drawing], np.ndarray]:
    """The drawings, and their images uint8 (N, SIZE, SIZE) as they stand in the file."""
    drawings = [Drawing(each["strokes"], tuple(each["style"])) for each in json.loads(DRAWINGS.read_text())]
    return drawings, np.asarray(Image.open(IMAGES)).reshape(-1, SIZE, SIZE)


def make() -> list[Drawing]:
    """Characters, scribbles of every size and place, dots, and lines along the axes."""
    random = np.random.default_rng(19)
    found = [[np.array(stroke) for stroke in strokes] for strokes in DRAWN.values()]
    for scale in (1, 300, 1000):
        for _ in range(8):
            strokes = []
            for _ in range(random.integers(1, 9)):
                steps = random.normal(0, 0.05, (random.integers(1, 40), 2)).cumsum(axis=0)
                strokes.append(((random.uniform(0, 1, 2) + steps) * scale).round(2))
            found.append(strokes)
    found += [[np.array([[3, 4]])], [np.array([[0, 0], [9, 0]])], [np.array([[1, 0], [1, 7]])]]
    styles = [STYLES[number % len(STYLES)] for number in range(len(found))]
    return [
        Drawing([stroke.tolist() for stroke in strokes], style)
        for strokes, style in zip(found, styles, strict=True)
    ]


def write() -> None:
    made = make()
    plain = [{"strokes": drawing.strokes, "style": drawing.style} for drawing in made]
    DRAWINGS.write_text("[\n" + ",\n".join(map(json.dumps, plain)) + "\n]\n")
    Image.fromarray(np.concatenate([drawing.image() for drawing in made])).save(IMAGES, optimize=True)


if __name__ == "__main__":
    write()
