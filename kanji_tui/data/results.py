"""What the jobs of this room give back, free of torch and onnx: read again by the faces."""

from dataclasses import dataclass

from kanji_tui.system.check import Check


@dataclass(frozen=True)
class SyntheticSample:
    """What was drawn. `files` are paths, `sets` data sets (hands); `font` the font most glyphs come from."""

    files: tuple[str, ...]
    records: int
    classes: int
    sets: int
    seed: int
    font: str


@dataclass(frozen=True)
class Preparation:
    """What `prepare` made. `records` are the accepted ones; `seconds` are wall time, `digest` names the content."""

    records: int
    quarantined: int
    classes: int
    size: int
    seconds: float
    records_per_second: float
    digest: str
    files: int
    sets: int
    format: str
    source: str
    output_dir: str


@dataclass(frozen=True)
class IncompleteSet:
    """A data set without some of the classes: its `file` and `set`, and their JIS codes."""

    file: str
    set: int
    lacks: tuple[str, ...]


@dataclass(frozen=True)
class Outlier:
    """Sample number, where it comes from (`path` only for image files), and how far it is from its class, 0-2."""

    sample: int
    file: str
    record: int
    distance: float
    path: str = ""


@dataclass(frozen=True)
class ClassOutliers:
    """A class by JIS code and character, and its most unusual samples, the furthest first."""

    jis: str
    character: str
    samples: tuple[Outlier, ...]


@dataclass(frozen=True)
class Verification:
    """What `verify` found. `contact_sheet`: the PNG that was drawn, empty where none was asked for.

    `heat_map`: mean ink 0-1 on a grid of 16 by 16, rows from the top. `unusual`: the classes with the samples least
    like them, where these were asked for.
    """

    samples: int
    classes: int
    checks: tuple[Check, ...]
    contact_sheet: str = ""
    heat_map: tuple[tuple[float, ...], ...] = ()
    incomplete_sets: tuple[IncompleteSet, ...] = ()
    unusual: tuple[ClassOutliers, ...] = ()
