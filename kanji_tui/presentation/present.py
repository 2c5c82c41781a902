"""Every result of a job and the document that shows it."""

from collections.abc import Callable
from typing import Any

from kanji_tui.presentation.document import Document

PRESENTERS: dict[type, Callable[[Any], Document]] = {}


def present(result: Any) -> Document:
    """The document of a job's result."""
    return PRESENTERS[type(result)](result)
