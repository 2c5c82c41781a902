"""An ONNX file for the moment: quickly written, not proved. `export onnx` makes the one to keep.

python -m kanji_tui.export.quick_export MODEL FILE.onnx
"""

import sys
from pathlib import Path

import torch

from kanji_tui.errors import KanjiError
from kanji_tui.export.conversion import export_torchscript, finish
from kanji_tui.export.targets import find_target
from kanji_tui.recognition.models import load_recogniser


def write_unproved(model_path: Path, path: Path) -> None:
    """Write the model in `model_path` for target tract to `path`, its card inside; KanjiError where that fails."""
    recogniser, card = load_recogniser(model_path)
    target = find_target("tract")
    model = export_torchscript(recogniser, torch.zeros(2, 1, card.size, card.size), card, target)
    path.write_bytes(finish(model, card, target).SerializeToString())


if __name__ == "__main__":
    try:
        write_unproved(Path(sys.argv[1]), Path(sys.argv[2]))
    except KanjiError as error:
        sys.exit(error.message)
