"""Keeps the answers about other files where one file has none."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from kanji_tui.errors import KanjiError, Stopped, first_line
from kanji_tui.inspection.results import FailedModel, FileError

Answer = TypeVar("Answer")


def answer_or_failure(path: Path, answer: Callable[[], Answer]) -> Answer | FailedModel:
    """The answer about a file, or why there is none. Raises Stopped."""
    try:
        return answer()
    except Stopped:
        raise
    except KanjiError as error:
        return FailedModel(str(path), FileError(error.message, error.remedy, error.exit_code))
    except Exception as error:  # a fault of this program, which a strange file has brought to light
        message = f"{path} cannot be inspected: {type(error).__name__}: {first_line(error)}"
        return FailedModel(str(path), FileError(message, "report this, if possible with the file", 1))
