"""Writes characters: bends the strokes of a batch in the styles of their writers and follows the pen.

All steps work on the points of the whole batch at once: forms of characters, moves of components and strokes, the
plane of the writer, trimmed hooks, links between strokes, smoothed and broken lines.
"""

from dataclasses import dataclass

import numpy as np

from kanji_tui.data.strokes.randomness import keys_of, normal, uniform
from kanji_tui.data.strokes.shapes import LEVELS, Batch, Shapes, choose_forms, gather
from kanji_tui.data.strokes.style import Styles

# purposes of random numbers, see `randomness`
FORM, SAMPLE, COMPONENT, STROKE, LINK, POINT, HOOK = range(10, 17)
WAVES = np.arange(1, 4)  # of a bent stroke: half, whole and one and a half
SMOOTHING_STEPS = 6
MAX_BENT = 0.7  # frames
SLIP = 0.3  # deviation of the logarithm of how much a stroke differs: now and then one slips
MIN_CORNERS = 5  # of a broken line: a small circle stays one
CAREFUL = 0.4  # how much of their habit of joining and rounding writers keep in characters of few strokes


@dataclass(frozen=True, eq=False)
class Lines:
    """Straight lines of ink, S of them: `start`, `end` in frames, float32 (S, 2), 0 at the image's centre.

    `width`, relative to the writer's pen; `sample`: which image it belongs to, ascending.
    """

    start: np.ndarray
    end: np.ndarray
    width: np.ndarray
    sample: np.ndarray


def write(shapes: Shapes, characters: np.ndarray, styles: Styles, keys: np.ndarray) -> Lines:
    """The lines of N samples: `characters` (N,), indices into `shapes`; `styles`, `keys` (uint64): one for each."""
    chance = uniform(keys_of(FORM, keys), 2)
    batch = gather(shapes, choose_forms(shapes, characters, styles.variant, styles.derived, chance))
    careful = _careful(batch)
    xy = _place(batch, _bend(batch, styles, keys), styles, keys)
    xy = xy[_without_hooks(batch, styles, keys)]
    joined = _join(batch, xy, styles, keys, careful)
    inked = joined[batch.part]
    xy = _smooth(batch, xy, inked, styles.smoothing * careful)
    xy = _break(batch, xy, styles)
    return _lines(batch, xy, inked, styles, keys)


def _careful(batch: Batch) -> np.ndarray:
    """(N,): 1 for characters of many strokes, CAREFUL for those that a link or a lost corner makes another one."""
    strokes = np.bincount(batch.sample_of_part, ~batch.is_link)
    return np.where(strokes <= 4, CAREFUL, 1).astype(np.float32)


def _bend(batch: Batch, styles: Styles, keys: np.ndarray) -> np.ndarray:
    """The points with each stroke and component moved, scaled, rotated and bent by itself."""
    part_style = styles.take(batch.sample_of_part)
    part_keys = keys_of(STROKE, keys[batch.sample_of_part], batch.part_number)
    random = normal(part_keys, 5 + 2 * len(WAVES)).astype(np.float32)
    random[:, :-1] *= np.exp(SLIP * random[:, -1:])
    # a short stroke moves less than a long one
    place = (part_style.place * np.minimum(1, 0.4 + 2 * batch.length))[:, None] * random[:, :2]
    matrix = _similarity(np.exp(part_style.length * random[:, 2]), part_style.rotation * random[:, 3])
    shift = batch.centre - _apply(matrix, batch.centre) + place
    for level in reversed(range(LEVELS)):
        outer, move = _component_moves(batch, styles, keys, level)
        owner = batch.component[:, level]
        matrix, shift = outer[owner] @ matrix, _apply(outer[owner], shift) + move[owner]
    xy = _apply(matrix[batch.part], batch.xy) + shift[batch.part]
    # a long kana stroke has many turns and bends no more than a short line
    bend = part_style.bend * np.minimum(batch.length, MAX_BENT)
    waves = random[:, 4:-1].reshape(-1, len(WAVES), 2) * bend[:, None, None]
    basis = (np.sin(np.pi * batch.along[:, None] * WAVES) / WAVES).astype(np.float32)
    amount = waves[batch.part]
    for wave in range(len(WAVES)):
        xy += basis[:, wave, None] * amount[:, wave]
    return np.asarray(xy)


def _component_moves(batch: Batch, styles: Styles, keys: np.ndarray, level: int) -> tuple[np.ndarray, np.ndarray]:
    """For each component the matrix (G, 2, 2) and shift (G, 2) of its own, none for those of another level.

    Dakuten differ more in place and size.
    """
    style = styles.take(batch.sample_of_component)
    component_keys = keys_of(COMPONENT, keys[batch.sample_of_component], batch.component_number)
    random = normal(component_keys, 6).astype(np.float32)
    is_mark = np.zeros(len(batch.extent), bool)
    is_mark[batch.component[batch.is_mark]] = True
    is_level = np.zeros(len(batch.extent), np.float32)
    is_level[batch.component[:, level]] = 1
    is_level[batch.component[:, :level]] = 0  # an outer component without inner ones
    # as large as the character: the sample's own size and place already vary
    whole = (batch.component_number == 0) & (batch.extent > 0.5)
    deviation = is_level * np.where(is_mark, 0.6, style.component * np.where(whole, 0.3, 1))
    reach = np.where(is_mark, 0.09, batch.extent)
    scale = np.exp(1.5 * deviation[:, None] * random[:, :2] * np.where(is_mark, 0.25, 1)[:, None])
    scale *= np.where(is_mark & (is_level > 0) & (level == 0), 1.25, 1)[:, None]
    rotation = deviation * random[:, 2] * np.where(is_mark, 0.3, 1)
    matrix = (_similarity(np.ones_like(rotation), rotation) * scale[:, None, :]).astype(np.float32)
    move = ((deviation * reach)[:, None] * random[:, 3:5]).astype(np.float32)
    return matrix, batch.middle - _apply(matrix, batch.middle) + move


def _place(batch: Batch, xy: np.ndarray, styles: Styles, keys: np.ndarray) -> np.ndarray:
    """The points in the image: the plane warped, then sized, slanted, rotated and moved as the writer does it."""
    random = normal(keys_of(SAMPLE, keys), 14).astype(np.float32)
    vary = styles.variation
    warp = (styles.warp[:, None] * random[:, :6]).reshape(-1, 2, 3)[batch.sample_of_point]
    x, y = xy[:, 0], xy[:, 1]
    terms = np.stack([x * x, x * y, y * y], axis=1)
    xy = xy + np.einsum("pat,pt->pa", warp, terms)
    log_size = np.log(styles.size) + 0.06 * vary * random[:, 6]
    aspect = styles.aspect + 0.06 * vary * random[:, 7]
    angle = styles.angle + 0.03 * vary * random[:, 8]
    slant = styles.slant + 0.04 * vary * random[:, 9]
    rise = styles.rise + 0.03 * vary * random[:, 10]
    sized = np.exp(log_size[:, None] + aspect[:, None] * np.array([0.5, -0.5]))
    shear = np.stack([np.stack([np.ones_like(slant), -slant], 1), np.stack([-rise, np.ones_like(rise)], 1)], 1)
    matrix = (_similarity(np.ones_like(angle), angle) @ shear * sized[:, None, :]).astype(np.float32)
    centre = np.stack([styles.right, styles.down], axis=1) + 0.02 * vary[:, None] * random[:, 11:13]
    xy = _apply(matrix[batch.sample_of_point], xy) + centre.astype(np.float32)[batch.sample_of_point]
    return _keep_inside(batch, xy)


def _keep_inside(batch: Batch, xy: np.ndarray) -> np.ndarray:
    """Characters that leave the image are moved back, and made smaller where they are larger than it."""
    starts = np.searchsorted(batch.sample_of_point, np.arange(batch.sample_of_point[-1] + 1))
    strokes = ~batch.is_link[batch.part]
    low = np.minimum.reduceat(np.where(strokes[:, None], xy, 9), starts)
    high = np.maximum.reduceat(np.where(strokes[:, None], xy, -9), starts)
    factor = np.minimum(1, 0.96 / (high - low))
    middle = (low + high) / 2
    room = np.maximum(0, 0.48 - factor * (high - low) / 2)
    target = np.clip(middle, -room, room)
    shift = (target - factor * middle).astype(np.float32)
    return np.asarray(xy * factor.astype(np.float32)[batch.sample_of_point] + shift[batch.sample_of_point])


def _without_hooks(batch: Batch, styles: Styles, keys: np.ndarray) -> np.ndarray:
    """For each point the point to take instead: behind the part of a hook that is written, its end."""
    chance = uniform(keys_of(HOOK, keys[batch.sample_of_part], batch.part_number), 1)[:, 0]
    written = np.clip(styles.hook[batch.sample_of_part] + 0.8 * (chance - 0.5), 0, 1)
    counts = np.diff(batch.first_point) - 1
    last = np.rint(counts * (batch.hook + written * (1 - batch.hook))).astype(int)
    return np.asarray(np.minimum(np.arange(len(batch.xy)), (batch.first_point[:-1] + last)[batch.part]))


def _join(batch: Batch, xy: np.ndarray, styles: Styles, keys: np.ndarray, careful: np.ndarray) -> np.ndarray:
    """Which parts have ink (Q,): strokes, and links where the pen stays down. Fills in the points of links."""
    links = np.flatnonzero(batch.is_link)
    inked = ~batch.is_link
    if not len(links):
        return inked
    sample = batch.sample_of_part[links]
    start, end = xy[batch.first_point[links] - 1], xy[batch.first_point[links + 1]]
    gap = np.hypot(*(end - start).T)
    apart = batch.component[links, 0] != batch.component[links + 1, 0]
    probability = styles.join[sample] * careful[sample] * np.exp(-((gap / styles.reach[sample]) ** 2))
    probability *= np.where(apart, 0.5, 1)
    link_keys = keys_of(LINK, keys[sample], batch.part_number[links])
    inked[links] = uniform(link_keys, 1)[:, 0] < probability
    points = np.flatnonzero(batch.is_link[batch.part])
    row = np.searchsorted(links, batch.part[points])
    share = batch.along[points][:, None]
    across = (end - start)[:, ::-1] * np.array([-1, 1]) * (0.12 * normal(link_keys, 1))
    xy[points] = start[row] + share * (end - start)[row] + np.sin(np.pi * share) * across[row]
    return inked


def _smooth(batch: Batch, xy: np.ndarray, inked: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """The points drawn towards the middle of their neighbours on the same line; `strength`: (N,), 0-1."""
    linked = _continues(batch, inked)
    inner = np.flatnonzero(linked[:-1] & linked[1:]) + 1
    share = (0.5 * strength)[batch.sample_of_point[inner]][:, None]
    for _ in range(SMOOTHING_STEPS):
        middle = (xy[inner - 1] + xy[inner + 1]) / 2
        xy[inner] += share * (middle - xy[inner])
    return xy


def _continues(batch: Batch, inked: np.ndarray) -> np.ndarray:
    """For each point but the last whether the pen draws from it to the next (P - 1,)."""
    is_link = batch.is_link[batch.part]
    same_part = batch.part[1:] == batch.part[:-1]
    same_sample = batch.sample_of_point[1:] == batch.sample_of_point[:-1]
    # parts follow each other as stroke, link, stroke
    return np.asarray(inked[1:] & inked[:-1] & (same_part | (same_sample & (is_link[1:] | is_link[:-1]))))


def _break(batch: Batch, xy: np.ndarray, styles: Styles) -> np.ndarray:
    """Lines with corners where the writer's screen reports few points: straight from one such point to the next."""
    broken = np.flatnonzero((styles.corner[batch.sample_of_point] > 0) & ~batch.is_link[batch.part])
    part = batch.part[broken]
    corner = (styles.corner * styles.size)[batch.sample_of_point[broken]]
    nodes = np.maximum(MIN_CORNERS, np.rint(batch.length[part] / corner))
    along = batch.along[broken] * nodes
    counts = (np.diff(batch.first_point) - 1)[part]
    first = batch.first_point[part]
    before, after = (
        first + np.rint(node / nodes * counts).astype(int) for node in (np.floor(along), np.ceil(along))
    )
    share = (along - np.floor(along))[:, None]
    xy[broken] = (1 - share) * xy[before] + share * xy[after]
    return xy


def _lines(batch: Batch, xy: np.ndarray, inked: np.ndarray, styles: Styles, keys: np.ndarray) -> Lines:
    first = np.searchsorted(batch.sample_of_point, np.arange(len(keys)))
    number = np.arange(len(xy)) - first[batch.sample_of_point]
    tremor = normal(keys_of(POINT, keys[batch.sample_of_point], number), 2).astype(np.float32)
    xy = xy + (styles.tremor * styles.size)[batch.sample_of_point][:, None] * tremor
    at = np.flatnonzero(_continues(batch, inked))
    at = at[(xy[at] != xy[at + 1]).any(axis=1)]
    part, sample = batch.part[at], batch.sample_of_point[at]
    stroke_keys = keys_of(STROKE, LINK, keys[batch.sample_of_part], batch.part_number)
    press = np.exp(styles.pressure[batch.sample_of_part] * normal(stroke_keys, 1)[:, 0])
    along = batch.along[at]
    width = press[part] * (1 - styles.thin_end[sample] * along**3 - styles.thin_start[sample] * (1 - along) ** 3)
    width = np.where(batch.is_link[part], styles.link[sample] * (1 - 0.7 * styles.thin_end[sample]), width)
    return Lines(xy[at], xy[at + 1], width.astype(np.float32), sample)


def _similarity(scale: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Matrices (N, 2, 2) that scale and rotate."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.stack([np.stack([cos, -sin], axis=1), np.stack([sin, cos], axis=1)], axis=1).astype(np.float32)


def _apply(matrix: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    x, y = vectors[:, 0], vectors[:, 1]
    return np.stack([matrix[:, 0, 0] * x + matrix[:, 0, 1] * y, matrix[:, 1, 0] * x + matrix[:, 1, 1] * y], axis=1)
