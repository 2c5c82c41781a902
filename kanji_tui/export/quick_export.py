"""A quick, unverified ONNX export for the Draw screen. For a file to keep, use `export onnx`."""

from pathlib import Path

import torch

from kanji_tui.export.conversion import export_torchscript, finish
from kanji_tui.export.targets import find_target
from kanji_tui.recognition.weights import load_recogniser


def export_quickly(model_path: str | Path, path: str | Path) -> None:
    """Write the model for target tract to `path`, with its card. Raises KanjiError if that fails."""
    recogniser, card = load_recogniser(Path(model_path))
    target = find_target("tract")
    model = export_torchscript(recogniser, torch.zeros(2, 1, card.size, card.size), card, target)
    Path(path).write_bytes(finish(model, card, target).SerializeToString())
