"""The strokes of many characters as flat arrays, and batches gathered from them.

A form becomes one pen path: its strokes, and between each two of them a link, the way of the pen through the air.
A part of the path is a stroke or a link. Coordinates are in frames: the frame's centre is 0, its sides are at -0.5
and 0.5, y runs down. The points of a stroke are evenly spaced.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kanji_tui.data.strokes.forms import Kind, WrittenForm
from kanji_tui.data.strokes.kanjivg import FRAME

SPACING = 2.5  # between two points of a stroke, in units of KanjiVG
LINK_POINTS = 5
HOOK_SHARE = 0.3  # a sharp corner in the last part of a stroke begins a hook
HOOK_ANGLE = np.pi * 0.4
LEVELS = 2  # of components: 語 has 言 and 吾, and in these 口, 五 and 口


@dataclass(frozen=True, eq=False)
class Shapes:
    """Forms as flat arrays: P points, Q parts, G components, F forms, C characters.

    Of points: `xy` float32 (P, 2), 0 in a link; `along` (P,), 0-1, the place in its part; `part` (P,).
    Of parts: `first_point` (Q + 1,); `is_link`, `is_mark` (a dakuten) bool (Q,); `length` and `centre` in frames;
    `hook`, the place where a hook begins, 1 without; `component` (Q, LEVELS), the strokes' alone.
    Of components: `middle` (G, 2) and `extent` (G,), its greater side.
    Of forms: `first_part`, `first_component`, `point_of_form` (F + 1,). Of characters: `first_form`, the base form,
    and how many `variants` and `derived` forms follow it (C,).
    """

    xy: np.ndarray
    along: np.ndarray
    part: np.ndarray
    first_point: np.ndarray
    is_link: np.ndarray
    is_mark: np.ndarray
    length: np.ndarray
    centre: np.ndarray
    hook: np.ndarray
    component: np.ndarray
    middle: np.ndarray
    extent: np.ndarray
    first_part: np.ndarray
    first_component: np.ndarray
    point_of_form: np.ndarray
    first_form: np.ndarray
    variants: np.ndarray
    derived: np.ndarray


@dataclass(frozen=True, eq=False)
class Batch:
    """The forms of N samples one after the other, as in Shapes; `sample` of each point, part and component.

    `part_number` and `component_number` count within the sample.
    """

    xy: np.ndarray
    along: np.ndarray
    part: np.ndarray
    first_point: np.ndarray
    is_link: np.ndarray
    is_mark: np.ndarray
    length: np.ndarray
    centre: np.ndarray
    hook: np.ndarray
    component: np.ndarray
    middle: np.ndarray
    extent: np.ndarray
    sample_of_point: np.ndarray
    sample_of_part: np.ndarray
    sample_of_component: np.ndarray
    part_number: np.ndarray
    component_number: np.ndarray


def build_shapes(characters: Iterable[tuple[WrittenForm, ...]]) -> Shapes:
    """The shapes of characters, each given by its forms."""
    forms = [list(each) for each in characters]
    flat = [form for each in forms for form in each]
    strokes = [stroke.points for form in flat for stroke in form.strokes]
    resampled, lengths = _resample(strokes)
    rows: list[_Part] = []
    first_part, first_component, middles = [0], [0], []
    number = 0
    for form in flat:
        lines = resampled[number : number + len(form.strokes)]
        components, boxes = _components(form, lines, first_component[-1])
        for index, line in enumerate(lines):
            if index:
                rows.append(_Part(np.zeros((LINK_POINTS, 2), np.float32), True, False, 0, 1, components[index - 1]))
            is_mark = index >= len(lines) - form.marks
            rows.append(_Part(line, False, is_mark, lengths[number + index], _hook(line), components[index]))
        number += len(lines)
        middles += boxes
        first_part.append(len(rows))
        first_component.append(len(middles))
    return _stack(rows, middles, first_part, first_component, forms)


@dataclass(frozen=True, eq=False)
class _Part:
    xy: np.ndarray
    is_link: bool
    is_mark: bool
    length: float
    hook: float
    component: tuple[int, ...]


def _stack(
    rows: list[_Part],
    boxes: list[tuple[float, float, float]],
    first_part: list[int],
    first_component: list[int],
    forms: list[list[WrittenForm]],
) -> Shapes:
    counts = [len(row.xy) for row in rows]
    first_point = np.concatenate([[0], np.cumsum(counts)])
    within = [
        (np.arange(n) + 1) / (n + 1) if row.is_link else np.linspace(0, 1, n)
        for row, n in zip(rows, counts, strict=True)
    ]
    middle_extent = np.array(boxes, np.float32)
    return Shapes(
        xy=np.concatenate([row.xy for row in rows]).astype(np.float32),
        along=np.concatenate(within).astype(np.float32),
        part=np.repeat(np.arange(len(rows)), counts),
        first_point=first_point,
        is_link=np.array([row.is_link for row in rows]),
        is_mark=np.array([row.is_mark for row in rows]),
        length=np.array([row.length for row in rows], np.float32),
        centre=np.array([row.xy.mean(axis=0) for row in rows], np.float32),
        hook=np.array([row.hook for row in rows], np.float32),
        component=np.array([row.component for row in rows]),
        middle=middle_extent[:, :2],
        extent=middle_extent[:, 2],
        first_part=np.array(first_part),
        first_component=np.array(first_component),
        point_of_form=first_point[first_part],
        first_form=np.cumsum([0, *map(len, forms[:-1])]),
        variants=np.array([sum(form.kind == Kind.VARIANT for form in each) for each in forms]),
        derived=np.array([sum(form.kind == Kind.DERIVED for form in each) for each in forms]),
    )


def _resample(lines: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
    """The lines with evenly spaced points in frames, float32, and their lengths in frames."""
    counts = np.array([len(line) for line in lines])
    points = np.concatenate(lines)
    step = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    step[first] = 1.0  # between two lines, so that no place is in both
    travelled = np.cumsum(step)
    start, end = travelled[first], travelled[first + counts - 1]
    numbers = np.maximum(4, np.rint((end - start) / SPACING).astype(int) + 1)
    offsets = np.concatenate([[0], np.cumsum(numbers)])
    share = (np.arange(offsets[-1]) - np.repeat(offsets[:-1], numbers)) / np.repeat(numbers - 1, numbers)
    places = np.repeat(start, numbers) + share * np.repeat(end - start, numbers)
    xy = np.stack([np.interp(places, travelled, points[:, axis]) for axis in range(2)], axis=1)
    xy = (xy / FRAME - 0.5).astype(np.float32)
    return np.split(xy, offsets[1:-1]), (end - start) / FRAME


def _hook(line: np.ndarray) -> float:
    """The place, 0-1, of a sharp corner in the last part of a stroke; 1 where there is none."""
    steps = np.diff(line, axis=0)
    direction = np.arctan2(steps[:, 1], steps[:, 0])
    # over two steps: even spacing rounds a corner
    rotation = np.abs((direction[2:] - direction[:-2] + np.pi) % (2 * np.pi) - np.pi)
    sharp = np.flatnonzero(rotation > HOOK_ANGLE)
    place = (sharp[-1] + 1.5) / (len(line) - 1) if len(sharp) else 1.0
    return float(place) if 1 - HOOK_SHARE < place < 1 else 1.0


def _components(
    form: WrittenForm, lines: list[np.ndarray], offset: int
) -> tuple[list[tuple[int, ...]], list[tuple[float, float, float]]]:
    """The components of each stroke, numbered from `offset`, and the middle and greater side of each component.

    At each level a stroke outside a component stays with the one above; without any, all strokes or all marks.
    """
    names: dict[object, int] = {}
    of_stroke: list[tuple[int, ...]] = []
    for index, stroke in enumerate(form.strokes):
        keys: list[object] = [group for group, _ in stroke.components[1 : 1 + LEVELS]]
        if not keys:
            keys = ["marks" if index >= len(lines) - form.marks else "all"]
        keys += [keys[-1]] * (LEVELS - len(keys))
        of_stroke.append(
            tuple(names.setdefault((level, key), len(names)) + offset for level, key in enumerate(keys))
        )
    boxes = []
    for number in range(offset, offset + len(names)):
        points = np.concatenate([line for line, own in zip(lines, of_stroke, strict=True) if number in own])
        low, high = points.min(axis=0), points.max(axis=0)
        boxes.append((*((low + high) / 2), (high - low).max()))
    return of_stroke, boxes


def gather(shapes: Shapes, forms: np.ndarray) -> Batch:
    """The forms with these numbers, one per sample."""
    parts, of_part, part_number = _ranges(shapes.first_part, forms)
    points, of_point, _ = _ranges(shapes.point_of_form, forms)
    components, of_component, component_number = _ranges(shapes.first_component, forms)
    counts = shapes.first_point[parts + 1] - shapes.first_point[parts]
    renumbered = (np.flatnonzero(component_number == 0) - shapes.first_component[forms])[of_part]
    return Batch(
        xy=shapes.xy[points],
        along=shapes.along[points],
        part=np.repeat(np.arange(len(parts)), counts),
        first_point=np.concatenate([[0], np.cumsum(counts)]),
        is_link=shapes.is_link[parts],
        is_mark=shapes.is_mark[parts],
        length=shapes.length[parts],
        centre=shapes.centre[parts],
        hook=shapes.hook[parts],
        component=shapes.component[parts] + renumbered[:, None],
        middle=shapes.middle[components],
        extent=shapes.extent[components],
        sample_of_point=of_point,
        sample_of_part=of_part,
        sample_of_component=of_component,
        part_number=part_number,
        component_number=component_number,
    )


def _ranges(first: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The members of the chosen ranges `first[i]` to `first[i + 1]`: their numbers, owners, and places within."""
    counts = first[chosen + 1] - first[chosen]
    owner = np.repeat(np.arange(len(chosen)), counts)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return first[chosen][owner] + within, owner, within


def choose_forms(
    shapes: Shapes, characters: np.ndarray, variant: np.ndarray, derived: np.ndarray, chance: np.ndarray
) -> np.ndarray:
    """One form for each sample. `variant`, `derived`: the shares of these kinds; `chance` (N, 2): in [0, 1)."""
    variants, further = shapes.variants[characters], shapes.derived[characters]
    is_derived = (chance[:, 0] >= 1 - derived) & (further > 0)
    is_variant = (chance[:, 0] < variant) & (variants > 0) & ~is_derived
    # a character's forms: the base form, the variants, the derived ones
    number = np.where(is_derived, variants + chance[:, 1] * further, chance[:, 1] * variants).astype(int)
    return np.asarray(shapes.first_form[characters] + np.where(is_derived | is_variant, 1 + number, 0))
