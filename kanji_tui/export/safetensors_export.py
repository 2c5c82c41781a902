"""Writes a model's weights and card to one .safetensors file, which contains no code and loads in a millisecond.

Format: https://github.com/huggingface/safetensors. Its metadata holds strings only, so the card is stored as JSON
under "card"; the most important fields are repeated beside it as plain strings.
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from kanji_tui import __version__
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Progress, Report
from kanji_tui.export.naming import export_path
from kanji_tui.export.results import ExportedSafetensors
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.tensor_files import load_tensors
from kanji_tui.recognition.model_files import ANOTHER, model_file
from kanji_tui.recognition.weights import load_recogniser
from kanji_tui.system.files import replacing

Tensors = dict[str, torch.Tensor]


def export_safetensors(
    model_path: Path,
    report: Report,
    *,
    output_path: Path | None = None,
    verify: bool = False,
    metadata: bool = True,
) -> ExportedSafetensors:
    """Write the weights of `model_path`, with the model's card unless `metadata` is False.

    With `verify` the file is read back and compared with the source file bit for bit; it is not kept if it differs.
    Raises KanjiError if the model cannot be read, or the file cannot be written or differs.
    """
    model_path = Path(model_path)
    if model_path.suffix == ".onnx":
        raise UsageError(
            f"{model_path} is an ONNX file: its weights are merged into its operators",
            "export from the .pth file: --model-path models/best_kanji_model.pth",
        )
    recogniser, card = load_recogniser(model_path)
    tensors = {name: value.detach().contiguous().clone() for name, value in recogniser.network.state_dict().items()}
    path = export_path(model_path, output_path, card.export_name(), ".safetensors")
    if path.resolve() == model_path.resolve():
        raise UsageError(f"{path} is the model itself", "choose another file with --output-path")
    texts = describe(card) if metadata else {}
    report(Progress("safetensors", 0, 1, "files", path.name))
    with replacing(path) as beside:
        write_tensors(beside, tensors, texts)
        if verify:
            verify_file(beside, read_source(model_file(model_path, ".safetensors")), texts)
    report(Progress("safetensors", 1, 1, "files", path.name))
    return ExportedSafetensors(
        path=str(path),
        bytes=path.stat().st_size,
        tensors=len(tensors),
        parameters=sum(parameter.numel() for parameter in recogniser.network.parameters()),
        metadata=texts,
        verified=True if verify else None,
    )


def write_tensors(path: Path, tensors: Tensors, metadata: dict[str, str]) -> None:
    """Write a file that others may read: safetensors' own `save_file` makes one for its owner alone."""
    path.write_bytes(save(tensors, metadata=metadata or None))


def describe(card: ModelCard) -> dict[str, str]:
    """The metadata: the card, and the fields that people look for."""
    metrics = {name: value for name, value in card.metrics.items() if isinstance(value, dict | int | float)}
    return {
        "card": card.to_text(),
        "format": "pt",
        "network": card.network,
        "classes": str(len(card.classes)),
        "image_size": str(card.size),
        "normalisation": f"(x - {card.mean}) / {card.std} of images 0-1, ink high",
        "dataset": card.dataset,
        "source": card.source,
        "metrics": json.dumps(metrics),
        **({"license": card.license} if card.license else {}),
        "version": __version__,
    }


def read_source(path: Path) -> Tensors:
    """The tensors of a .pth or .safetensors file, those in half precision widened; no pickled code is run."""
    tensors = load_file(str(path)) if path.suffix == ".safetensors" else load_tensors(path, "weights", ANOTHER)
    return {name: tensor.float() if tensor.dtype == torch.half else tensor for name, tensor in tensors.items()}


def verify_file(path: Path, source: Tensors, metadata: dict[str, str]) -> None:
    """Read the file back and compare it with `source`. Raises KanjiError naming the first difference."""
    try:
        found = load_file(str(path))
        with safe_open(str(path), framework="pt") as file:
            written = file.metadata() or {}
    except SafetensorError as error:
        raise KanjiError(f"the written file cannot be read back: {error}") from None
    if written != metadata:
        raise KanjiError("the metadata of the written file differ from the model's")
    if found.keys() != source.keys():
        name = sorted(found.keys() ^ source.keys())[0]
        raise KanjiError(f"only one of the written file and the source has the tensor {name}")
    for name, tensor in source.items():
        if not same_bits(tensor, found[name]):
            raise KanjiError(f"the tensor {name} differs between the written file and the source")


def same_bits(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Whether type, shape and every bit are equal. Unlike `torch.equal`, -0.0 is not 0.0, and NaN equals NaN."""
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    return bool(torch.equal(as_bytes(left), as_bytes(right)))


def as_bytes(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)
