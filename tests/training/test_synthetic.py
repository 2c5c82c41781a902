"""Trainings on synthetic writers, who are new in every epoch."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from kanji_tui.characters.character_sets import codes_of
from kanji_tui.characters.lookalikes import outputs_of
from kanji_tui.data.strokes.stroke_writing import StrokeWriting
from kanji_tui.errors import Stopped, UsageError
from kanji_tui.events import SilentReport
from kanji_tui.networks.card import KANJIVG_LICENSE, ModelCard
from kanji_tui.training import data
from kanji_tui.training.beginning import propose_built_in
from kanji_tui.training.config import configure
from kanji_tui.training.data import find_data
from tests.training.running import checkpoint_of, run, same, weights_of

KANA = configure(
    "v1", "standard", synthetic=2, characters="kana", epochs=2, batch_size=96, threads=1
)  # 288 samples an epoch
EARNED = ("network", "average", "optimisers", "random", "augmentation_random", "epoch", "batch")


@pytest.fixture(scope="module", autouse=True)
def _few_to_validate():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(data, "VALIDATION_SAMPLES", 100)
        patched.setattr(data, "LEAST_VALIDATION_WRITERS", 2)
        yield


@pytest.fixture(scope="module")
def found():
    return find_data(None, KANA, SilentReport())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    directory = tmp_path_factory.mktemp("undisturbed")
    return directory, *run(None, directory, KANA)


def test_every_writer_writes_every_class_once(found):
    part = found.train(0)
    assert found.classes == tuple(outputs_of(codes_of("kana")))
    assert np.array_equal(np.bincount(part.labels), np.full(len(found.classes), 2))
    assert len(found.validation) == data.LEAST_VALIDATION_WRITERS * len(found.classes)
    assert found.test is None


def test_no_writer_comes_twice(found):
    some = np.arange(40)
    parts = (found.train(0), found.train(1), found.validation)
    images = [part.images(some) for part in parts] + [parts[0].images(some + len(found.classes))]
    for number, one in enumerate(images):
        assert all((one[:, None] != other[None]).any() for other in images[number + 1 :])
        assert (one.reshape(len(some), -1).max(1) > 80).all()
    assert np.array_equal(found.train(0).images(some), images[0])


def test_the_writers_of_a_sample_are_none_of_those_that_are_learned_from(found):
    drawn = found.train(0).samples.writing
    sample = StrokeWriting(drawn.codes, drawn.shapes, KANA.seed)
    assert (sample.write(0, 0, 20) != drawn.write(0, 0, 20)).any(axis=(1, 2)).all()


def test_look_alikes_are_written_in_turn(found):
    group = found.classes.index(0x2458)  # へ and ヘ
    members = found.train(0).samples.members[group]
    codes = np.array(found.train(0).samples.writing.codes)[members]
    assert [hex(code) for code in codes[:4]] == ["0x2458", "0x2558"] * 2


def test_it_learns_and_says_from_what(undisturbed):
    directory, trained, report = undisturbed
    info = json.loads((directory / "best_model_info.json").read_text())
    card = ModelCard.from_json(info, "info")
    assert card.source == "drawn sample"
    assert card.split == {"kind": "synthetic", "seed": 0, "writers": 2, "characters": "kana"}
    assert card.license == trained.license == KANJIVG_LICENSE
    assert (card.lineage.records, card.lineage.dataset, len(card.lineage.writers)) == ("", "", 64)
    assert card.lookalikes == tuple(group for group in outputs_of(codes_of("kana")).values() if len(group) > 1)
    assert report.epochs[-1].train_loss < report.epochs[0].train_loss
    assert trained.test is None


def test_a_resumed_training_meets_the_same_writers(undisturbed, tmp_path):
    directory, *_ = undisturbed
    with pytest.raises(Stopped):
        run(None, tmp_path / "stopped", KANA, stop_in=("training", 4 * 96))
    stopped = checkpoint_of(tmp_path / "stopped")
    assert (stopped["epoch"], stopped["batch"]) == (1, 1)
    run(None, tmp_path / "resumed", KANA, resume=tmp_path / "stopped")
    assert same(weights_of(tmp_path / "resumed"), weights_of(directory))
    ended, expected = checkpoint_of(tmp_path / "resumed"), checkpoint_of(directory)
    assert all(same(ended[name], expected[name]) for name in EARNED)


@pytest.mark.parametrize("other", [{"fold": "1/5"}, {"sample_limit": 100}])
def test_what_only_a_dataset_has_is_refused(other):
    with pytest.raises(UsageError, match="synthetic writers have no folds"):
        replace(KANA, **other)


def test_a_training_begins_from_the_rows_of_the_classes_both_know(undisturbed, sample_dataset, tmp_path):
    """The sample's hiragana are among the kana, its kanji are not."""
    directory, *_ = undisturbed
    init = directory / "best_kanji_model.pth"
    run(sample_dataset, tmp_path, configure("v1", "standard", epochs=1, learning_rate=1e-9), init=init)
    given, begun = weights_of(directory), weights_of(tmp_path)
    card = ModelCard.from_json(json.loads((tmp_path / "best_model_info.json").read_text()), "info")
    earlier = ModelCard.from_json(json.loads((directory / "best_model_info.json").read_text()), "info")
    assert card.license == KANJIVG_LICENSE
    shared = [jis for jis in card.classes if jis in earlier.output_of]
    assert 0 < len(shared) < len(card.classes)
    row = "classifier.4.weight"
    for jis in shared:
        expected = given[row][earlier.output_of[jis]]
        assert torch.allclose(begun[row][card.classes.index(jis)], expected, atol=1e-5)
    assert torch.allclose(begun["conv2.0.weight"], given["conv2.0.weight"], atol=1e-5)


@pytest.mark.parametrize(("size", "samples", "said"), [(64, 19, True), (64, 20, False), (32, 19, False)])
def test_few_samples_of_known_characters_are_advised_to_begin_from_the_built_in_model(found, size, samples, said):
    part = replace(found.train(0), indices=np.zeros(samples * len(found.classes), int))
    events = []
    propose_built_in(configure(), replace(found, size=size, train=lambda epoch: part), events.append)
    text = f"--init built-in begins from the built-in model, which knows {len(found.classes)} of the"
    assert [text in event.message for event in events] == [True] * said
