"""The job `inspect`: the operators of ONNX files, and which engines run them."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.inspection.given_inputs import InputShape
from kanji_tui.inspection.results import Inspected


@dataclass(frozen=True)
class Spec:
    """The models run on the arrays in the .npz file `arrays`, on made-up inputs of `shapes`, or on guesses."""

    models: tuple[Path, ...]
    shapes: tuple[InputShape, ...] = ()
    arrays: Path | None = None


def run(spec: Spec, report: Report) -> Inspected:
    from kanji_tui.inspection.inspect import inspect_models
    from kanji_tui.recognition.model_files import onnx_file

    return inspect_models(tuple(map(onnx_file, spec.models)), report, spec.shapes, spec.arrays)
