"""The model that answers: that of a page's folder, as it is at each request."""

import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kanji_tui.errors import KanjiError
from kanji_tui.recognition.recogniser import Recogniser
from kanji_tui.system.files import Stamp, file_stamp
from kanji_tui.web.model_files import model_name
from kanji_tui.web.paths import MODEL


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model, and the name that its page gives it."""

    name: str
    recogniser: Recogniser

    @property
    def summary(self) -> dict[str, str]:
        return {"name": self.name, "digest": self.recogniser.digest}

    def to_json(self) -> dict[str, Any]:
        """What GET /v1/model answers."""
        card = self.recogniser.card
        return {
            **self.summary,
            "network": card.network,
            "classes": len(card.classes),
            "characters": "".join(card.characters),
            "image_size": card.size,
            "dataset": card.dataset,
            "source": card.source,
            "license": card.license,
        }


class ModelOfFolder:
    """The model in a folder: one that is exported there again answers from the next request on.

    What cannot be used changes nothing. `news`: what to say about changes. Any number of threads may call it.
    Raises KanjiError where the folder holds no model, or one that cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self.news: deque[str] = deque()
        self._stamp = self._read_stamp()
        self._model = self._open()

    def __call__(self) -> ServedModel:
        with self._lock:
            stamp = self._read_stamp()
            if stamp is not None and stamp != self._stamp:
                self._stamp = stamp  # before it is opened: what is exported meanwhile is found by the next request
                try:
                    self._model = self._open()
                    self.news.append(f"the page was exported again: from now on {self._model.name} answers")
                except (KanjiError, OSError) as error:
                    self.news.append(f"the model before goes on answering: {error}")
            return self._model

    def _read_stamp(self) -> Stamp | None:
        """None where there is no model, as between two folders that cannot be exchanged in one step."""
        try:
            return file_stamp(self._folder / MODEL)
        except OSError:
            return None

    def _open(self) -> ServedModel:
        return ServedModel(model_name(self._folder), Recogniser(self._folder / MODEL))
