"""The messages between the worker thread and the screens. What a message carries is frozen data.

A question has a message class of its own for its answer, a subclass of Answered; so an answer keeps its type.
"""

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from textual.message import Message

if TYPE_CHECKING:
    from kanji_tui.errors import KanjiError
    from kanji_tui.events import Gpu
    from kanji_tui.workspace.run_views import RunView
    from kanji_tui.workspace.snapshot import WorkspaceSnapshot

T = TypeVar("T")


class Answered(Message, Generic[T]):
    """The answer to a question. `key` tells which of several questions of this kind it was."""

    def __init__(self, value: T, key: str = "") -> None:
        super().__init__()
        self.value = value
        self.key = key


class QuestionFailed(Message):
    """A question has no answer. `question` is the class that its answer would have had."""

    def __init__(self, question: type[Message], error: "KanjiError", key: str = "") -> None:
        super().__init__()
        self.question = question
        self.error = error
        self.key = key


class Done(Answered[object]):
    """Something short was done that nobody waits for; only its failure is of interest."""


class RunsChanged(Message):
    """Some runs have new events or states; `gone` names runs whose directories are no longer there."""

    def __init__(self, views: "tuple[RunView, ...]", gone: frozenset[str]) -> None:
        super().__init__()
        self.views = views
        self.gone = gone


class WorkspaceRead(Message):
    """What the work folder holds now."""

    def __init__(self, place: "WorkspaceSnapshot") -> None:
        super().__init__()
        self.place = place


class GpusRead(Message):
    """The GPUs of this machine at this moment; empty where there is none."""

    def __init__(self, gpus: "tuple[Gpu, ...]") -> None:
        super().__init__()
        self.gpus = gpus


class JobStarted(Message):
    """A job was started as a child and writes into this run."""

    def __init__(self, run: str, job: str) -> None:
        super().__init__()
        self.run = run
        self.job = job


def error_of(error: Exception) -> "KanjiError":
    """Any error as one that a person can read."""
    from kanji_tui.errors import KanjiError

    return error if isinstance(error, KanjiError) else KanjiError(f"{type(error).__name__}: {error}")


AnyAnswer = Answered[Any]
