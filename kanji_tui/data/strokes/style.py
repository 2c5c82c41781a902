"""The habits of synthetic writers: what stays the same in all characters that one of them writes.

Two kinds of writers: with a pen on paper, scanned as in ETL9G, and with a finger or a mouse on a screen. Lengths
are in frames, the frame being the square that KanjiVG draws a character in; widths in pixels of an image of 128
columns.
"""

from dataclasses import dataclass, fields

import numpy as np

from kanji_tui.data.strokes.randomness import keys_of, normal, uniform

STYLE = 1  # these random numbers' purpose, see `randomness`
TOUCH_SHARE = 0.35


@dataclass(frozen=True, eq=False)
class Styles:
    """The habits of N writers, each field float32 (N,), or one writer's for each of N samples.

    Place: `size` of the frame in the image, 1: as large; `aspect`, log of width by height; `angle`, `slant` (to the
    right), `rise` (of horizontal strokes), in radians; `right`, `down`: where the centre is. `variation` multiplies
    how much the samples of the writer differ in these.
    Shape, as standard deviations: `place`, `length`, `rotation` of a stroke, `bend` of it by its length;
    `component`, of its place and size; `warp` of the plane; `tremor` of each point. `smoothing` of corners, 0-1;
    `corner`, the distance between the points of a line with corners, 0 without.
    Form: `variant`, `derived`: the share of characters in such a form; `join`: the probability of a link between
    two strokes that meet, `reach`: the gap at which it is a third of that; `link`: a link's width by the stroke's;
    `hook`: the part of hooks that is written.
    Pen: `width`; `thin_start`, `thin_end`, 0-1, how much thinner strokes begin and end; `pressure`, how much widths
    differ; `ink`, 0-1; `grain`, 0-1; `softness`, the width of an edge in pixels; `dirt`: the share of pixels with
    stray ink; `bleed`: the probability that a neighbouring character reaches into the image.
    """

    touch: np.ndarray
    size: np.ndarray
    aspect: np.ndarray
    angle: np.ndarray
    slant: np.ndarray
    rise: np.ndarray
    right: np.ndarray
    down: np.ndarray
    variation: np.ndarray
    place: np.ndarray
    length: np.ndarray
    rotation: np.ndarray
    bend: np.ndarray
    component: np.ndarray
    warp: np.ndarray
    tremor: np.ndarray
    smoothing: np.ndarray
    corner: np.ndarray
    variant: np.ndarray
    derived: np.ndarray
    join: np.ndarray
    reach: np.ndarray
    link: np.ndarray
    hook: np.ndarray
    width: np.ndarray
    thin_start: np.ndarray
    thin_end: np.ndarray
    pressure: np.ndarray
    ink: np.ndarray
    grain: np.ndarray
    softness: np.ndarray
    dirt: np.ndarray
    bleed: np.ndarray

    def take(self, chosen: np.ndarray) -> "Styles":
        """The styles with these indices."""
        return Styles(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


class _Dice:
    """Gives one column of random numbers after the other; the order of the calls is the meaning of a number."""

    def __init__(self, keys: np.ndarray) -> None:
        self._uniform = iter(uniform(keys, 64).T)
        self._normal = iter(normal(keys_of(STYLE, keys), 16).T)

    def between(self, low: float | np.ndarray, high: float | np.ndarray) -> np.ndarray:
        return np.asarray(low + (high - low) * next(self._uniform))

    def log_between(self, low: float | np.ndarray, high: float | np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(self.between(np.log(low), np.log(high))))

    def around(self, mean: float, deviation: float) -> np.ndarray:
        return np.asarray(mean + deviation * next(self._normal))

    def happens(self, share: float) -> np.ndarray:
        return np.asarray(next(self._uniform) < share)


def make_styles(seed: int, writers: np.ndarray) -> Styles:
    """The styles of the writers with these numbers; each depends on the seed and its own number alone."""
    dice = _Dice(keys_of(STYLE, np.full(len(writers), seed), writers))
    touch = dice.happens(TOUCH_SHARE)
    haste = dice.between(0, 1) ** 1.5  # hasty writers join, round and shorten more

    def either(on_screen: np.ndarray, on_paper: np.ndarray) -> np.ndarray:
        return np.where(touch, on_screen, on_paper)

    values = {
        "touch": touch,
        "size": either(dice.log_between(0.42, 1.12), dice.between(0.62, 1.08)),
        "aspect": dice.around(0, 0.12),
        "angle": dice.around(0, 0.04),
        "slant": dice.around(0.03, 0.13),
        "rise": dice.around(0.04, 0.06),
        "right": dice.around(0, 0.025),
        "down": dice.around(0, 0.025),
        "variation": dice.between(0.6, 1.4),
        "place": dice.between(0.004, 0.022),
        "length": dice.between(0.03, 0.13),
        "rotation": dice.between(0.02, 0.10),
        "bend": dice.between(0.01, 0.07),
        "component": dice.between(0.01, 0.05),
        "warp": dice.between(0.02, 0.16),
        "tremor": dice.between(0, 1) ** 2 * 0.004,
        "smoothing": np.clip(haste + dice.around(0, 0.2), 0, 1),
        "corner": np.where(touch & dice.happens(0.4), dice.between(0.03, 0.14), 0),
        "variant": dice.between(0, 1),
        "derived": dice.between(0, 1) ** 1.5,
        "join": np.clip(haste * dice.between(0, 1), 0, 1) * either(np.array(0.4), np.array(0.9)),
        "reach": dice.between(0.12, 0.3),
        "link": dice.between(0.35, 1),
        "hook": dice.between(0, 1.3).clip(0, 1),
        "width": either(dice.log_between(1.0, 4.0), dice.log_between(1.9, 7.5)),
        "thin_start": either(np.array(0.0), dice.between(-0.3, 0.5)),
        "thin_end": either(np.array(0.0), dice.between(0, 0.75)),
        "pressure": either(np.array(0.0), dice.between(0.03, 0.16)),
        "ink": either(dice.between(0.85, 1), dice.between(0.5, 1)),
        "grain": either(np.array(0.0), dice.between(0, 0.4)),
        "softness": either(dice.between(1, 1.5), dice.between(1, 2.8)),
        "dirt": either(np.array(0.0), (dice.between(0, 1) ** 6) * 0.01),
        "bleed": either(np.array(0.0), np.where(dice.happens(0.5), dice.between(0.1, 0.6), 0)),
    }
    return Styles(**{name: value.astype(np.float32) for name, value in values.items()})
