"""The job `serve`: recognition over HTTP, and the page, until it is stopped."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.paths import DEFAULT_MODEL
from kanji_tui.web.results import Served

PORT = 8080


@dataclass(frozen=True)
class Spec:
    """`folder`: a page that `export web` wrote, with its model; None: the model in `model_path`.

    `port` 0: a free one.
    """

    folder: Path | None = None
    model_path: Path = DEFAULT_MODEL
    host: str = "127.0.0.1"
    port: int = PORT


def run(spec: Spec, report: Report) -> Served:
    from kanji_tui.web.serving import serve

    return serve(spec.folder, spec.model_path, spec.host, spec.port, report)
