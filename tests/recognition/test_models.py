import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.registry import build
from kanji_tui.recognition.models import open_model
from kanji_tui.recognition.weights import load_recogniser


@pytest.fixture
def original(tmp_path):
    """A bare state dict as the original scripts wrote it."""
    path = tmp_path / "best_kanji_model.pth"
    torch.save(build("v2.1", 3036, 64).state_dict(), path)
    return path


def test_a_trained_model_opens_with_its_card(trained):
    dataset = open_dataset(trained.data_dir)
    model = open_model(trained.model_path)
    assert model.card.classes == dataset.classes
    assert model.card.size == dataset.size
    assert len(model.digest) == 64
    assert model.warning == ""
    logits = model.logits(dataset.images(range(20)))
    assert logits.shape == (20, 12)
    assert logits.dtype == np.float32
    recogniser, card = load_recogniser(trained.model_path)
    assert not recogniser.training
    assert card == model.card
    images = torch.from_numpy(dataset.images(range(20)))[:, None].float() / 255
    with torch.no_grad():
        assert np.allclose(recogniser(images).numpy(), logits, atol=1e-5)


def test_safetensors_carry_their_card_inside(trained, tmp_path):
    recogniser, card = load_recogniser(trained.model_path)
    path = tmp_path / "model.safetensors"
    save_file(recogniser.network.state_dict(), path, {"card": json.dumps(card.to_json())})
    model = open_model(path)
    assert model.card == card
    images = open_dataset(trained.data_dir).images(range(8))
    assert np.allclose(model.logits(images), open_model(trained.model_path).logits(images), atol=1e-5)


@pytest.mark.parametrize("batch", ["batch", 1])
def test_onnx_gives_the_same_logits_at_any_batch(trained, tmp_path, batch):
    import onnx

    recogniser, card = load_recogniser(trained.model_path)
    path = tmp_path / "model.onnx"
    torch.onnx.export(
        recogniser,
        (torch.zeros(1, 1, 32, 32),),
        path,
        dynamo=False,
        opset_version=12,
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}} if batch == "batch" else None,
    )
    graph = onnx.load(path)
    onnx.helper.set_model_props(graph, {"card": json.dumps(card.to_json())})
    onnx.save(graph, path)
    model = open_model(path)
    assert model.card == card
    images = open_dataset(trained.data_dir).images(range(5))
    assert np.allclose(model.logits(images), open_model(trained.model_path).logits(images), atol=1e-4)


def test_a_bare_state_dict_of_all_classes_is_identified_by_its_keys(original):
    model = open_model(original)
    assert model.card.network == "v2.1"
    assert len(model.card.classes) == 3036
    assert model.card.characters[2080] == "田"
    assert (model.card.mean, model.card.std) == (0.0, 1.0)
    assert "blurred" in model.warning


def test_an_info_file_of_the_original_scripts_is_ignored(original):
    info = {"epoch": 3, "val_accuracy": 85.0, "val_loss": 1.0, "train_accuracy": 80.0, "learning_rate": 1e-3}
    original.with_name("best_model_info.json").write_text(json.dumps(info))
    assert open_model(original).card.network == "v2.1"


def test_an_info_file_of_other_weights_is_ignored(trained, original):
    shutil.copy(trained.models_dir / "best_model_info.json", original.parent)
    assert len(open_model(original).card.classes) == 3036


def test_a_renamed_model_uses_the_info_file_with_its_suffix(trained, tmp_path):
    shutil.copy(trained.model_path, tmp_path / "best_kanji_model_before_2026.pth")
    shutil.copy(trained.models_dir / "best_model_info.json", tmp_path / "best_model_info_before_2026.json")
    assert len(open_model(tmp_path / "best_kanji_model_before_2026.pth").card.classes) == 12


def test_other_weights_without_a_card_are_refused(trained, tmp_path):
    shutil.copy(trained.model_path, tmp_path / "model.pth")
    with pytest.raises(KanjiError, match="12 classes") as refused:
        open_model(tmp_path / "model.pth")
    assert "best_model_info.json" in refused.value.remedy


@pytest.mark.parametrize("name", ["model.pth", "model.safetensors", "model.onnx"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a model", bytes(range(256)) * 20])
def test_files_that_are_not_models_are_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(KanjiError, match="model"):
        open_model(tmp_path / name)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(KanjiError, match="there is no model"):
        open_model(tmp_path / "nothing.pth")


def test_code_in_a_file_is_not_run(tmp_path):
    class Code:
        def __reduce__(self):
            return (open, (str(tmp_path / "was_run"), "w"))

    torch.save({"weight": Code()}, tmp_path / "model.pth")
    with pytest.raises(KanjiError, match="cannot be read"):
        open_model(tmp_path / "model.pth")
    assert not (tmp_path / "was_run").exists()


def test_weights_that_do_not_fit_their_card_are_refused(tmp_path):
    torch.save(build("kanjinet", 5, 32).state_dict(), tmp_path / "model.pth")
    card = ModelCard("kanjinet", (0x2422, 0x4544), 32)
    (tmp_path / "best_model_info.json").write_text(json.dumps(card.to_json()))
    with pytest.raises(KanjiError, match="do not fit"):
        open_model(tmp_path / "model.pth")
