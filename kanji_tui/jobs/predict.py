"""The job `predict`: the most probable characters of image files."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.paths import DEFAULT_MODEL
from kanji_tui.recognition.results import Predicted


@dataclass(frozen=True)
class Spec:
    """`invert`: swap ink and paper, which are found from the border."""

    images: tuple[Path, ...]
    model_path: Path = DEFAULT_MODEL
    invert: bool = False


def run(spec: Spec, report: Report) -> Predicted:
    from kanji_tui.recognition.predictor import predict

    return predict(spec.images, spec.model_path, spec.invert, report)
