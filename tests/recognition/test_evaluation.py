import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.preparation import prepare
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Notice, Progress
from kanji_tui.recognition.evaluation import evaluate, log_softmax
from kanji_tui.recognition.weights import load_recogniser


@pytest.fixture
def shorter(trained, tmp_path):
    """Makes a copy of the trained model that knows only the given classes, in their order; returns its path."""

    def make(classes: tuple[int, ...]):
        recogniser, card = load_recogniser(trained.model_path)
        order = torch.tensor([card.classes.index(jis) for jis in classes])
        weights = recogniser.network.state_dict()
        for name in ("classifier.weight", "classifier.bias"):
            weights[name] = weights[name][order]
        torch.save(weights, tmp_path / "model.pth")
        known = replace(card, classes=classes, split={})
        (tmp_path / "best_model_info.json").write_text(json.dumps(known.to_json()))
        return tmp_path / "model.pth"

    return make


def test_the_test_split_scores_as_at_the_end_of_training(trained, tmp_path, report):
    expected = json.loads((trained.models_dir / "best_model_info.json").read_text())["metrics"]["test"]
    found = evaluate(trained.model_path, trained.data_dir, "test", tmp_path, report)
    assert found.samples == expected["samples"]
    for name in ("top1", "top3", "top5", "balanced", "loss"):
        assert getattr(found, name) == pytest.approx(expected[name], abs=1e-4), name
    assert found.source == "drawn sample"
    json.dumps(asdict(found))
    assert report.of(Progress)[-1].done == found.samples


def test_the_splits_have_all_samples_together(trained, report):
    samples = [
        evaluate(trained.model_path, trained.data_dir, s, None, report).samples for s in ("train", "val", "test")
    ]
    every = evaluate(trained.model_path, trained.data_dir, "all", None, report)
    assert sum(samples) == every.samples
    assert every.learned_from
    assert not evaluate(trained.model_path, trained.data_dir, "test", None, report).learned_from


def test_classes_are_matched_by_jis_code_not_by_position(trained, shorter, report):
    dataset = open_dataset(trained.data_dir)
    whole = evaluate(trained.model_path, trained.data_dir, "all", None, report)
    reordered = evaluate(shorter(dataset.classes[::-1]), trained.data_dir, "all", None, report)
    assert reordered.top1 == pytest.approx(whole.top1)
    assert reordered.loss == pytest.approx(whole.loss, rel=1e-4)


def test_samples_of_classes_the_model_lacks_are_errors_and_reported(trained, shorter, report):
    dataset = open_dataset(trained.data_dir)
    found = evaluate(shorter(dataset.classes[4:]), trained.data_dir, "all", None, report)
    lacking = np.isin(dataset.jis, dataset.classes[:4])
    assert found.unknown_samples == lacking.sum()
    assert found.unknown_classes == tuple(f"{jis:04X}" for jis in dataset.classes[:4])
    assert found.classes == len(dataset.classes)
    assert found.top1_known == pytest.approx(found.top1 * found.samples / (found.samples - found.unknown_samples))
    assert found.top1 <= 1 - lacking.mean()
    assert found.top1 > 0.5  # it still recognises the classes it knows
    assert any("does not know" in notice.message for notice in report.of(Notice))
    assert sum(pair.count for pair in found.confusions) == round((1 - found.top1) * found.samples)


def test_a_model_with_nan_logits_does_not_count_as_lacking_classes(trained, tmp_path, report):
    recogniser, card = load_recogniser(trained.model_path)
    weights = recogniser.network.state_dict()
    weights["classifier.bias"][0] = torch.nan
    torch.save(weights, tmp_path / "model.pth")
    (tmp_path / "best_model_info.json").write_text(json.dumps(card.to_json()))
    found = evaluate(tmp_path / "model.pth", trained.data_dir, "all", None, report)
    assert (found.unknown_samples, found.unknown_classes) == (0, ())
    assert np.isnan(found.loss)


def test_confusions_are_pairs_most_frequent_first(trained, shorter, report):
    dataset = open_dataset(trained.data_dir)
    found = evaluate(shorter(dataset.classes[:2]), trained.data_dir, "all", None, report)
    counts = [pair.count for pair in found.confusions]
    assert counts == sorted(counts, reverse=True)
    assert all(pair.truth != pair.predicted for pair in found.confusions)
    assert {pair.predicted_jis for pair in found.confusions} <= {f"{jis:04X}" for jis in dataset.classes[:2]}


def test_a_dataset_of_another_image_size_is_refused_naming_both_sizes(trained, sample_dir, tmp_path, report):
    prepare(sample_dir, tmp_path / "dataset", 48, 1, None, report)
    with pytest.raises(KanjiError, match=r"32x32 images.*48x48 images") as refused:
        evaluate(trained.model_path, tmp_path / "dataset", "all", None, report)
    assert "kanji-tui prepare --size 32" in refused.value.remedy


def test_a_split_of_another_dataset_is_refused(trained, shorter, report):
    model = shorter(open_dataset(trained.data_dir).classes)
    with pytest.raises(UsageError, match="not trained on the dataset") as refused:
        evaluate(model, trained.data_dir, "test", None, report)
    assert "--split all" in refused.value.remedy
    with pytest.raises(UsageError, match="no split 'dev'"):
        evaluate(trained.model_path, trained.data_dir, "dev", None, report)


def test_log_softmax_does_not_overflow():
    found = log_softmax(np.array([[1000.0, 0.0], [-1000.0, -1000.0]], np.float32))
    assert np.allclose(found, [[0, -1000], [-np.log(2), -np.log(2)]])
