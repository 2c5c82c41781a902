"""Where a model's file is: a path, or the model that comes with the program; and what is known without a card."""

import os
from importlib.resources import files
from pathlib import Path

from kanji_tui.characters.classes import etl9g_classes
from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import ModelCard, all_classes_card
from kanji_tui.paths import BUILT_IN, DEFAULT_MODEL, MODEL_INFO

ANOTHER = "give another model file, or train one: kanji-tui train"


def built_in(suffix: str) -> Path:
    """The file of the built-in model: `.onnx` for what only reads, `.safetensors` for its weights."""
    return Path(str(files("kanji_tui.recognition") / "built_in" / f"built_in{suffix}"))


def model_file(path: Path, built_in_suffix: str) -> Path:
    """The existing file that `path` names; for `built-in`, the built-in model's with this suffix.

    Raises KanjiError where there is none.
    """
    path = Path(path)
    if path == BUILT_IN and not path.exists():
        path = built_in(built_in_suffix)
    if not os.path.isfile(path):  # false for a name that no file can have; Path.is_file raises
        raise KanjiError(
            f"there is no model {path}", "train one: kanji-tui train, or name one: --model-path FILE or built-in"
        )
    return path


def trained_or_built_in(path: Path) -> Path:
    """The path; the built-in model where the path is the published model's and none has been trained yet."""
    return BUILT_IN if path == DEFAULT_MODEL and not path.exists() else path


def onnx_file(path: Path) -> Path:
    """The ONNX file that `path` names, whether it exists or not; for `built-in` the built-in model's."""
    return built_in(".onnx") if path == BUILT_IN and not path.exists() else path


def all_classes(network: str, outputs: int, size: int, path: Path) -> ModelCard:
    """The card of the file `path` that has none; KanjiError unless its outputs are as many as ETL9G's classes."""
    if outputs != len(etl9g_classes()):
        raise KanjiError(
            f"{path} has no model card, so its {outputs} classes and its image size are unknown",
            f"put the {MODEL_INFO} that was written with it into the same folder",
        )
    return all_classes_card(network, size)
