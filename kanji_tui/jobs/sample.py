"""The job `sample`: makes record files of synthetic samples. They are not handwriting."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.characters.character_sets import CHARACTER_SETS
from kanji_tui.data.defaults import SAMPLE_CLASSES, SAMPLE_SETS, SAMPLE_SOURCES
from kanji_tui.data.results import SyntheticSample
from kanji_tui.events import Report
from kanji_tui.paths import ETL_DIR


@dataclass(frozen=True)
class Spec:
    """`classes` of a character set (None: all of it), by `sets` synthetic writers (data sets), four per file."""

    output_dir: Path = ETL_DIR
    classes: int | None = SAMPLE_CLASSES
    sets: int = SAMPLE_SETS
    seed: int = 0
    source: str = SAMPLE_SOURCES[0]
    characters: str = CHARACTER_SETS[0]


def run(spec: Spec, report: Report) -> SyntheticSample:
    from kanji_tui.data.sample import generate_sample

    return generate_sample(
        spec.output_dir, spec.classes, spec.sets, spec.seed, report, spec.source, spec.characters
    )
