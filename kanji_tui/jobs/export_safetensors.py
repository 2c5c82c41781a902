"""The job `export safetensors`: the weights and the model metadata in one file."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.export.results import ExportedSafetensors
from kanji_tui.paths import DEFAULT_MODEL


@dataclass(frozen=True)
class Spec:
    """`verify`: read the file back and compare it bit by bit; `metadata` False: omit the model metadata."""

    model_path: Path = DEFAULT_MODEL
    output_path: Path | None = None
    verify: bool = False
    metadata: bool = True


def run(spec: Spec, report: Report) -> ExportedSafetensors:
    from kanji_tui.export.safetensors_export import export_safetensors

    return export_safetensors(
        spec.model_path, report, output_path=spec.output_path, verify=spec.verify, metadata=spec.metadata
    )
