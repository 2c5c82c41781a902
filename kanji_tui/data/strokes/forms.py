"""The forms in which a character is written: KanjiVG's, its variants, and further ones derived from its strokes.

Derived are kana whose strokes are joined or apart (き さ り そ ふ や な) or differ between writers (と や), the
place of the dakuten of で, and short cuts that fast writers take through a component: 口 and 日 begun in one line,
the dots of 氵 and 灬 in one sweep.
"""

import unicodedata
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from kanji_tui.data.strokes.kanjivg import Form, Stroke, read_forms

CIRCLE = "〇"  # KanjiVG lacks it
MARKS = {"\u3099": 2, "\u309a": 1}  # dakuten and handakuten, combining: the number of their strokes, the last ones
# Kana by their strokes (from 1) that some writers and fonts join and others do not; KanjiVG has them apart.
JOINED_STROKES = {
    "き": ((3, 4),),
    "さ": ((2, 3),),
    "り": ((1, 2),),
    "ふ": ((1, 2), (2, 3)),
    "な": ((3, 4),),
}
# Shifts of single strokes, in units of the frame: the tick of や meets the curve.
STROKE_SHIFTS = {"や": {2: (-3.0, 9.0)}, "ゃ": {2: (-2.0, 6.0)}}
# Strokes that many leave off early: the part that is written. The curve of や stays open.
STROKE_ENDS = {"や": {1: 0.82}, "ゃ": {1: 0.82}}
# Strokes that stand otherwise, in degrees clockwise about their end: と begins with an upright.
STROKE_ANGLES = {"と": {1: 22.0}}
# Components that are written faster with strokes joined: element, its number of strokes, and these strokes in
# order, a negative one backwards. 口 is one line from the lower left corner round to it.
SHORTCUTS = {
    ("口", 3): ((-1, 2, -3),),
    ("日", 4): ((-1, 2), (3,), (4,)),
    ("氵", 3): ((1,), (2, 3)),
    ("灬", 4): ((1,), (2, 3, 4)),
    ("艹", 3): ((1,), (2, 3)),
    ("小", 3): ((1,), (2, 3)),
    ("心", 4): ((1,), (2,), (3, 4)),
}
SHORTENED = {element for element, _ in SHORTCUTS}


class Kind(IntEnum):
    """How a form comes about; a writer's habits choose among the kinds that a character has."""

    BASE = 0
    VARIANT = 1
    DERIVED = 2


@dataclass(frozen=True, eq=False)
class WrittenForm:
    """A form, its kind, and the number of its last strokes that are dakuten or handakuten."""

    strokes: Form
    kind: Kind
    marks: int = 0


def written_forms(character: str) -> tuple[WrittenForm, ...]:
    """All forms of a character, its base form first; empty where it has no strokes."""
    if character == CIRCLE:
        return (WrittenForm(_circle(), Kind.BASE),)
    read = read_forms(character)
    if not read:
        return ()
    letter = unicodedata.normalize("NFD", character)
    marks = MARKS.get(letter[1:], 0)
    found = [WrittenForm(read[0], Kind.BASE, marks)]
    found += [WrittenForm(form, Kind.VARIANT, marks) for form in read[1:]]
    found += [WrittenForm(form, Kind.DERIVED, marks) for form in _derived_kana(letter[0], read[0], marks)]
    shortened = _with_shortcuts(read[0])
    if shortened is not None:
        found.append(WrittenForm(shortened, Kind.DERIVED, marks))
    return tuple(found)


def _circle() -> Form:
    """〇, from the top against the clock."""
    angle = np.linspace(0, 2 * np.pi, 40)
    return (Stroke(np.stack([54.5 - 36 * np.sin(angle), 54.5 - 36 * np.cos(angle)], axis=1)),)


def _derived_kana(kana: str, form: Form, marks: int) -> list[Form]:
    """The further forms of a kana, with its dakuten; `kana` is the letter without them."""
    found = [_join(form, first, second) for first, second in JOINED_STROKES.get(kana, ())]
    if kana in STROKE_SHIFTS:
        moves = STROKE_SHIFTS[kana]
        found.append(tuple(_move(stroke, moves.get(n, (0.0, 0.0))) for n, stroke in enumerate(form, start=1)))
    if kana in STROKE_ENDS:
        ends = STROKE_ENDS[kana]
        found.append(tuple(_end_early(stroke, ends.get(n, 1.0)) for n, stroke in enumerate(form, start=1)))
    if kana in STROKE_ANGLES:
        angles = STROKE_ANGLES[kana]
        found.append(tuple(_rotate(stroke, angles.get(n, 0.0)) for n, stroke in enumerate(form, start=1)))
    if kana == "そ":
        found.append((*_begin_with_tick(form[0]), *form[1:]))
    if kana == "て" and marks:
        found.append(
            (*(_shrink(stroke, 0.9) for stroke in form[:-marks]), *(_move(s, (9, -29)) for s in form[-marks:]))
        )
    return found


def _join(form: Form, first: int, second: int) -> Form:
    """The form with stroke `second` (from 1) continuing stroke `first`, the one before it."""
    return (*form[: first - 1], _merge([form[first - 1], form[second - 1]], (1, 2)), *form[second:])


def _move(stroke: Stroke, by: tuple[float, float]) -> Stroke:
    return replace(stroke, points=stroke.points + np.array(by))


def _end_early(stroke: Stroke, share: float) -> Stroke:
    """The first part of the stroke, `share` of its points."""
    return replace(stroke, points=stroke.points[: max(2, round(share * len(stroke.points)))])


def _rotate(stroke: Stroke, degrees: float) -> Stroke:
    """The stroke rotated clockwise about its end."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    end = stroke.points[-1]
    return replace(stroke, points=end + (stroke.points - end) @ np.array([[cos, sin], [-sin, cos]]))


def _shrink(stroke: Stroke, factor: float) -> Stroke:
    """The stroke made smaller towards the lower left."""
    corner = np.array([15.0, 95.0])
    return replace(stroke, points=corner + (stroke.points - corner) * factor)


def _begin_with_tick(stroke: Stroke) -> Form:
    """そ in two strokes: a tick in place of the first line, then the rest from its first corner."""
    start = stroke.points[0]
    corner = int(np.argmax(stroke.points[: len(stroke.points) // 3, 0]))
    tick = start + np.array([[0.0, 0.0], [3.5, 5.0], [6.0, 11.0]])
    return (replace(stroke, points=tick), replace(stroke, points=stroke.points[corner:]))


def _with_shortcuts(form: Form) -> Form | None:
    """The form with all short cuts through its components, None where there is none to take."""
    strokes: list[Stroke] = []
    number = 0
    while number < len(form):
        parts = _shortcut_at(form, number)
        if parts is None:
            strokes.append(form[number])
            number += 1
            continue
        for part in parts:
            strokes.append(_merge([form[number + abs(step) - 1] for step in part], part))
        number += sum(map(len, parts))
    return tuple(strokes) if len(strokes) < len(form) else None


def _shortcut_at(form: Form, number: int) -> tuple[tuple[int, ...], ...] | None:
    """The short cut through a component whose first stroke has this number and whose strokes follow each other."""
    for component in form[number].components:
        if component[1] not in SHORTENED:
            continue
        members = [index for index, stroke in enumerate(form) if component in stroke.components]
        parts = SHORTCUTS.get((component[1], len(members)))
        if parts and members == list(range(number, number + len(members))):
            return parts
    return None


def _merge(strokes: list[Stroke], part: tuple[int, ...]) -> Stroke:
    """One stroke through all of these, one by one; those with a negative number in `part` backwards."""
    lines = [stroke.points[:: 1 if step > 0 else -1] for stroke, step in zip(strokes, part, strict=True)]
    return replace(strokes[0], points=np.concatenate(lines), merged=len(lines) > 1)
