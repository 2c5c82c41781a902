"""Reads the strokes of characters from KanjiVG, as the PyPI package `kanjivg` installs it.

One SVG file per form of a character: `06c34.svg`, and variants like `06c34-Kaisho.svg`, the written form. A path is
one stroke, in stroke order; nested groups are its components. KanjiVG is copyright Ulrich Apel and contributors,
CC BY-SA 3.0, https://kanjivg.tagaini.net. Its frame has a side of 109 units, y runs down.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, files, version
from pathlib import Path

import numpy as np

from kanji_tui.errors import KanjiError

FRAME = 109.0  # side of the frame in units
# Variants that differ in shape; those for another stroke order have other names and are not read.
VARIANTS = ("Kaisho", "Hyougai", "HyougaiKaisho", "Jinmei", "JinmeiKaisho", "Insatsu", "InsatsuKaisho")
STEPS = np.linspace(0, 1, 9)[1:]  # where a Bezier curve is evaluated; its start is the end of the one before
BERNSTEIN = np.stack([(1 - STEPS) ** 3, 3 * (1 - STEPS) ** 2 * STEPS, 3 * (1 - STEPS) * STEPS**2, STEPS**3])
TAG = re.compile(r'<g\b([^>]*)>|(</g>)|<path\b[^>]*?\sd="([^"]*)"')
ATTRIBUTE = re.compile(r'kvg:(element|part|number)="([^"]*)"')
PATH_TOKEN = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)")


@dataclass(frozen=True, eq=False)
class Stroke:
    """A stroke: its points, float64 (n, 2) of x and y in units of the frame, and its components, outermost first.

    A component is a pair: a number, unique in the file, and the character it looks like, for instance 口. The first
    one is the whole character. `merged`: it was several strokes.
    """

    points: np.ndarray
    components: tuple[tuple[int, str], ...] = ()
    merged: bool = False


Form = tuple[Stroke, ...]


@cache
def find_kanjivg() -> Path:
    """The folder of KanjiVG's files. Raises KanjiError with what to install where there is none."""
    try:
        found = next((path for path in files("kanjivg") or () if path.name == "04e00.svg"), None)
    except PackageNotFoundError:
        found = None
    folder = Path(str(found.locate())).parent if found else None
    if folder is None or not folder.is_dir():
        raise KanjiError(
            "the stroke data KanjiVG is not installed",
            "pip install kanjivg    (or: kanji-tui sample --source font)",
        )
    return folder


def kanjivg_version() -> str:
    return version("kanjivg")


def read_forms(character: str) -> tuple[Form, ...]:
    """The forms of a character: KanjiVG's own first, then its variants; empty where KanjiVG lacks it."""
    # KanjiVG has Latin letters and digits at their ASCII code points only.
    name = f"{ord(unicodedata.normalize('NFKC', character)[0]):05x}"
    folder = find_kanjivg()
    paths = [folder / f"{name}{suffix}.svg" for suffix in ("", *(f"-{variant}" for variant in VARIANTS))]
    return tuple(parse_form(path.read_text(encoding="utf-8")) for path in paths if path.is_file())


def parse_form(svg: str) -> Form:
    """The strokes of a file; groups of the same element and number in several parts are one component."""
    strokes: list[Stroke] = []
    numbers: dict[tuple[str, ...], int] = {}
    open_groups: list[tuple[int, str]] = []
    for count, (attributes, closing, path) in enumerate(TAG.findall(svg)):
        if path:
            # the outermost group holds all strokes and has no element
            strokes.append(Stroke(parse_path(path), tuple(group for group in open_groups if group[1])))
        elif closing:
            open_groups.pop()
        else:
            found = dict(ATTRIBUTE.findall(attributes))
            element = found.get("element", "")
            identity = (element, found.get("number", "")) if "part" in found else (str(count),)
            open_groups.append((numbers.setdefault(identity, len(numbers)), element))
    return tuple(strokes)


def parse_path(path: str) -> np.ndarray:
    """The points of an SVG path of curves (commands M, m, C, c, S, s), float64 (n, 2).

    Each curve is evaluated at eight places; source of the path syntax: SVG 1.1, section 8.3.
    """
    tokens = PATH_TOKEN.findall(path)
    here = handle = 0j
    curves: list[tuple[complex, complex, complex, complex]] = []
    start: complex | None = None
    command, at = "", 0

    def point(index: int) -> complex:
        value = complex(float(tokens[at + 2 * index]), float(tokens[at + 2 * index + 1]))
        return value + here if command.islower() else value

    while at < len(tokens):
        if tokens[at].isalpha():
            command, at = tokens[at], at + 1
        match command.upper():
            case "M":
                here = handle = point(0)
                start, at = here if start is None else start, at + 2
            case "C":
                curves.append((here, point(0), point(1), point(2)))
                at += 6
            case "S":
                curves.append((here, 2 * here - handle, point(0), point(1)))
                at += 4
            case _:
                raise KanjiError(
                    f"a stroke of KanjiVG has the unknown path command {command!r}", "pip install -U kanjivg"
                )
        if curves:
            _, _, handle, here = curves[-1]
    return _evaluate(start or 0j, curves)


def _evaluate(start: complex, curves: list[tuple[complex, complex, complex, complex]]) -> np.ndarray:
    along = np.array(curves, np.complex128).reshape(-1, 4) @ BERNSTEIN
    return np.concatenate([[start], along.ravel()]).view(np.float64).reshape(-1, 2)
