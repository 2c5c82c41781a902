"""The job `export web`: a page that recognises handwriting in the browser."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.paths import DEFAULT_MODEL
from kanji_tui.web.results import ExportedPage


@dataclass(frozen=True)
class Spec:
    """`output_path`: the page's folder, None: models/web. `runtime`: "npm", a folder, or None: the user's cache."""

    model_path: Path = DEFAULT_MODEL
    output_path: Path | None = None
    runtime: str | None = None


def run(spec: Spec, report: Report) -> ExportedPage:
    from kanji_tui.web.page import export_page

    return export_page(spec.model_path, spec.output_path, spec.runtime, report)
