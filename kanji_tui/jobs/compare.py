"""The job `compare`: compares two to four ONNX files."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.inspection.given_inputs import InputShape
from kanji_tui.inspection.results import Compared
from kanji_tui.paths import DATA_DIR


@dataclass(frozen=True)
class Spec:
    """The first of `models` is the reference of the others; samples come from the dataset in `data_dir`.

    `shapes` and `arrays`: the inputs to compare them on instead, as of the job `inspect`.
    """

    models: tuple[Path, ...]
    data_dir: Path = DATA_DIR
    shapes: tuple[InputShape, ...] = ()
    arrays: Path | None = None


def run(spec: Spec, report: Report) -> Compared:
    from kanji_tui.inspection.compare import compare_models
    from kanji_tui.recognition.model_files import onnx_file

    return compare_models(tuple(map(onnx_file, spec.models)), spec.data_dir, report, spec.shapes, spec.arrays)
