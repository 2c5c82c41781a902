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
from kanji_tui.recognition.models import load_recogniser


@pytest.fixture
def shorter(trained, tmp_path):
    """The trained model, made to know only some classes, in another order: (path, JIS codes)."""

    def make(classes: tuple[int, ...]):
        recogniser, card = load_recogniser(trained.model_path)
        kept = torch.tensor([card.classes.index(jis) for jis in classes])
        weights = recogniser.network.state_dict()
        for name in ("classifier.weight", "classifier.bias"):
            weights[name] = weights[name][kept]
        torch.save(weights, tmp_path / "model.pth")
        known = replace(card, classes=classes, split={})
        (tmp_path / "best_model_info.json").write_text(json.dumps(known.to_json()))
        return tmp_path / "model.pth"

    return make


def test_the_test_split_scores_as_the_training_said(trained, tmp_path, report):
    said = json.loads((trained.models_dir / "best_model_info.json").read_text())["metrics"]["test"]
    found = evaluate(trained.model_path, trained.data_dir, "test", tmp_path, report)
    assert found.samples == said["samples"]
    for name in ("top1", "top3", "top5", "balanced", "loss"):
        assert getattr(found, name) == pytest.approx(said[name], abs=1e-4), name
    assert found.source == "drawn sample"
    json.dumps(asdict(found))
    assert report.of(Progress)[-1].done == found.samples


def test_splits_do_not_overlap_and_make_up_the_whole(trained, report):
    samples = [
        evaluate(trained.model_path, trained.data_dir, s, None, report).samples for s in ("train", "val", "test")
    ]
    assert sum(samples) == evaluate(trained.model_path, trained.data_dir, "all", None, report).samples


def test_classes_are_matched_by_jis_code_never_by_position(trained, shorter, report):
    dataset = open_dataset(trained.data_dir)
    whole = evaluate(trained.model_path, trained.data_dir, "all", None, report)
    turned = evaluate(shorter(dataset.classes[::-1]), trained.data_dir, "all", None, report)
    assert turned.top1 == pytest.approx(whole.top1)
    assert turned.loss == pytest.approx(whole.loss, rel=1e-4)


def test_samples_of_classes_the_model_lacks_are_errors_and_said(trained, shorter, report):
    dataset = open_dataset(trained.data_dir)
    found = evaluate(shorter(dataset.classes[4:]), trained.data_dir, "all", None, report)
    lacking = np.isin(dataset.jis, dataset.classes[:4])
    assert found.unknown_samples == lacking.sum()
    assert found.unknown_classes == tuple(f"{jis:04X}" for jis in dataset.classes[:4])
    assert found.top1 <= 1 - lacking.mean()
    assert found.top1 > 0.5  # those it knows it still finds
    assert any("does not know" in notice.message for notice in report.of(Notice))
    assert sum(pair.count for pair in found.confusions) == round((1 - found.top1) * found.samples)


def test_a_model_that_computes_no_numbers_is_not_said_to_lack_classes(trained, tmp_path, report):
    recogniser, card = load_recogniser(trained.model_path)
    weights = recogniser.network.state_dict()
    weights["classifier.bias"][0] = torch.nan
    torch.save(weights, tmp_path / "model.pth")
    (tmp_path / "best_model_info.json").write_text(json.dumps(card.to_json()))
    found = evaluate(tmp_path / "model.pth", trained.data_dir, "all", None, report)
    assert (found.unknown_samples, found.unknown_classes) == (0, ())
    assert np.isnan(found.loss)


def test_confusions_name_the_pair_most_frequent_first(trained, shorter, report):
    dataset = open_dataset(trained.data_dir)
    found = evaluate(shorter(dataset.classes[:2]), trained.data_dir, "all", None, report)
    counts = [pair.count for pair in found.confusions]
    assert counts == sorted(counts, reverse=True)
    assert all(pair.truth != pair.predicted for pair in found.confusions)
    assert {pair.predicted_jis for pair in found.confusions} <= {f"{jis:04X}" for jis in dataset.classes[:2]}


def test_a_dataset_of_another_size_is_refused_with_both_and_the_remedy(trained, sample_dir, tmp_path, report):
    prepare(sample_dir, tmp_path / "dataset", 48, 1, None, report)
    with pytest.raises(KanjiError, match=r"32 pixels.*48") as refused:
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
