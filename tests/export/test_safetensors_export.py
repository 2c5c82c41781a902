"""Exports as .safetensors: weights equal bit for bit, and the card in the metadata."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.export import safetensors_export
from kanji_tui.export.safetensors_export import export_safetensors, same_bits, write_tensors
from kanji_tui.recognition.weights import load_recogniser
from tests.export.conftest import copy_of


@pytest.fixture
def model(models: dict[str, Path], tmp_path: Path) -> Path:
    return copy_of(models["v2.1"], tmp_path / "models")


def test_the_weights_are_equal_bit_for_bit(model: Path, report) -> None:
    made = export_safetensors(model, report, verify=True)
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


def test_the_metadata_hold_the_card_and_plain_fields(model: Path, report) -> None:
    made = export_safetensors(model, report)
    assert made.verified is None
    with safe_open(made.path, framework="np") as file:
        metadata = file.metadata()
    assert metadata == made.metadata
    card = json.loads(metadata["card"])
    assert card["network"] == metadata["network"] == "v2.1"
    assert "4544" in card["classes"]
    assert metadata["classes"] == "12"
    assert metadata["image_size"] == "32"
    assert {"normalisation", "metrics", "version", "dataset", "source"} <= metadata.keys()


def test_the_file_loads_as_the_same_recogniser(model: Path, report) -> None:
    made = export_safetensors(model, report)
    first, card = load_recogniser(model)
    second, same_card = load_recogniser(Path(made.path))
    assert card == same_card
    images = torch.rand(3, 1, 32, 32)
    with torch.inference_mode():
        assert torch.equal(first(images), second(images))


def test_the_metadata_can_be_left_out(model: Path, tmp_path: Path, report) -> None:
    made = export_safetensors(model, report, output_path=tmp_path / "bare.safetensors", verify=True, metadata=False)
    assert made.metadata == {}
    with safe_open(made.path, framework="np") as file:
        assert not file.metadata()


def test_others_may_read_the_file_as_any_other(model: Path, tmp_path: Path, report) -> None:
    made = export_safetensors(model, report, output_path=tmp_path / "model.safetensors")
    (tmp_path / "any").touch()
    assert Path(made.path).stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_file_that_differs_from_the_source_is_not_kept(
    model: Path, report, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_changed(path, tensors, metadata) -> None:
        tensors["classifier.1.weight"][0, 0] += 1e-7
        write_tensors(path, tensors, metadata)

    monkeypatch.setattr(safetensors_export, "write_tensors", write_changed)
    before = set(model.parent.iterdir())
    with pytest.raises(KanjiError, match=r"classifier\.1\.weight differs"):
        export_safetensors(model, report, verify=True)
    assert set(model.parent.iterdir()) == before


def test_same_bits_tells_signed_zeros_apart_and_nan_equal() -> None:
    nan = torch.tensor([float("nan")])
    assert same_bits(nan, nan.clone())
    assert not same_bits(torch.tensor([0.0]), torch.tensor([-0.0]))
    assert not same_bits(torch.zeros(2), torch.zeros(1, 2))
    assert not same_bits(torch.zeros(2), torch.zeros(2, dtype=torch.int32))
    assert same_bits(torch.tensor(3), torch.tensor(3))


def test_onnx_input_wrong_ending_and_the_model_itself_are_refused(model: Path, tmp_path: Path, report) -> None:
    with pytest.raises(UsageError, match="ONNX"):
        export_safetensors(tmp_path / "model.onnx", report)
    with pytest.raises(UsageError, match=r"does not end in \.safetensors"):
        export_safetensors(model, report, output_path=tmp_path / "model.pth")
    made = export_safetensors(model, report)
    with pytest.raises(UsageError, match="the model itself"):
        export_safetensors(Path(made.path), report, output_path=Path(made.path))
