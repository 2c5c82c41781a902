"""Writes the model of a web page or a service: an ONNX file with half-precision weights. Runs in a child process.

No torch is loaded for a model that is an ONNX file already.
"""

import shutil
from pathlib import Path

from kanji_tui.recognition.model_files import built_in, model_file
from kanji_tui.system.files import parsing


def write_web_model(model_path: str, path: str) -> None:
    """Write the model in the file `model_path` to `path`. Raises KanjiError if it cannot be used."""
    file = model_file(Path(model_path), ".onnx")
    if file == built_in(".onnx"):
        shutil.copy(file, path)
        return
    from kanji_tui.export.half_weights import halve_weights

    if file.suffix == ".onnx":
        import onnx

        with parsing(file, "an ONNX file"):
            model = onnx.load(file)
    else:
        from kanji_tui.export.conversion import convert
        from kanji_tui.export.targets import find_target
        from kanji_tui.recognition.weights import load_recogniser

        recogniser, card = load_recogniser(file)
        model = convert(recogniser, card, find_target("tract"))
    Path(path).write_bytes(halve_weights(model).SerializeToString())
