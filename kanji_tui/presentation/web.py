"""A page that was exported, and a service that has ended."""

from collections.abc import Callable
from typing import Any

from kanji_tui.presentation.document import Document, KeyValues
from kanji_tui.system import numbers
from kanji_tui.web.results import ExportedPage, Served


def served_key_values(result: Served) -> KeyValues:
    """How many requests a service answered."""
    pairs = (
        ("address", result.address),
        ("model", result.model),
        ("served", "the page and the API" if result.page else "the API"),
        ("answered", f"{numbers.count(result.answered)} requests in {numbers.duration(result.seconds)}"),
        ("refused", f"{numbers.count(result.refused)} requests"),
    )
    return KeyValues(pairs, "the service has ended")


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
    Served: lambda result: (served_key_values(result),),
}
