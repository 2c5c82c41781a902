"""Ensembles of models."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import UsageError
from kanji_tui.recognition.ensemble import combine, evaluate_ensemble
from kanji_tui.recognition.evaluation import evaluate, log_softmax
from kanji_tui.recognition.models import open_model
from kanji_tui.recognition.weights import load_recogniser


@pytest.fixture
def other(trained, tmp_path):
    """The path of the trained model with noise on its weights, three classes removed and the rest reversed."""
    recogniser, card = load_recogniser(trained.model_path)
    order = torch.arange(len(card.classes) - 3).flip(0)
    weights = recogniser.network.state_dict()
    random = torch.Generator().manual_seed(0)
    for name in ("classifier.weight", "classifier.bias"):
        weights[name] = weights[name][order] + 0.3 * torch.randn(weights[name][order].shape, generator=random)
    torch.save(weights, tmp_path / "model.pth")
    known = replace(card, classes=tuple(card.classes[number] for number in order))
    (tmp_path / "best_model_info.json").write_text(json.dumps(known.to_json()))
    return tmp_path / "model.pth"


def test_an_ensemble_is_the_mean_of_probabilities_matched_by_code(trained, other):
    models = [open_model(trained.model_path), open_model(other)]
    images = open_dataset(trained.data_dir).images(np.arange(0, 150, 7))
    together = combine(models)
    found = np.exp(together.logits(images))
    for column, code in enumerate(together.card.classes):
        of_each = [
            np.exp(log_softmax(model.logits(images)))[:, model.card.classes.index(code)]
            if code in model.card.classes
            else np.zeros(len(images))
            for model in models
        ]
        assert np.allclose(found[:, column], np.mean(of_each, axis=0), atol=1e-6)
    assert np.allclose(found.sum(1), 1, atol=1e-5)


def test_an_ensemble_of_one_model_twice_scores_as_the_model(trained, report):
    alone = evaluate(trained.model_path, trained.data_dir, "test", None, report)
    both = evaluate_ensemble([trained.model_path] * 2, trained.data_dir, "test", report)
    assert (both.samples, both.top1, both.top5, both.confusions) == (
        alone.samples,
        alone.top1,
        alone.top5,
        alone.confusions,
    )
    assert both.loss == pytest.approx(alone.loss, rel=1e-4)


def test_models_of_different_image_sizes_are_refused(trained):
    model = open_model(trained.model_path)
    larger = replace(model, card=replace(model.card, size=64))
    with pytest.raises(UsageError, match="32 and 64 pixels"):
        combine([model, larger])


def test_models_with_different_splits_are_refused(trained, other, tmp_path, report):
    info = json.loads((tmp_path / "best_model_info.json").read_text())
    info["split"]["fold"] = "2/5"
    (tmp_path / "best_model_info.json").write_text(json.dumps(info))
    paths = [trained.model_path, other]
    with pytest.raises(UsageError, match="different splits"):
        evaluate_ensemble(paths, trained.data_dir, "test", report)
    assert evaluate_ensemble(paths, trained.data_dir, "all", report).samples == len(open_dataset(trained.data_dir))


def test_the_command_lists_the_models_of_the_ensemble(trained, other, kanji_tui):
    process = kanji_tui(
        "evaluate", "--model-path", trained.model_path, other, "--data-dir", trained.data_dir, "--json"
    )
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    assert found["models"] == [str(trained.model_path), str(other)]
    assert found["unknown_classes"] == []
    assert 0 <= found["top1"] <= found["top5"] <= 1
