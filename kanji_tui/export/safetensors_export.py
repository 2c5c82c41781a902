"""A model's weights and card in one .safetensors file: nothing in it can run, and it loads in a millisecond.

Format: https://github.com/huggingface/safetensors; its metadata holds strings only, so the card stands there as
JSON under "card", with the most wanted facts beside it in plain words.
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from kanji_tui import __version__
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Progress, Report
from kanji_tui.export.naming import export_path
from kanji_tui.export.results import ExportedSafetensors
from kanji_tui.networks.card import ModelCard
from kanji_tui.recognition.models import load_recogniser
from kanji_tui.system.files import replacing

Tensors = dict[str, torch.Tensor]


def export_safetensors(
    model_path: Path, output_path: Path | None, verify: bool, metadata: bool, report: Report
) -> ExportedSafetensors:
    """Write the weights of `model_path` with (or without) the model's card.

    With `verify` the file is read back and held against the source file, bit for bit; one that differs is not left.
    Raises KanjiError for a model that cannot be read, a file that cannot be written or fails that comparison.
    """
    model_path = Path(model_path)
    if model_path.suffix == ".onnx":
        raise UsageError(
            f"{model_path} is an ONNX file: its weights are folded into its operators",
            "export from the .pth file: --model-path models/best_kanji_model.pth",
        )
    recogniser, card = load_recogniser(model_path)
    tensors = {name: value.detach().contiguous().clone() for name, value in recogniser.network.state_dict().items()}
    path = export_path(model_path, output_path, card.export_name(), ".safetensors")
    if path.resolve() == model_path.resolve():
        raise UsageError(f"{path} is the model itself", "name another --output-path")
    notes = describe(card) if metadata else {}
    report(Progress("safetensors", 0, 1, "files", path.name))
    with replacing(path) as beside:
        save_file(tensors, str(beside), metadata=notes or None)
        if verify:
            verify_file(beside, read_source(model_path), notes)
    report(Progress("safetensors", 1, 1, "files", path.name))
    return ExportedSafetensors(
        path=str(path),
        bytes=path.stat().st_size,
        tensors=len(tensors),
        parameters=sum(parameter.numel() for parameter in recogniser.network.parameters()),
        metadata=notes,
        verified=True if verify else None,
    )


def describe(card: ModelCard) -> dict[str, str]:
    """The card, and beside it what a person looks for."""
    metrics = {name: value for name, value in card.metrics.items() if isinstance(value, dict | int | float)}
    return {
        "card": json.dumps(card.to_json(), ensure_ascii=False),
        "format": "pt",
        "network": card.network,
        "classes": str(len(card.classes)),
        "image_size": str(card.size),
        "normalisation": f"(x - {card.mean}) / {card.std} of pictures 0-1, ink high",
        "dataset": card.dataset,
        "source": card.source,
        "metrics": json.dumps(metrics),
        "version": __version__,
    }


def read_source(path: Path) -> Tensors:
    """The tensors of a .pth or .safetensors file as they stand there; nothing pickled is run."""
    if path.suffix == ".safetensors":
        return dict(load_file(str(path)))
    return dict(torch.load(path, map_location="cpu", weights_only=True))


def verify_file(path: Path, source: Tensors, notes: dict[str, str]) -> None:
    """Read the file back; KanjiError naming the first tensor or note that is not what went in."""
    try:
        found = load_file(str(path))
        with safe_open(str(path), framework="pt") as file:
            kept = file.metadata() or {}
    except SafetensorError as error:
        raise KanjiError(f"the file just written cannot be read back: {error}") from None
    if kept != notes:
        raise KanjiError("the file just written has other metadata than went in")
    if found.keys() != source.keys():
        odd = sorted(found.keys() ^ source.keys())[0]
        raise KanjiError(f"the file just written and the source do not hold the same tensors: {odd}")
    for name, tensor in source.items():
        if not same_bits(tensor, found[name]):
            raise KanjiError(f"the tensor {name} differs between the file just written and the source")


def same_bits(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Whether type, shape and every bit are the same: unlike `equal`, -0.0 is not 0.0 and a NaN is itself."""
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    return bool(torch.equal(as_bytes(left), as_bytes(right)))


def as_bytes(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)
