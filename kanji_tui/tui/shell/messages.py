"""Every message that travels between the worker thread and the screens, and from widgets to their screens.

What a message carries is frozen data: a screen may keep it and show it, never change it.
"""

from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from kanji_tui.events import Gpu
    from kanji_tui.workspace.run_views import RunView
    from kanji_tui.workspace.snapshot import Place


class RunsMoved(Message):
    """Some runs have new events or states; `gone` names runs whose directories are no longer there."""

    def __init__(self, views: "tuple[RunView, ...]", gone: frozenset[str]) -> None:
        super().__init__()
        self.views = views
        self.gone = gone


class PlaceRead(Message):
    """What the work folder holds now."""

    def __init__(self, place: "Place") -> None:
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


class Answer(Message):
    """The answer to the question that the receiver asked under the name `slot`."""

    def __init__(self, slot: str, value: Any) -> None:
        super().__init__()
        self.slot = slot
        self.value = value


class Refusal(Message):
    """The question `slot` has no answer: what is wrong, and what to do about it."""

    def __init__(self, slot: str, message: str, remedy: str) -> None:
        super().__init__()
        self.slot = slot
        self.message = message
        self.remedy = remedy
