"""The job `saliency`: what in a picture speaks for the character that was recognised in it?"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kanji_tui.errors import UsageError
from kanji_tui.events import Report
from kanji_tui.jobs.evaluate import DEFAULT_MODEL

if TYPE_CHECKING:
    from kanji_tui.recognition.saliency import Explained

PICTURE = "saliency.png"  # in the run directory, with saliency.npy beside it


@dataclass(frozen=True)
class Spec:
    """Either `sample`, a number in the dataset, or `image`, a file. `character` None: the one predicted.

    `output_path` None: saliency.png in the run directory.
    """

    model_path: Path = DEFAULT_MODEL
    data_dir: Path = Path("dataset")
    sample: int | None = None
    image: Path | None = None
    character: str | None = None
    output_path: Path | None = None


def run(spec: Spec, report: Report) -> "Explained":
    from kanji_tui.recognition.saliency import explain

    path = spec.output_path or (report.directory / PICTURE if report.directory else None)
    if path is None:
        raise UsageError("there is no run directory to leave the picture in", "name an output_path")
    return explain(spec.model_path, spec.data_dir, spec.sample, spec.image, spec.character, path, report)
