"""A page that was exported, and a service that has ended."""

from collections.abc import Callable
from typing import Any

from kanji_tui.presentation.document import Document, KeyValues
from kanji_tui.system import numbers
from kanji_tui.web.results import ExportedPage, Served


def served_document(result: Served) -> Document:
    """How many requests a service answered."""
    refused = f", refused {numbers.count(result.refused)}" if result.refused else ""
    return (
        f"served on {result.address} for {numbers.duration(result.seconds)} with the model {result.model}: "
        f"answered {numbers.count(result.answered)} requests{refused}",
    )


def page_key_values(result: ExportedPage) -> KeyValues:
    """An exported page: what a browser loads of it, and how to open it."""
    page = result.transferred_page + result.transferred_model
    pairs = (
        ("model", result.model),
        ("transferred", f"{numbers.size(page)}, of which the model {numbers.size(result.transferred_model)}"),
        ("runtime", f"{result.runtime}: {numbers.size(result.transferred_runtime)} more"),
        ("on disk", f"{numbers.size(result.bytes)}, with compressed copies"),
        ("to open it", f"kanji-tui serve {result.path}"),
    )
    return KeyValues(pairs, result.path)


PRESENTERS: dict[type, Callable[[Any], Document]] = {
    ExportedPage: lambda result: (page_key_values(result),),
    Served: served_document,
}
