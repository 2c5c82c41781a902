"""Synthetic writing from KanjiVG's strokes: from character codes to images."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kanji_tui.characters.jis import character_of
from kanji_tui.data.strokes.forms import written_forms
from kanji_tui.data.strokes.kanjivg import kanjivg_version
from kanji_tui.data.strokes.paper import add_neighbours, to_levels
from kanji_tui.data.strokes.randomness import keys_of
from kanji_tui.data.strokes.raster import draw
from kanji_tui.data.strokes.shapes import Shapes, build_shapes
from kanji_tui.data.strokes.style import make_styles
from kanji_tui.data.strokes.writing import write
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped

GENERATOR = 2  # counts the changes of this folder that change a sample


@dataclass(frozen=True, eq=False)
class StrokeWriting:
    """Writes the characters `codes`, whose shapes are in the same order, in one seed's synthetic writers."""

    codes: tuple[int, ...]
    shapes: Shapes
    seed: int
    block = 64  # characters written at a time

    @property
    def name(self) -> str:
        return f"KanjiVG {kanjivg_version()}"

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "what": f"synthetic samples from the strokes of {self.name}, not handwriting",
            "strokes": "KanjiVG, copyright Ulrich Apel, CC BY-SA 3.0, https://kanjivg.tagaini.net",
        }

    def write(self, writer: int, start: int, end: int) -> np.ndarray:
        """The characters from `start` to `end` of one writer, levels 0-15, uint8 (n, ROWS, COLUMNS)."""
        characters = np.arange(start, end)
        return self.write_samples(np.full(len(characters), writer), characters)

    def write_samples(self, writers: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """N samples by any writers, given by number, of any characters, indices into `codes`.

        Levels 0-15, uint8 (N, ROWS, COLUMNS). A sample depends on seed, writer and JIS code alone.
        """
        different, own = np.unique(writers, return_inverse=True)
        styles = make_styles(self.seed, different).take(own)
        keys = keys_of(np.full(len(writers), self.seed), writers, np.array(self.codes)[characters])
        lines = add_neighbours(write(self.shapes, characters, styles, keys), styles, keys)
        return to_levels(draw(lines, styles), styles, keys)


def stroke_writing(codes: tuple[int, ...], seed: int, report: Report) -> StrokeWriting:
    """The strokes of all codes that KanjiVG has; a notice names the others. Raises KanjiError without KanjiVG."""
    present, forms = [], []
    for number, jis in enumerate(codes):
        if number % 100 == 0:
            raise_if_stopped(report)
            report(Progress("strokes", number, len(codes), "characters"))
        if found := written_forms(character_of(jis)):
            present.append(jis)
            forms.append(found)
    missing = [character_of(jis) for jis in codes if jis not in set(present)]
    if missing:
        report(Notice(f"{len(missing)} characters are missing, KanjiVG lacks them: {''.join(missing)}"))
    return StrokeWriting(tuple(present), build_shapes(forms), seed)
