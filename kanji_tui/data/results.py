"""The results of the jobs sample, prepare and verify. Does not import torch or onnx."""

from dataclasses import dataclass

from kanji_tui.system.check import Check


@dataclass(frozen=True)
class SyntheticSample:
    """The files of `sample`, as paths. `sets`: data sets, one synthetic writer each.

    `source`: strokes or font; `written_from`: the font of most glyphs, or KanjiVG and its version. `font`: the
    former alone, empty for strokes. `characters`: the character set.
    """

    files: tuple[str, ...]
    records: int
    classes: int
    sets: int
    seed: int
    font: str
    source: str = "font"  # results that older versions stored lack these three
    written_from: str = ""
    characters: str = "etl9g"


@dataclass(frozen=True)
class Preparation:
    """The dataset of `prepare`. `records`: the accepted ones; `seconds`: wall time; `digest`: of the content.

    `ignored`: files beside the input that were not read; `labels`: how folder names of hexadecimal digits were
    read, empty where there were none.
    """

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
    ignored: tuple[str, ...] = ()
    labels: str = ""


@dataclass(frozen=True)
class IncompleteSet:
    """A data set that lacks classes: its `file`, its number `set`, and the JIS codes of these classes."""

    file: str
    set: int
    lacks: tuple[str, ...]


@dataclass(frozen=True)
class Outlier:
    """A sample, its origin (`path` only for image files), and its distance from its class, 0-2."""

    sample: int
    file: str
    record: int
    distance: float
    path: str = ""


@dataclass(frozen=True)
class ClassOutliers:
    """The outliers of one class, the furthest first."""

    jis: str
    character: str
    samples: tuple[Outlier, ...]


@dataclass(frozen=True)
class Verification:
    """The findings of `verify`. `contact_sheet`: the PNG that was drawn, empty where none was requested.

    `heat_map`: mean ink 0-1 on a grid of 16 by 16, rows from the top. `unusual`: the outliers of each class, where
    these were requested.
    """

    samples: int
    classes: int
    checks: tuple[Check, ...]
    contact_sheet: str = ""
    heat_map: tuple[tuple[float, ...], ...] = ()
    incomplete_sets: tuple[IncompleteSet, ...] = ()
    unusual: tuple[ClassOutliers, ...] = ()
