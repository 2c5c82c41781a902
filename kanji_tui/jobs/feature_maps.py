"""The job `feature_maps`: what the layers of a model gave for images."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.paths import DATA_DIR, DEFAULT_MODEL
from kanji_tui.recognition.results import FeatureMaps


@dataclass(frozen=True)
class Spec:
    """`samples`, by their numbers in the dataset, or `image`, a file; with neither the layers are only listed.

    `layer` "": the maps of every layer. `channels`: how many maps of a layer at most, those that vary most.
    `output_path`: a PNG file for the maps of a single image and layer; the array of all channels beside it.
    """

    model_path: Path = DEFAULT_MODEL
    data_dir: Path = DATA_DIR
    samples: tuple[int, ...] = ()
    image: Path | None = None
    layer: str = ""
    channels: int = 16
    output_path: Path | None = None


def run(spec: Spec, report: Report) -> FeatureMaps:
    from kanji_tui.recognition.feature_maps import feature_maps
    from kanji_tui.recognition.model_files import trained_or_built_in

    return feature_maps(
        trained_or_built_in(spec.model_path),
        spec.data_dir,
        report,
        samples=spec.samples,
        image=spec.image,
        layer=spec.layer,
        channels=spec.channels,
        output_path=spec.output_path,
    )
