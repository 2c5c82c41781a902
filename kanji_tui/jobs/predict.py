"""The job `predict`: the characters in image files."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.paths import DEFAULT_MODEL
from kanji_tui.recognition.results import Predicted


@dataclass(frozen=True)
class Spec:
    """`invert`: swap ink and paper after their detection; `show`: include the images that the model gets.

    `characters`: the character set that decides between look-alikes.
    """

    images: tuple[Path, ...]
    model_path: Path = DEFAULT_MODEL
    invert: bool = False
    show: bool = False
    characters: str | None = None


def run(spec: Spec, report: Report) -> Predicted:
    from kanji_tui.recognition.model_files import trained_or_built_in
    from kanji_tui.recognition.predictor import predict

    model_path = trained_or_built_in(spec.model_path)
    return predict(spec.images, model_path, spec.invert, spec.show, report, spec.characters)
