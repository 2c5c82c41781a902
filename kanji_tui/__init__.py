"""A terminal workbench for Japanese handwritten character recognition, and `Recogniser` for programs.

from kanji_tui import Recogniser
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kanji_tui.recognition.recogniser import Recogniser

__version__ = "0.2.0"
__all__ = ["Recogniser", "__version__"]


def __getattr__(name: str) -> Any:
    """`Recogniser` when it is asked for: it loads NumPy and ONNX Runtime, and most commands need neither."""
    if name != "Recogniser":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kanji_tui.recognition.recogniser import Recogniser

    return Recogniser
