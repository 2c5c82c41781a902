"""An ONNX file that stands in a comparison: what it holds, what it takes, and what comes out of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from kanji_tui.engines.engine import Engine
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.graph import describe_tensor, graph_inputs
from kanji_tui.engines.loading import load_onnx
from kanji_tui.engines.parity import SMALL_BATCH
from kanji_tui.inspection.support import SIZES, make_inputs
from kanji_tui.networks.card import ModelCard


@dataclass(frozen=True, eq=False)
class Candidate:
    """`size`: the side of the grey pictures it takes, None where it takes something else; `batch`: fixed, or None.

    `card`: the card in the file; None in a file of other makers.
    """

    path: Path
    model: onnx.ModelProto
    card: ModelCard | None
    input: str
    size: int | None
    batch: int | None
    symbol: str

    @property
    def name(self) -> str:
        return str(self.path)

    def feed(self, pictures: np.ndarray) -> tuple[Arrays, dict[str, int]]:
        """Inputs for float32 (n, 1, S, S) pictures, and the size of the batch's symbol."""
        return {self.input: pictures}, {self.symbol: len(pictures)} if self.symbol else {}

    def made_inputs(self, batch: int) -> tuple[Arrays, dict[str, int]]:
        """Inputs made of numbers, for a model that takes no grey pictures; ValueError where that batch is not."""
        inputs, symbols = make_inputs(self.model, SIZES[0], batch)
        if any(array.ndim and array.shape[0] != batch for array in inputs.values()):
            raise ValueError(f"its inputs are not in batches of {batch}")
        return inputs, symbols

    def timed_inputs(self, batch: int, pictures: np.ndarray | None) -> tuple[Arrays, dict[str, int]]:
        """Inputs for a timing: the first of `pictures` where it takes those; ValueError for another fixed batch."""
        if self.size is None or pictures is None:
            return self.made_inputs(batch)
        if self.batch not in (None, batch):
            raise ValueError(f"its batch is fixed at {self.batch}")
        return self.feed(pictures[:batch])

    def outputs(self, engine: Engine, pictures: np.ndarray) -> np.ndarray:
        """The first output for each picture, (n, -1). Raises EngineError."""
        step = self.batch or SMALL_BATCH
        found = []
        for start in range(0, len(pictures), step):
            piece = pictures[start : start + step]
            if self.batch:  # a fixed batch is filled up with its last picture
                piece = piece[np.minimum(np.arange(step), len(piece) - 1)]
            inputs, symbols = self.feed(piece)
            output = engine.run(self.path, inputs, symbols)[0]
            assert output is not None, "a model of pictures gives numbers"
            found.append(output.reshape(len(piece), -1))
        return np.concatenate(found)[: len(pictures)]


def read_candidate(path: Path) -> Candidate:
    """The file, read. Raises KanjiError where it cannot be."""
    model = load_onnx(path)
    wanted = [describe_tensor(value) for value in graph_inputs(model)]
    only = wanted[0] if len(wanted) == 1 else None
    size = batch = None
    symbol = ""
    if only is not None and only.shape is not None and len(only.shape) == 4 and only.type == "float":
        first, channels, height, width = only.shape
        outputs = [describe_tensor(value) for value in model.graph.output]
        grey = channels == 1 and height == width and isinstance(height, int)
        if grey and outputs and outputs[0].type == "float":
            size = int(height)
            batch = first if isinstance(first, int) else None
            symbol = first if isinstance(first, str) and first != "?" else ""
    card = ModelCard.from_metadata({note.key: note.value for note in model.metadata_props}, str(path))
    return Candidate(path, model, card, only.name if only else "", size, batch, symbol)


def shared_columns(first: Candidate, other: Candidate, widths: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Which outputs of both mean the same: by JIS code where both have cards, else by place.

    `widths` are the numbers of outputs. Raises ValueError, in words, where nothing can be compared.
    """
    if first.card and other.card and (len(first.card.classes), len(other.card.classes)) == widths:
        codes = np.array(first.card.classes), np.array(other.card.classes)
        shared, left, right = np.intersect1d(*codes, return_indices=True)
        if len(shared) < 2:
            raise ValueError(f"it shares no classes with {first.name}")
        return left, right
    if widths[0] != widths[1]:
        raise ValueError(f"it gives {widths[1]} numbers, {first.name} gives {widths[0]}")
    return np.arange(widths[0]), np.arange(widths[0])
