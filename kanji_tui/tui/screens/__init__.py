"""The screens by mode, in the order of their digits.

A screen's module is imported when it is first asked for: the first paint waits for no screen but its own.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanji_tui.tui.screens.base import WorkbenchScreen

PLACES = {
    "preflight": "PreflightScreen",
    "dataset": "DatasetScreen",
    "training": "TrainingScreen",
    "inspector": "InspectorScreen",
    "browser": "BrowserScreen",
    "draw": "DrawScreen",
}


def screen_class(mode: str) -> "type[WorkbenchScreen]":
    """The class of a mode's screen; it stands in the module named as the mode."""
    found: type[WorkbenchScreen] = getattr(import_module(f"{__name__}.{mode}"), PLACES[mode])
    return found


def screen_classes() -> "tuple[type[WorkbenchScreen], ...]":
    """All of them."""
    return tuple(map(screen_class, PLACES))
