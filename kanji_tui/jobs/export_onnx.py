"""The job `export onnx`: a model as an ONNX file, verified in its engine."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.export.results import ExportedOnnx
from kanji_tui.paths import DATA_DIR, DEFAULT_MODEL


@dataclass(frozen=True)
class Spec:
    """`target_backend`: tract, ort-tract or strict. `output_path` None: a name from model and target.

    `pooling_type`, `quantize` and `image_size` None: as the model was trained.
    """

    model_path: Path = DEFAULT_MODEL
    data_dir: Path = DATA_DIR
    target_backend: str = "tract"
    output_path: Path | None = None
    full_parity: bool = False
    pooling_type: str | None = None
    quantize: str | None = None
    image_size: int | None = None


def run(spec: Spec, report: Report) -> ExportedOnnx:
    from kanji_tui.export.onnx_export import export_onnx
    from kanji_tui.export.variants import Variant

    return export_onnx(
        spec.model_path,
        spec.data_dir,
        report,
        target=spec.target_backend,
        output_path=spec.output_path,
        full_parity=spec.full_parity,
        variant=Variant(spec.pooling_type, spec.quantize, spec.image_size),
    )
