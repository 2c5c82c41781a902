"""The job `export mapping`: a JSON file with the character of each class number."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.export.results import ExportedMapping


@dataclass(frozen=True)
class Spec:
    """`model_path` None: the enhanced mapping of all 3,036 classes."""

    model_path: Path | None = None
    output_path: Path | None = None


def run(spec: Spec, report: Report) -> ExportedMapping:
    from kanji_tui.export.mapping import export_mapping

    return export_mapping(spec.model_path, spec.output_path, report)
