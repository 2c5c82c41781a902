"""Every result of a job and the document that shows it."""

from collections.abc import Callable
from typing import Any

from kanji_tui.presentation import (
    comparison,
    data,
    export,
    feature_maps,
    inspection,
    preflight,
    recognition,
    runs,
    training,
    web,
)
from kanji_tui.presentation.document import Document

PRESENTERS: dict[type, Callable[[Any], Document]] = {
    **preflight.PRESENTERS,
    **data.PRESENTERS,
    **training.PRESENTERS,
    **runs.PRESENTERS,
    **inspection.PRESENTERS,
    **comparison.PRESENTERS,
    **export.PRESENTERS,
    **recognition.PRESENTERS,
    **feature_maps.PRESENTERS,
    **web.PRESENTERS,
}


def present(result: Any) -> Document:
    """The document of a job's result."""
    return PRESENTERS[type(result)](result)
