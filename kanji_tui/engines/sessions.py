"""ONNX files opened by ONNX Runtime in this process. torch is never loaded here."""

from pathlib import Path
from typing import Any

from kanji_tui.errors import KanjiError, first_line
from kanji_tui.networks.card import ModelCard


def open_session(path: Path, threads: int = 0) -> tuple[Any, ModelCard | None]:
    """The file as an `InferenceSession` on the CPU, and the card in it, None where it carries none of ours.

    `threads` 0: as many as ONNX Runtime thinks right. Raises KanjiError where it cannot be run, or its card read.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 3  # its warnings about folded nodes are nobody's business here
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions have no common base of their own
        raise KanjiError(
            f"{path} cannot be run by ONNX Runtime: {first_line(error)}",
            "give another model file, or export it again: kanji-tui export onnx",
        ) from None
    return session, ModelCard.in_notes(session.get_modelmeta().custom_metadata_map, str(path))
