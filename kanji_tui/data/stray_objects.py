"""Tells the components of a character from other objects in the image: frames, tables, specks, neighbours.

All rules are about size, place and stroke width. A component that no rule excludes is part of the character.
"""

from dataclasses import dataclass

import numpy as np

from kanji_tui.data.components import Components

SPECK, GRAIN = 0.35, 0.08  # areas below these shares of a dot, the stroke width squared: a speck, a tiny one
SPECK_GAP, GAP = 0.15, 0.75  # how far a speck, another object may lie from the rest: shares of its longer side
STROKE_GAP = 1.25  # the same for a line of the same pen: the two of こ lie as far apart as they are long
LINE = 3  # a line is longer than so many of its widths
LEAST_GAP = 0.05  # the same for the fragments of a broken stroke, as a share of the image's longer side
ALL_AROUND, ONE_SIDE = 0.9, 0.9  # shares of the image's outline, of one side, that an object along the edge covers
THIN, THICK = 0.7, 1.7  # a frame's line is thinner or thicker than these shares of the stroke width
BLOB = 2.5  # objects thicker than this many stroke widths are no strokes
SMALLEST_SIDE = 8  # pixels: the longer side of what can be a character within a frame
CHARACTER_SIDE = 0.2  # of the image's longer side: what is smaller may be the inner part of a larger character
MOST_INK = 0.6  # the character's share of the ink if the rest of it, at the edge, is of a neighbour
NEIGHBOUR_DEPTH, NEIGHBOUR_INK = 0.3, 0.25  # how far a neighbour reaches in, its ink: shares of the character's
PALER = 0.65  # ink at the edge is a shadow or another object if its mean is below this share of the character's
IN_BOX = 0.1  # a neighbour has a smaller share of its pixels within the character's box
FRAME_SIDE, LINE_SIDE = 0.1, 0.25  # shares of the image, of the frame, that what makes a frame extends over
FRAME_TILT, FRAME_BAND = 0.03, 0.95  # a frame's unevenness, the share of its pixels along its box
FRAME_CLOSED = 0.6  # share of the box that its lines cover
STRAY_INK = 0.2  # excluded ink, as a share of the character's, that makes the image doubtful

FRAME_OR_PART = "a frame as thick as the strokes was removed, which may be part of the character"
INK_BESIDE = "there is more ink beside the character, which was ignored"

Box = tuple[int, int, int, int]  # left, top, right, bottom, ends exclusive


@dataclass(frozen=True, eq=False)
class Choice:
    """`kept` bool (N,): the components that are the character; `doubtful`: why that may be wrong, or empty."""

    kept: np.ndarray
    doubtful: str = ""


def choose_components(found: Components, ink: np.ndarray) -> Choice:
    """The components of the character among all in an image, at least one; `ink` float32 (H, W), 0-1."""
    if len(found) == 1:
        return Choice(np.ones(1, bool))
    contact = _contact(found)
    touching = contact.sum(axis=0) > 0
    inner = np.logical_not(touching)
    inner = inner & ~_frames(found, inner)
    main = _grow(found, inner)
    if not main.any():
        return Choice(_grow(found, np.ones(len(found), bool)))
    kept, doubtful = main, ""
    if touching.any():
        objects, doubtful = _objects_at_edge(found, contact, main)
        strokes = touching & ~objects
        if found.area[main].sum() >= MOST_INK * (found.area[main].sum() + found.area[strokes].sum()):
            strokes &= ~_neighbours(found, contact, main) & ~_paler(found, ink, main)
        kept = _grow(found, inner | strokes)
    beside = inner & ~kept
    if found.area[beside].sum() >= STRAY_INK * found.area[kept].sum():
        doubtful = doubtful or INK_BESIDE
    return Choice(kept, doubtful)


def _contact(found: Components) -> np.ndarray:
    """How many pixels of the first and last row and column belong to each component, (4, N)."""
    lines = np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]
    return np.stack([found.count_pixels(line) for line in lines])


def _grow(found: Components, allowed: np.ndarray) -> np.ndarray:
    """The largest allowed component and all allowed ones near it, then near those, and so on."""
    main = np.zeros(len(found), bool)
    if not allowed.any():
        return main
    main[np.argmax(found.area * allowed)] = True
    least_gap = LEAST_GAP * max(found.labels.shape)
    lines = np.maximum(found.right - found.left, found.bottom - found.top) >= LINE * found.width
    while True:
        width, gap = stroke_width(found, main), _gap(found, main)
        dot = width**2
        reach = np.where(lines & ~_other_width(found.width, width), STROKE_GAP, GAP) * longer_side(found, main)
        added = allowed & (gap <= np.maximum(least_gap, reach)) & ~main & (found.area >= SPECK * dot)
        if not added.any():
            break
        main |= added
    specks = allowed & (found.area >= GRAIN * dot) & (gap <= SPECK_GAP * longer_side(found, main))
    kept: np.ndarray = main | specks | (allowed & (gap == 0))
    return kept


def stroke_width(found: Components, chosen: np.ndarray) -> float:
    """The mean stroke width of the chosen components in pixels, each pixel with the same weight."""
    area = found.area[chosen]
    return float((found.width[chosen] * area).sum() / area.sum())


def box_of(found: Components, chosen: np.ndarray) -> Box:
    """The box around the chosen components."""
    return (
        int(found.left[chosen].min()),
        int(found.top[chosen].min()),
        int(found.right[chosen].max()),
        int(found.bottom[chosen].max()),
    )


def longer_side(found: Components, chosen: np.ndarray) -> int:
    """The longer side of the box around the chosen components, in pixels."""
    left, top, right, bottom = box_of(found, chosen)
    return max(right - left, bottom - top)


def _gap(found: Components, chosen: np.ndarray) -> np.ndarray:
    """The distance of each component's box from the box around the chosen ones, 0 if they overlap."""
    left, top, right, bottom = box_of(found, chosen)
    across = np.maximum(left - found.right, found.left - right)
    down = np.maximum(top - found.bottom, found.top - bottom)
    gap: np.ndarray = np.maximum(np.maximum(across, down), 0)
    return gap


def _frames(found: Components, allowed: np.ndarray) -> np.ndarray:
    """Components that together are the lines of a box around the others, bool (N,)."""
    sides = np.maximum(found.right - found.left, found.bottom - found.top)
    large: np.ndarray = allowed & (sides >= FRAME_SIDE * max(found.labels.shape))
    if not large.any():
        return large
    left, top, right, bottom = box_of(found, large)
    lines = large & (sides >= LINE_SIDE * min(right - left, bottom - top))
    band = (2 * found.width + 2 + FRAME_TILT * (right - left)).astype(int).max(where=lines, initial=0)
    hollow = found.count_pixels(np.s_[top + band : bottom - band, left + band : right - band])
    lines &= hollow <= (1 - FRAME_BAND) * found.area
    strokes = large & ~lines
    if not lines.any() or not strokes.any():
        return np.zeros_like(lines)
    width = stroke_width(found, lines)
    length = found.area[lines].sum() / (np.pi / 4 * width)
    closed = length >= FRAME_CLOSED * 2 * (right - left + bottom - top)
    return lines if closed and _other_width(width, stroke_width(found, strokes)) else np.zeros_like(lines)


def _other_width(width: np.ndarray | float, of_strokes: float) -> np.ndarray:
    """Whether lines of these widths, of any shape, were made by another pen than the strokes, bool."""
    return np.logical_or(width <= THIN * of_strokes, width >= THICK * of_strokes)


def _objects_at_edge(found: Components, contact: np.ndarray, main: np.ndarray) -> tuple[np.ndarray, str]:
    """Frames, tables and blots at the image's edge, bool (N,), and why that is doubtful, or empty."""
    height, width = found.labels.shape
    strokes, side = stroke_width(found, main), longer_side(found, main)
    other_width = _other_width(found.width, strokes)
    around = contact.sum(axis=0) >= ALL_AROUND * 2 * (height + width)
    around &= side >= SMALLEST_SIDE
    whole_side = contact >= ONE_SIDE * np.array([[width], [width], [height], [height]])
    along = whole_side.any(axis=0) & other_width
    blobs = contact.any(axis=0) & (found.width >= BLOB * strokes)
    if side < CHARACTER_SIDE * max(height, width):
        along, blobs = np.zeros_like(along), np.zeros_like(blobs)
    bars = _bars(found, contact, whole_side, main)
    return around | along | blobs | bars, FRAME_OR_PART if (around & ~other_width).any() else ""


def _bars(found: Components, contact: np.ndarray, whole_side: np.ndarray, main: np.ndarray) -> np.ndarray:
    """Edges of a page or of a window: along one side, longer than the character at both ends, bool (N,).

    Where an image was cut along the character, a stroke may be so, but then something touches the opposite side.
    """
    left, top, right, bottom = box_of(found, main)
    width = stroke_width(found, main)
    wider = (found.left <= left - width) & (found.right >= right + width)
    taller = (found.top <= top - width) & (found.bottom >= bottom + width)
    longer = np.stack([wider, wider, taller, taller])
    free = contact[[1, 0, 3, 2]].sum(axis=1, keepdims=True) == 0  # nothing touches the opposite side
    bars: np.ndarray = (whole_side & longer & free).any(axis=0)
    return bars


def _neighbours(found: Components, contact: np.ndarray, main: np.ndarray) -> np.ndarray:
    """Small objects that reach into the image from its edge, beside the character, bool (N,)."""
    height, width = found.labels.shape
    reach = np.stack([found.bottom, height - found.top, found.right, width - found.left])
    depth = np.where(contact > 0, reach, height + width).min(axis=0)
    left, top, right, bottom = box_of(found, main)
    overlap = found.count_pixels(np.s_[top:bottom, left:right])
    small: np.ndarray = (
        (depth <= NEIGHBOUR_DEPTH * longer_side(found, main))
        & (found.area <= NEIGHBOUR_INK * found.area[main].sum())
        & (overlap < IN_BOX * found.area)
    )
    return small


def _paler(found: Components, ink: np.ndarray, main: np.ndarray) -> np.ndarray:
    """Components whose mean ink is much weaker than the character's, bool (N,)."""
    mean = np.bincount(found.labels.ravel(), weights=ink.ravel(), minlength=len(found) + 1)[1:] / found.area
    paler: np.ndarray = mean < PALER * np.average(mean[main], weights=found.area[main])
    return paler
