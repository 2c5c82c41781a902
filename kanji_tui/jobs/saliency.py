"""The job `saliency`: maps of the evidence in images for the predicted characters."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.paths import DATA_DIR, DEFAULT_MODEL
from kanji_tui.recognition.results import Explanations


@dataclass(frozen=True)
class Spec:
    """Either `samples`, by their numbers in the dataset, or `image`, a file. `character` None: the predicted one.

    `output_path`: a PNG file for the map of a single image; its array is written beside it as .npy.
    """

    model_path: Path = DEFAULT_MODEL
    data_dir: Path = DATA_DIR
    samples: tuple[int, ...] = ()
    image: Path | None = None
    character: str | None = None
    output_path: Path | None = None


def run(spec: Spec, report: Report) -> Explanations:
    from kanji_tui.recognition.model_files import trained_or_built_in
    from kanji_tui.recognition.saliency import explain

    return explain(
        trained_or_built_in(spec.model_path),
        spec.data_dir,
        report,
        samples=spec.samples,
        image=spec.image,
        character=spec.character,
        output_path=spec.output_path,
    )
