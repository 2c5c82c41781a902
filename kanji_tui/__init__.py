"""A terminal workbench for Japanese handwritten character recognition, and `Recogniser` for programs.

from kanji_tui import Recogniser
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kanji_tui.recognition.recogniser import Recogniser

# ONNX Runtime's wheels count their use, keep that in the user's cache and send it to their maker, unless this is
# set before they are loaded (Privacy.md in the package). Child processes inherit it; whoever wants it sets it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.2.0"
__all__ = ["Recogniser", "__version__"]


def __getattr__(name: str) -> Any:
    """`Recogniser` when it is asked for: it loads NumPy and ONNX Runtime, and most commands need neither."""
    if name != "Recogniser":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kanji_tui.recognition.recogniser import Recogniser

    return Recogniser
