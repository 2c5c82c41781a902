"""What paper and scanner make of ink: its darkness and grain, stray dots, neighbours, sixteen grey levels."""

from functools import cache

import numpy as np

from kanji_tui.data.etl import COLUMNS, ROWS
from kanji_tui.data.strokes.randomness import keys_of, uniform
from kanji_tui.data.strokes.style import Styles
from kanji_tui.data.strokes.writing import Lines

PAPER, NEIGHBOUR = 20, 21  # purposes of random numbers, see `randomness`
TILE = 256
LEVELS = 15


def add_neighbours(lines: Lines, styles: Styles, keys: np.ndarray) -> Lines:
    """The lines, and those of a neighbouring character at the left or right border where one bleeds in.

    The neighbour is the character itself turned upside down: like handwriting, and without a hint to its class.
    """
    chance = uniform(keys_of(NEIGHBOUR, keys), 4)
    bleeds = chance[:, 0] < styles.bleed
    chosen = np.flatnonzero(bleeds[lines.sample])
    sample = lines.sample[chosen]
    side = np.where(chance[:, 1] < 0.6, -1, 1)
    away = np.stack([side * (0.78 + 0.14 * chance[:, 2]), 0.16 * (chance[:, 3] - 0.5)], axis=1).astype(np.float32)
    start, end = away[sample] - lines.start[chosen], away[sample] - lines.end[chosen]
    visible = (np.abs(start[:, 0]) < 0.53) & (np.abs(end[:, 0]) < 0.53)
    return Lines(
        np.concatenate([lines.start, start[visible]]),
        np.concatenate([lines.end, end[visible]]),
        np.concatenate([lines.width, lines.width[chosen][visible]]),
        np.concatenate([lines.sample, sample[visible]]),
    )


def to_levels(ink: np.ndarray, styles: Styles, keys: np.ndarray) -> np.ndarray:
    """Ink 0-1, (N, ROWS, COLUMNS), as grey levels 0-15, uint8."""
    place = uniform(keys_of(PAPER, keys), 3)
    corner = (place[:, :2] * [TILE - ROWS, TILE - COLUMNS]).astype(int)
    levels = ink * (LEVELS * styles.ink)[:, None, None]
    for number in np.flatnonzero(styles.grain + styles.dirt):
        top, left = corner[number]
        grain, dirt = (tile[top : top + ROWS, left : left + COLUMNS] for tile in _tiles())
        levels[number] *= 1 - styles.grain[number] * grain
        if styles.dirt[number] > 0.0005:
            stray = dirt < styles.dirt[number]
            levels[number][stray] = np.maximum(levels[number][stray], 1 + 4 * place[number, 2])
    return np.asarray(np.rint(levels).astype(np.uint8))


@cache
def _tiles() -> tuple[np.ndarray, np.ndarray]:
    """Grain, 0-1, slightly smooth, and the chance of stray ink, in [0, 1); float32 (TILE, TILE) each."""
    rows = keys_of(PAPER, np.arange(TILE))
    rough = uniform(rows, TILE)
    grain = rough + np.roll(rough, 1, axis=0) + np.roll(rough, 1, axis=1) + np.roll(rough, (1, 1), axis=(0, 1))
    return (grain / 4).astype(np.float32), uniform(keys_of(rows, 1), TILE).astype(np.float32)
