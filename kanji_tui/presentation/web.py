"""A service that has ended."""

from collections.abc import Callable
from typing import Any

from kanji_tui.presentation.document import Document
from kanji_tui.system import numbers
from kanji_tui.web.results import Served


def served_document(result: Served) -> Document:
    """How many requests a service answered."""
    refused = f", refused {numbers.count(result.refused)}" if result.refused else ""
    return (
        f"served on {result.address} for {numbers.duration(result.seconds)} with the model {result.model}: "
        f"answered {numbers.count(result.answered)} requests{refused}",
    )


PRESENTERS: dict[type, Callable[[Any], Document]] = {Served: served_document}
