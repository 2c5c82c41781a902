"""Weights in .safetensors: every bit as it was, the card inside, nothing that can run."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.export import safetensors_export
from kanji_tui.export.safetensors_export import export_safetensors, same_bits
from kanji_tui.recognition.models import load_recogniser


@pytest.fixture
def model(models: dict[str, Path], tmp_path: Path) -> Path:
    shutil.copytree(models["v2.1"].parent, tmp_path / "models")
    return tmp_path / "models" / "best_kanji_model.pth"


def test_bit_for_bit(model: Path, report) -> None:
    made = export_safetensors(model, None, True, True, report)
    assert Path(made.path) == model.with_name("kanji_model_etl9g-sample_32x32_12classes.safetensors")
    assert made.verified is True
    source, found = torch.load(model, weights_only=True), load_file(made.path)
    assert source.keys() == found.keys()
    for name, tensor in source.items():
        assert tensor.dtype == found[name].dtype
        np.testing.assert_array_equal(
            np.atleast_1d(tensor.numpy()).view(np.uint8), np.atleast_1d(found[name].numpy()).view(np.uint8)
        )
    assert made.tensors == len(source)
    assert made.bytes == Path(made.path).stat().st_size


def test_metadata(model: Path, report) -> None:
    made = export_safetensors(model, None, False, True, report)
    assert made.verified is None
    with safe_open(made.path, framework="np") as file:
        notes = file.metadata()
    assert notes == made.metadata
    card = json.loads(notes["card"])
    assert card["network"] == notes["network"] == "v2.1"
    assert "4544" in card["classes"]
    assert notes["classes"] == "12"
    assert notes["image_size"] == "32"
    assert {"normalisation", "metrics", "version", "dataset", "source"} <= notes.keys()


def test_it_loads_as_the_same_recogniser(model: Path, report) -> None:
    made = export_safetensors(model, None, False, True, report)
    first, card = load_recogniser(model)
    second, same_card = load_recogniser(Path(made.path))
    assert card == same_card
    pictures = torch.rand(3, 1, 32, 32)
    with torch.inference_mode():
        assert torch.equal(first(pictures), second(pictures))


def test_without_metadata(model: Path, tmp_path: Path, report) -> None:
    made = export_safetensors(model, tmp_path / "bare.safetensors", True, False, report)
    assert made.metadata == {}
    with safe_open(made.path, framework="np") as file:
        assert not file.metadata()


def test_a_file_that_differs_is_not_kept(model: Path, report, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(tensors, path, metadata) -> None:
        tensors["classifier.1.weight"][0, 0] += 1e-7
        save_file(tensors, path, metadata=metadata)

    monkeypatch.setattr(safetensors_export, "save_file", careless)
    before = set(model.parent.iterdir())
    with pytest.raises(KanjiError, match=r"classifier\.1\.weight differs"):
        export_safetensors(model, None, True, True, report)
    assert set(model.parent.iterdir()) == before


def test_same_bits() -> None:
    nan = torch.tensor([float("nan")])
    assert same_bits(nan, nan.clone())
    assert not same_bits(torch.tensor([0.0]), torch.tensor([-0.0]))
    assert not same_bits(torch.zeros(2), torch.zeros(1, 2))
    assert not same_bits(torch.zeros(2), torch.zeros(2, dtype=torch.int32))
    assert same_bits(torch.tensor(3), torch.tensor(3))


def test_wrong_usage(model: Path, tmp_path: Path, report) -> None:
    with pytest.raises(UsageError, match="ONNX"):
        export_safetensors(tmp_path / "model.onnx", None, False, True, report)
    with pytest.raises(UsageError, match=r"does not end in \.safetensors"):
        export_safetensors(model, tmp_path / "model.pth", False, True, report)
    made = export_safetensors(model, None, False, True, report)
    with pytest.raises(UsageError, match="the model itself"):
        export_safetensors(Path(made.path), Path(made.path), False, True, report)
