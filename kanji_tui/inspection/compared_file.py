"""One ONNX file of a comparison: its model, its inputs and its outputs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from kanji_tui.engines.engine import Engine
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.graph import describe_tensor, graph_inputs
from kanji_tui.engines.loading import initialisers, load_onnx
from kanji_tui.engines.parity import SMALL_BATCH
from kanji_tui.networks.card import ModelCard

HALVES = (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)


@dataclass(frozen=True, eq=False)
class ModelFile:
    """`size`: the side of its square grey input image, None for another input; `batch`: its size if fixed.

    `card`: the model card in the file, None if there is none; `input`: the input's name; `symbol`: the name of the
    symbolic batch size, "" if it has none.
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

    @property
    def half(self) -> bool:
        """Whether it stores weights in half precision, which rounds them."""
        return any(tensor.data_type in HALVES and tensor.dims for _, tensor in initialisers(self.model.graph))

    def feed(self, images: np.ndarray) -> tuple[Arrays, dict[str, int]]:
        """The inputs for float32 (n, 1, S, S) images, and the size of the batch symbol."""
        return {self.input: images}, {self.symbol: len(images)} if self.symbol else {}

    def timing_inputs(self, batch: int, images: np.ndarray) -> tuple[Arrays, dict[str, int]]:
        """The first of `images`, to time a run. Raises ValueError if the model cannot take this batch."""
        if self.batch not in (None, batch):
            raise ValueError(f"its batch is fixed at {self.batch}")
        return self.feed(images[:batch])

    def outputs(self, engine: Engine, images: np.ndarray) -> np.ndarray:
        """The first output for each image, flattened: (n, values). Raises EngineError."""
        step = self.batch or SMALL_BATCH
        rows = []
        for start in range(0, len(images), step):
            batch = images[start : start + step]
            if self.batch:  # a fixed batch is padded with copies of the last image
                batch = batch[np.minimum(np.arange(step), len(batch) - 1)]
            inputs, symbols = self.feed(batch)
            output = engine.run(self.path, inputs, symbols)[0]
            assert output is not None, "read_model_file checked that the output is a float tensor"
            rows.append(output.reshape(len(batch), -1))
        return np.concatenate(rows)[: len(images)]


def read_model_file(path: Path) -> ModelFile:
    """Read the file. Raises KanjiError if it cannot be read."""
    model = load_onnx(path)
    inputs = [describe_tensor(value) for value in graph_inputs(model)]
    only = inputs[0] if len(inputs) == 1 else None
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
    card = ModelCard.from_metadata({entry.key: entry.value for entry in model.metadata_props}, str(path))
    return ModelFile(path, model, card, only.name if only else "", size, batch, symbol)


def shared_columns(first: ModelFile, other: ModelFile, widths: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The indices of the outputs of both files that stand for the same class.

    Matched by JIS code if both files have cards, else by position. `widths` are the numbers of outputs. Raises
    ValueError with the reason if no outputs can be compared.
    """
    if first.card and other.card and (len(first.card.classes), len(other.card.classes)) == widths:
        codes = np.array(first.card.classes), np.array(other.card.classes)
        shared, left, right = np.intersect1d(*codes, return_indices=True)
        if len(shared) < 2:
            raise ValueError(f"it shares no classes with {first.name}")
        return left, right
    if widths[0] != widths[1]:
        raise ValueError(f"it has {widths[1]} outputs, {first.name} has {widths[0]}")
    return np.arange(widths[0]), np.arange(widths[0])
