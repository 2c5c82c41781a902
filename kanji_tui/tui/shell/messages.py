"""The messages from the worker thread to the screens; what they carry is frozen data.

Each question has its own message class for the answer, a subclass of Answered, so the answer has a type.
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
    """The answer to a question; `key` distinguishes several questions of one kind."""

    def __init__(self, value: T, key: str = "") -> None:
        super().__init__()
        self.value = value
        self.key = key


class QuestionFailed(Message):
    """A question could not be answered; `question` is the class its answer would have had."""

    def __init__(self, question: type[Message], error: "KanjiError", key: str = "") -> None:
        super().__init__()
        self.question = question
        self.error = error
        self.key = key


class Done(Answered[object]):
    """The answer to a question asked for its effect; only a failure matters."""


class RunsChanged(Message):
    """Some runs have new events or states; `gone` names runs whose directories were removed."""

    def __init__(self, views: "tuple[RunView, ...]", gone: frozenset[str]) -> None:
        super().__init__()
        self.views = views
        self.gone = gone


class WorkspaceRead(Message):
    """The current contents of the workspace."""

    def __init__(self, workspace: "WorkspaceSnapshot") -> None:
        super().__init__()
        self.workspace = workspace


class GpusRead(Message):
    """The current readings of this machine's GPUs; empty without a GPU."""

    def __init__(self, gpus: "tuple[Gpu, ...]") -> None:
        super().__init__()
        self.gpus = gpus


class JobStarted(Message):
    """A job was started as a child process and writes into this run."""

    def __init__(self, run: str, job: str) -> None:
        super().__init__()
        self.run = run
        self.job = job


def error_of(error: Exception) -> "KanjiError":
    """Any exception as a KanjiError, with a message for the user."""
    from kanji_tui.errors import KanjiError

    return error if isinstance(error, KanjiError) else KanjiError(f"{type(error).__name__}: {error}")


AnyAnswer = Answered[Any]
