"""Synthetic writing from the glyphs of Japanese fonts: `synthetic_writers` varies them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kanji_tui.characters.jis import jis_to_character, name_jis
from kanji_tui.data.fonts import Font, find_fonts
from kanji_tui.data.synthetic_writers import blur, make_writer, write_glyphs
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped


@dataclass(frozen=True, eq=False)
class FontWriting:
    """Writes the characters `codes` in one seed's synthetic writers; `glyphs`: blurred (N, CANVAS, CANVAS)."""

    codes: tuple[int, ...]
    glyphs: np.ndarray
    fonts: dict[str, int]
    seed: int
    block = 16  # characters written at a time

    @property
    def name(self) -> str:
        """The font of most glyphs."""
        return max(self.fonts, key=lambda font: self.fonts[font])

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "what": f"synthetic samples from the font {', '.join(self.fonts)}, not handwriting",
            "glyphs_by_font": self.fonts,
        }

    def write(self, writer: int, start: int, end: int) -> np.ndarray:
        """The characters from `start` to `end` of one writer, levels 0-15, uint8 (n, ROWS, COLUMNS)."""
        seeds = [[self.seed, writer, jis] for jis in self.codes[start:end]]
        return write_glyphs(make_writer(self.seed, writer), self.glyphs[start:end], seeds)


def font_writing(codes: tuple[int, ...], seed: int, report: Report) -> FontWriting:
    """Glyphs of all codes that some font has; a notice names the others. KanjiError without a Japanese font."""
    fonts = find_fonts()
    present, glyphs, used, missing = [], [], dict.fromkeys((font.name for font in fonts), 0), []
    for number, jis in enumerate(codes):
        if number % 100 == 0:
            raise_if_stopped(report)
            report(Progress("glyphs", number, len(codes), "characters"))
        font, glyph = _first_with(fonts, jis_to_character(jis) or "")
        if font is None or glyph is None:
            missing.append(jis_to_character(jis) or name_jis(jis))
            continue
        used[font.name] += 1
        present.append(jis)
        glyphs.append(blur(glyph))
    if missing:
        report(Notice(f"{len(missing)} characters are missing, no font has them: {''.join(missing)}"))
    counted = {name: count for name, count in used.items() if count}
    return FontWriting(tuple(present), np.stack(glyphs), counted, seed)


def _first_with(fonts: tuple[Font, ...], character: str) -> tuple[Font | None, np.ndarray | None]:
    for font in fonts:
        if (glyph := font.glyph(character)) is not None:
            return font, glyph
    return None, None
