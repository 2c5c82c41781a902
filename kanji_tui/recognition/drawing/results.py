"""The replies of the recogniser process; imports neither numpy nor onnx."""

from dataclasses import dataclass, field

from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import Lineage
from kanji_tui.recognition.results import Candidate

DEFAULT_EXTENT = 0.8
DEFAULT_WIDTH = 5 / 128  # strokes are 4 to 6 of the 128 pixels of an ETL record


@dataclass(frozen=True)
class StrokeStyle:
    """The ink's longer side (`extent`) and the stroke width (`width`), as fractions of the image's side.

    `source` says in words where the values come from.
    """

    extent: float = DEFAULT_EXTENT
    width: float = DEFAULT_WIDTH
    source: str = "usual for ETL9G"


@dataclass(frozen=True)
class ReadyModel:
    """The model that recognises drawings; without a model `name` is "" and `problem` says why.

    `lineage`: what it was made from; `digest`: the SHA-256 of the export that it is, empty where it is none.
    """

    name: str
    network: str
    classes: int
    size: int
    style: StrokeStyle
    problem: str = ""
    remedy: str = ""
    lineage: Lineage = field(default_factory=Lineage)
    digest: str = ""


@dataclass(frozen=True)
class Recognition:
    """The candidates for a drawing, most probable first, and the model's input image, `size` x `size` bytes."""

    candidates: tuple[Candidate, ...]
    image: bytes
    size: int


@dataclass(frozen=True)
class SavedDrawing:
    """A drawing saved as a sample in `path`; `count`: the number of samples of that character."""

    path: str
    count: int


@dataclass(frozen=True)
class Note:
    """What the recogniser is doing while a reply takes longer."""

    text: str


@dataclass(frozen=True)
class Failed:
    """A request that failed."""

    request: str
    error: KanjiError


Reply = ReadyModel | Recognition | SavedDrawing | Note | Failed
