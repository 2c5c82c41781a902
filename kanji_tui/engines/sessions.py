"""Opens ONNX files by ONNX Runtime in this process, without loading torch."""

from pathlib import Path
from typing import Any

from kanji_tui.engines.messages import one_line
from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import ModelCard
from kanji_tui.system.files import parsing


def open_session(path: Path, threads: int = 0) -> tuple[Any, ModelCard | None]:
    """The file as an `InferenceSession` on the CPU, and its model card (None if it has none).

    `threads` 0: ONNX Runtime chooses. Raises KanjiError if the file cannot be run or its card cannot be read.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 3  # errors only: its warnings about folded nodes mean nothing to the user
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common base class
        raise KanjiError(
            f"{path} cannot be run by ONNX Runtime: {one_line(str(error))}",
            "give another model file, or export it again: kanji-tui export onnx",
        ) from None
    with parsing(path, "an ONNX file"):  # its metadata may be no text
        metadata = dict(session.get_modelmeta().custom_metadata_map)
    return session, ModelCard.from_metadata(metadata, str(path))
