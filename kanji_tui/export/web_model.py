"""Makes the model of a web page or a service: an ONNX file with half-precision weights. Runs in a child process.

No torch is loaded for a model that is an ONNX file already.
"""

from pathlib import Path

from kanji_tui.recognition.model_files import built_in, model_file
from kanji_tui.system.child import take_stdout


def answer_web_model(model_path: str) -> None:
    """Entry point of the child: the file's content on stdout. Raises KanjiError if the model cannot be used."""
    with take_stdout() as out:
        out.write(web_model(Path(model_path)))


def web_model(model_path: Path) -> bytes:
    """The model in the file `model_path` as it is written. Raises KanjiError if it cannot be used."""
    file = model_file(model_path, ".onnx")
    if file == built_in(".onnx"):
        return file.read_bytes()
    from kanji_tui.export.half_weights import halve_weights

    if file.suffix == ".onnx":
        from kanji_tui.engines.loading import load_whole

        model = load_whole(file)
    else:
        from kanji_tui.export.conversion import convert
        from kanji_tui.export.targets import find_target
        from kanji_tui.recognition.weights import load_recogniser

        recogniser, card = load_recogniser(file)
        model = convert(recogniser, card, find_target("tract"))
    content: bytes = halve_weights(model).SerializeToString()
    return content
