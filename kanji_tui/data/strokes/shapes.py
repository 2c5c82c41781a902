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
class Forms:
    """Forms one after the other as flat arrays: P points, Q parts, G components.

    Of points: `xy` float32 (P, 2), 0 in a link; `along` (P,), 0-1, the place in its part; `part` (P,).
    Of parts: `first_point` (Q + 1,); `is_link`, `is_mark` (a dakuten) bool (Q,); `length` and `centre` in frames;
    `hook`, the place where a hook begins, 1 without; `component` (Q, LEVELS), the strokes' alone.
    Of components: `middle` (G, 2) and `extent` (G,), its greater side.
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


@dataclass(frozen=True, eq=False)
class Shapes(Forms):
    """The F forms of C characters.

    Of forms: `first_part`, `first_component`, `point_of_form` (F + 1,). Of characters: `first_form`, the base form,
    and how many `variants` and `derived` forms follow it (C,).
    """

    first_part: np.ndarray
    first_component: np.ndarray
    point_of_form: np.ndarray
    first_form: np.ndarray
    variants: np.ndarray
    derived: np.ndarray


@dataclass(frozen=True, eq=False)
class Batch(Forms):
    """The forms of N samples; `sample` of each point, part and component.

    `part_number` and `component_number` count within the sample.
    """

    sample_of_point: np.ndarray
    sample_of_part: np.ndarray
    sample_of_component: np.ndarray
    part_number: np.ndarray
    component_number: np.ndarray


def build_shapes(characters: Iterable[tuple[WrittenForm, ...]]) -> Shapes:
    """The shapes of characters, each given by its forms."""
    by_character = list(characters)
    forms = [form for each in by_character for form in each]
    points, counts, length = _resample([stroke.points for form in forms for stroke in form.strokes])
    strokes = np.array([len(form.strokes) for form in forms])
    form_of_stroke = np.repeat(np.arange(len(forms)), strokes)
    # a form of n strokes has 2 n - 1 parts: a link follows each stroke but its last
    number = 2 * np.arange(len(counts)) - form_of_stroke
    linked = np.flatnonzero(np.diff(form_of_stroke, append=-1) == 0)
    total = len(number) + len(linked)
    is_link = np.ones(total, bool)
    is_link[number] = False
    counts_of_parts = np.full(total, LINK_POINTS)
    counts_of_parts[number] = counts
    part = np.repeat(np.arange(total), counts_of_parts)
    first_point = np.concatenate([[0], np.cumsum(counts_of_parts)])
    along = np.arange(len(part)) - first_point[part]
    in_link = is_link[part]
    first_stroke_point = np.cumsum(counts) - counts
    component, first_component = _components(forms)
    middle, extent = _boxes(points, first_stroke_point, component)
    marks = np.array([form.marks for form in forms])
    # the last corner of several strokes in one is no hook: without what follows it 口 would be open
    merged = np.array([stroke.merged for form in forms for stroke in form.strokes])
    of_strokes = {
        "is_mark": np.arange(len(counts)) >= (np.cumsum(strokes) - marks)[form_of_stroke],
        "length": length.astype(np.float32),
        "centre": np.add.reduceat(points, first_stroke_point) / counts[:, None].astype(np.float32),
        "hook": np.where(merged, np.float32(1), _hooks(points, counts)),
        "component": component,
    }
    of_parts = {name: np.zeros((total, *value.shape[1:]), value.dtype) for name, value in of_strokes.items()}
    for name, value in of_strokes.items():
        of_parts[name][number] = value
    of_parts["component"][number[linked] + 1] = component[linked]
    xy = np.zeros((len(part), 2), np.float32)
    xy[~in_link] = points
    first_part = np.concatenate([[0], np.cumsum(2 * strokes - 1)])
    return Shapes(
        xy=xy,
        along=np.where(
            in_link, (along + 1) / (LINK_POINTS + 1), along / np.maximum(1, counts_of_parts - 1)[part]
        ).astype(np.float32),
        part=part,
        first_point=first_point,
        is_link=is_link,
        **of_parts,
        middle=middle,
        extent=extent,
        first_part=first_part,
        first_component=first_component,
        point_of_form=first_point[first_part],
        first_form=np.cumsum([0, *map(len, by_character[:-1])]),
        variants=np.array([sum(form.kind == Kind.VARIANT for form in each) for each in by_character]),
        derived=np.array([sum(form.kind == Kind.DERIVED for form in each) for each in by_character]),
    )


def _resample(lines: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lines one after the other with evenly spaced points in frames, float32; their counts and lengths."""
    counts = np.array([len(line) for line in lines])
    points = np.concatenate(lines)
    step = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    first = np.cumsum(counts) - counts
    step[first] = 1.0  # between two lines, so that no place is in both
    travelled = np.cumsum(step)
    start, end = travelled[first], travelled[first + counts - 1]
    numbers = np.maximum(4, np.rint((end - start) / SPACING).astype(int) + 1)
    share = (np.arange(numbers.sum()) - np.repeat(np.cumsum(numbers) - numbers, numbers)) / np.repeat(
        numbers - 1, numbers
    )
    places = np.repeat(start, numbers) + share * np.repeat(end - start, numbers)
    xy = np.stack([np.interp(places, travelled, points[:, axis]) for axis in range(2)], axis=1)
    return (xy / FRAME - 0.5).astype(np.float32), numbers, (end - start) / FRAME


def _hooks(points: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """For each stroke the place, 0-1, of a sharp corner in its last part, float32; 1 where there is none."""
    stroke = np.repeat(np.arange(len(counts)), counts)
    steps = np.diff(points, axis=0)
    direction = np.arctan2(steps[:, 1], steps[:, 0])
    # over two steps: even spacing rounds a corner
    angle = np.abs((direction[2:] - direction[:-2] + np.pi) % (2 * np.pi) - np.pi)
    sharp = np.flatnonzero((angle > HOOK_ANGLE) & (stroke[3:] == stroke[:-3]))
    owner = stroke[sharp]
    place = (sharp + 1.5 - (np.cumsum(counts) - counts)[owner]) / (counts[owner] - 1)
    hook = np.ones(len(counts), np.float32)
    hook[owner] = place  # the last corner of a stroke counts
    return np.where(hook > 1 - HOOK_SHARE, hook, 1)


def _components(forms: list[WrittenForm]) -> tuple[np.ndarray, np.ndarray]:
    """The components of each stroke (S, LEVELS), numbered through all forms, and the first of each form (F + 1,).

    At each level a stroke outside a component stays with the one above; without any, all strokes or all marks.
    """
    rows: list[list[int]] = []
    first = [0]
    for form in forms:
        numbers: dict[object, int] = {}
        for index, stroke in enumerate(form.strokes):
            keys: list[object] = [group for group, _ in stroke.components[1 : 1 + LEVELS]]
            if not keys:
                keys = ["marks" if index >= len(form.strokes) - form.marks else "all"]
            keys += [keys[-1]] * (LEVELS - len(keys))
            rows.append([first[-1] + numbers.setdefault(key, len(numbers)) for key in keys])
        first.append(first[-1] + len(numbers))
    return np.array(rows), np.array(first)


def _boxes(points: np.ndarray, first: np.ndarray, component: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The middle (G, 2) and greater side (G,) of each component's box, from the strokes' points."""
    low = np.full((component.max() + 1, 2), 9, np.float32)
    high = -low
    for level in range(LEVELS):
        np.minimum.at(low, component[:, level], np.minimum.reduceat(points, first))
        np.maximum.at(high, component[:, level], np.maximum.reduceat(points, first))
    return (low + high) / 2, (high - low).max(axis=1)


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
