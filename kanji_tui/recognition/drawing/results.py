"""What the recogniser process answers, as the Draw screen reads it; free of numpy and onnx."""

from dataclasses import dataclass

from kanji_tui.errors import KanjiError
from kanji_tui.recognition.results import Candidate

USUAL_EXTENT = 0.8
USUAL_PEN = 5 / 128  # of an ETL record's 128 pixels: strokes there are 4 to 6 pixels wide


@dataclass(frozen=True)
class StrokeStyle:
    """The ink's longer side and the width of a stroke, as shares of the image's side.

    `source` says in words where they are known from.
    """

    extent: float = USUAL_EXTENT
    pen: float = USUAL_PEN
    source: str = "usual for ETL9G"


@dataclass(frozen=True)
class ReadyModel:
    """The model that recognises drawings; without one `name` is empty and `problem` says why."""

    name: str
    network: str
    classes: int
    size: int
    style: StrokeStyle
    problem: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Recognition:
    """The candidates for a drawing, most probable first; the image the model was given, `size` x `size` bytes."""

    candidates: tuple[Candidate, ...]
    image: bytes
    size: int


@dataclass(frozen=True)
class SavedDrawing:
    """A drawing kept as a sample in `path`; `count`: how many there are of that character now."""

    path: str
    count: int


@dataclass(frozen=True)
class Note:
    """What the recogniser does while an answer takes longer."""

    text: str


@dataclass(frozen=True)
class Failed:
    """A request that has no answer."""

    request: str
    error: KanjiError


Reply = ReadyModel | Recognition | SavedDrawing | Note | Failed
