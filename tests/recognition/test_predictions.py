"""The file of a model's predictions, and when it is reused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.splits import split_dataset
from kanji_tui.events import Notice, Progress
from kanji_tui.jobs.evaluate import Spec, predictions_folder, run
from kanji_tui.recognition.evaluation import evaluate
from kanji_tui.recognition.models import open_model
from kanji_tui.recognition.predictions import (
    Predictions,
    load_predictions,
    predictions_file,
    save_predictions,
    split_of_samples,
)
from tests.conftest import Remembered


def scores(found) -> dict:
    return {
        name: getattr(found, name) for name in ("samples", "top1", "top3", "top5", "balanced", "loss", "confusions")
    }


def some_predictions(samples: int = 9) -> Predictions:
    random = np.random.default_rng(1)
    return Predictions(
        model_digest="m",
        dataset_digest="d",
        split="all",
        index=np.arange(samples) * 2,
        jis=random.integers(0x3021, 0x3030, (samples, 5)).astype(np.uint16),
        probability=random.random((samples, 5)).astype(np.float32),
        loss=random.random(samples).astype(np.float32),
    )


def test_the_file_has_the_documented_content(trained, tmp_path, report):
    dataset, model = open_dataset(trained.data_dir), open_model(trained.model_path)
    found = evaluate(trained.model_path, trained.data_dir, "val", tmp_path, report)
    assert found.predictions_path == str(tmp_path / "best_kanji_model_predictions_val.npz")
    with np.load(found.predictions_path, allow_pickle=False) as file:
        saved = dict(file)
    about = json.loads(str(saved["about"]))
    assert about == {
        "version": 1,
        "model_digest": model.digest,
        "dataset_digest": dataset.digest,
        "split": "val",
    }
    split = split_dataset(dataset, "writer", (70.0, 15.0, 15.0), 0)
    assert np.array_equal(saved["index"], split.validation)
    assert saved["jis"].shape == saved["probability"].shape == (found.samples, 5)
    assert (saved["jis"].dtype, saved["probability"].dtype, saved["loss"].dtype) == (
        np.uint16,
        np.float32,
        np.float32,
    )
    assert (np.diff(saved["probability"], axis=1) <= 0).all()
    truth = dataset.jis[split.validation]
    assert (saved["jis"][:, 0] == truth).mean() == found.top1
    own = np.exp(-saved["loss"])
    place = (saved["jis"] == truth[:, None]).argmax(1)
    listed = (saved["jis"] == truth[:, None]).any(1)
    picked = saved["probability"][np.arange(len(truth)), place]
    np.testing.assert_allclose(own[listed], picked[listed], rtol=1e-4)


def test_saved_predictions_are_reused_and_score_the_same(trained, tmp_path, report):
    first = evaluate(trained.model_path, trained.data_dir, "test", tmp_path, report)
    again = Remembered()
    second = evaluate(trained.model_path, trained.data_dir, "test", tmp_path, again)
    assert (first.reused, second.reused) == (False, True)
    assert scores(first) == scores(second)
    assert not again.of(Progress)
    assert any("reusing" in notice.message for notice in again.of(Notice))


def test_predictions_of_all_samples_are_reused_for_every_split(trained, tmp_path, report):
    alone = evaluate(trained.model_path, trained.data_dir, "test", None, report)
    assert (alone.predictions_path, alone.reused) == ("", False)
    evaluate(trained.model_path, trained.data_dir, "all", tmp_path, report)
    found = evaluate(trained.model_path, trained.data_dir, "test", tmp_path, report)
    assert found.reused
    assert found.predictions_path.endswith("_all.npz")
    assert scores(found)["confusions"] == scores(alone)["confusions"]
    assert found.loss == pytest.approx(alone.loss, rel=1e-5)


@pytest.mark.parametrize("what", ["model_digest", "dataset_digest"])
def test_predictions_of_another_model_or_dataset_are_not_reused(trained, tmp_path, report, what):
    first = evaluate(trained.model_path, trained.data_dir, "val", tmp_path, report)
    path = predictions_file(tmp_path, trained.model_path, "val")
    model, dataset = open_model(trained.model_path), open_dataset(trained.data_dir)
    saved = load_predictions(path, model.digest, dataset.digest)
    save_predictions(path, replace(saved, **{what: "another"}))
    found = evaluate(trained.model_path, trained.data_dir, "val", tmp_path, report)
    assert not found.reused
    assert scores(found) == scores(first)
    assert load_predictions(path, model.digest, dataset.digest) is not None


def test_a_damaged_file_is_ignored(tmp_path):
    path = tmp_path / "saved.npz"
    save_predictions(path, some_predictions())
    whole = path.read_bytes()
    assert load_predictions(path, "m", "d") is not None
    for content in (b"", whole[:300], whole[:-40], b"\x00" * 500):
        path.write_bytes(content)
        assert load_predictions(path, "m", "d") is None
    assert load_predictions(tmp_path / "missing.npz", "m", "d") is None


def test_a_stopped_evaluation_leaves_no_file(trained, tmp_path):
    from kanji_tui.errors import Stopped

    with pytest.raises(Stopped):
        evaluate(trained.model_path, trained.data_dir, "all", tmp_path, Remembered(stop=True))
    assert not list(tmp_path.iterdir())


def test_an_unwritable_folder_is_reported_but_no_error(trained, tmp_path, report):
    (tmp_path / "file").write_text("not a folder")
    found = evaluate(trained.model_path, trained.data_dir, "val", tmp_path / "file", report)
    assert found.predictions_path == ""
    assert found.samples > 0
    assert any("not saved" in notice.message for notice in report.of(Notice))


def test_a_subset_has_the_given_samples_or_is_none():
    whole = some_predictions()
    subset = whole.subset(np.array([2, 8, 16]), "test")
    assert subset is not None
    assert subset.split == "test"
    assert np.array_equal(subset.jis, whole.jis[[1, 4, 8]])
    assert whole.subset(np.array([2, 3]), "test") is None
    assert whole.subset(np.array([16, 18]), "test") is None
    assert whole.subset(np.array([], np.int64), "test") is not None


def test_predictions_are_saved_in_the_published_run(trained, report):
    assert predictions_folder(trained.model_path) == trained.run
    assert predictions_folder(trained.run / "best_kanji_model.pth") == trained.run
    assert predictions_folder(trained.models_dir / "other.onnx") == trained.models_dir
    found = run(Spec(trained.model_path, trained.data_dir, "val"), report)
    assert found.predictions_path.startswith(str(trained.run))
    assert run(Spec(trained.run / "best_kanji_model.pth", trained.data_dir, "val"), report).reused


def test_every_sample_has_the_number_of_its_split(trained):
    dataset, model = open_dataset(trained.data_dir), open_model(trained.model_path)
    numbers = split_of_samples(dataset, model.card.split)
    split = split_dataset(dataset, "writer", (70.0, 15.0, 15.0), 0)
    assert np.array_equal(np.flatnonzero(numbers == 2), split.test)
    assert np.array_equal(np.flatnonzero(numbers == 0), split.train)
    assert split_of_samples(dataset, {}) is None
    assert split_of_samples(dataset, {**model.card.split, "dataset_digest": "another"}) is None
