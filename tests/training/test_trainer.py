import json
from dataclasses import asdict, replace
from functools import partial

import pytest
import torch

from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.events import Notice, Progress, Step
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.registry import build
from kanji_tui.recognition.evaluation import evaluate
from kanji_tui.system.files import sha256, unfinished
from kanji_tui.system.intervals import wilson_interval
from kanji_tui.system.plain_data import to_plain
from kanji_tui.training import checkpoint, trainer
from kanji_tui.training.config import configure
from kanji_tui.training.trainer import epoch_order
from tests.training.running import checkpoint_of, run, same, weights_of

# The smallest network; that kanjinet learns is in `trained` of tests/conftest.py.
small = partial(configure, network="v1", recipe="standard")
SMALL = small(epochs=2, batch_size=16, threads=1)  # of 132 samples: 8 batches an epoch
THIRD_BATCH, SECOND_EPOCH = ("training", 3 * 16), ("training", 10 * 16)
# What two trainings of the same steps must share; their seconds differ.
EARNED = ("network", "average", "optimisers", "random", "augmentation_random", "epoch", "batch")


@pytest.fixture(scope="module")
def undisturbed(sample_dataset, tmp_path_factory):
    directory = tmp_path_factory.mktemp("undisturbed")
    return directory, *run(sample_dataset, directory, SMALL)


def test_it_learns_hands_it_has_not_seen(trained):
    metrics = json.loads((trained.run / "best_model_info.json").read_text())["metrics"]
    assert metrics["test"]["top1"] > 0.9  # chance is 0.08
    assert metrics["validation"]["top1"] > 0.9
    losses = json.loads((trained.run / "training_progress.json").read_text())["train_loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_what_lies_in_the_run_directory(undisturbed, sample_dataset):
    directory, trained, report = undisturbed
    dataset = open_dataset(sample_dataset)
    info = json.loads((directory / "best_model_info.json").read_text())
    card = ModelCard.from_json(info, "info")
    assert card.classes == dataset.classes
    assert card.size == 32
    assert card.source == "drawn sample"
    assert card.split["kind"] == "writer"
    assert card.split["dataset_digest"] == dataset.digest
    made = card.lineage
    assert (made.run, made.dataset, made.records) == (directory.name, dataset.digest, dataset.inputs.digest)
    assert made.weights == info["weights_sha256"] == sha256(directory / "best_kanji_model.pth")
    assert card.metrics["test"] == to_plain(trained.test)
    assert card.metrics["test"]["top1_interval"] == list(wilson_interval(trained.test.top1, trained.test.samples))
    assert 0 < card.metrics["ink_extent"] <= 1
    best = max(report.epochs, key=lambda epoch: (epoch.val_top1, -epoch.val_loss))
    assert (info["epoch"], info["val_accuracy"]) == (best.epoch, 100 * best.val_top1)
    assert trained.best_epoch == best.epoch
    history = json.loads((directory / "training_progress.json").read_text())
    assert history["epochs"] == [1, 2]
    assert history["train_acc"] == [100 * epoch.train_top1 for epoch in report.epochs]
    assert {"train_loss", "val_loss", "val_acc", "learning_rate"} <= set(history)
    assert set(weights_of(directory)) == set(checkpoint_of(directory)["network"])
    json.dumps(asdict(trained))


def test_it_tells_what_it_does(undisturbed):
    _, trained, report = undisturbed
    assert report.epochs[0].best
    assert [epoch.threads for epoch in report.epochs] == [1, 1]
    steps = [event for event in report.events if isinstance(event, Progress) and event.phase == "training"]
    assert steps
    assert steps[0].total == 2 * (132 // 16) * 16
    inside = [event for event in report.events if isinstance(event, Step)]
    assert [event.step for event in inside] == list(range(2, 17))  # the first batch's copy has not arrived
    assert [event.position for event in inside] == [event.step / 8 for event in inside]
    assert sum(event.loss for event in inside[:7]) / 7 > sum(event.loss for event in inside[-7:]) / 7
    assert all(0 <= event.top1 <= 1 and event.samples_per_second > 0 for event in inside)
    assert (trained.epochs, trained.device) == (2, "cpu") or torch.cuda.is_available()


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(undisturbed, sample_dataset, tmp_path):
    directory, *_ = undisturbed
    run(sample_dataset, tmp_path / "same", SMALL)
    assert same(weights_of(directory), weights_of(tmp_path / "same"))
    run(sample_dataset, tmp_path / "other", small(epochs=2, batch_size=16, seed=1))
    assert not same(weights_of(directory), weights_of(tmp_path / "other"))


@pytest.mark.parametrize(
    ("stop_in", "position"),
    [(("training", 3 * 16), (0, 3)), (("validation", 0), (0, 8)), (("training", 10 * 16), (1, 2))],
)
def test_a_stopped_and_resumed_training_ends_with_the_same_weights(
    undisturbed, sample_dataset, tmp_path, stop_in, position
):
    directory, trained, _ = undisturbed
    with pytest.raises(Stopped, match="nothing is lost"):
        run(sample_dataset, tmp_path / "first", SMALL, stop_in=stop_in)
    stopped = checkpoint_of(tmp_path / "first")
    assert (stopped["epoch"], stopped["batch"]) == position
    resumed, report = run(sample_dataset, tmp_path / "second", configure(), resume=tmp_path / "first")
    one, other = checkpoint_of(directory), checkpoint_of(tmp_path / "second")
    for name in EARNED:
        assert same(one[name], other[name]), name
    assert same(weights_of(directory), weights_of(tmp_path / "second"))
    assert (resumed.validation, resumed.test) == (trained.validation, trained.test)
    assert [epoch.train_loss for epoch in report.epochs] == [
        epoch["train_loss"] for epoch in one["history"][-len(report.epochs) :]
    ]


def test_a_resumed_run_that_ends_at_once_can_be_gone_on_from(undisturbed, sample_dataset, tmp_path):
    directory, *_ = undisturbed
    with pytest.raises(Stopped):
        run(sample_dataset, tmp_path / "first", SMALL, stop_in=SECOND_EPOCH)
    with pytest.raises(Stopped):  # as it reads the images
        run(sample_dataset, tmp_path / "second", SMALL, resume=tmp_path / "first", stopping=True)
    _, report = run(sample_dataset, tmp_path / "third", SMALL, resume=tmp_path / "second")
    assert [epoch.epoch for epoch in report.epochs] == [2]
    assert same(weights_of(directory), weights_of(tmp_path / "third"))


def test_a_checkpoint_of_an_older_version_is_resumed(sample_dataset, tmp_path):
    """It calls the accumulation steps pieces, and its config leaves to the recipe what it does not name."""
    config = configure(network="v1", epochs=2, batch_size=16)
    run(sample_dataset, tmp_path / "whole", config)
    with pytest.raises(Stopped):
        run(sample_dataset, tmp_path, config, stop_in=THIRD_BATCH)
    content = checkpoint_of(tmp_path)
    content["pieces"] = content.pop("accumulation_steps")
    content["config"] = {"network": "v1", "recipe": None, "epochs": 2, "batch_size": 16, "pieces": 1}
    torch.save(content, tmp_path / "last.ckpt")
    run(sample_dataset, tmp_path, config, resume=tmp_path)
    assert same(weights_of(tmp_path / "whole"), weights_of(tmp_path))


def test_a_checkpoint_of_another_kind_of_device_goes_on_here(sample_dataset, tmp_path):
    with pytest.raises(Stopped):
        run(sample_dataset, tmp_path, SMALL, stop_in=THIRD_BATCH)
    content = checkpoint_of(tmp_path)
    content["augmentation_random"] = torch.zeros(16, dtype=torch.uint8)  # as long as a GPU's
    content["device_random"] = torch.zeros(16, dtype=torch.uint8)
    torch.save(content, tmp_path / "last.ckpt")
    trained, _ = run(sample_dataset, tmp_path, SMALL, resume=tmp_path)
    assert trained.epochs == 2


@pytest.mark.parametrize("name", ["last.ckpt", "best_kanji_model.pth"])
def test_a_full_disk_is_a_sentence_and_the_file_before_stays(sample_dataset, tmp_path, name):
    (tmp_path / name).write_bytes(b"earned before")
    unfinished(tmp_path / name).symlink_to("/dev/full")  # the kernel's own "no space left on device"
    with pytest.raises(KanjiError, match="the disk is full") as failed:
        run(sample_dataset, tmp_path, SMALL)
    assert "df -h" in failed.value.remedy
    assert (tmp_path / name).read_bytes() == b"earned before"


def test_dropout_too_goes_on_where_it_was(sample_dataset, tmp_path):
    config = small(epochs=1, batch_size=22)
    assert any(isinstance(layer, torch.nn.Dropout) for layer in build("v1", 12, 32).modules())
    run(sample_dataset, tmp_path / "whole", config)
    with pytest.raises(Stopped):
        run(sample_dataset, tmp_path / "first", config, stop_in=("training", 3 * 22))
    run(sample_dataset, tmp_path / "second", config, resume=tmp_path / "first")
    for name in EARNED:
        assert same(checkpoint_of(tmp_path / "whole")[name], checkpoint_of(tmp_path / "second")[name]), name


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(sample_dataset, tmp_path):
    with pytest.raises(Stopped):
        run(sample_dataset, tmp_path, SMALL, stop_in=SECOND_EPOCH)
    content = checkpoint_of(tmp_path)
    first = next(iter(content["network"].values()))
    first[0] = float("nan")
    torch.save(content, tmp_path / "last.ckpt")
    before = (tmp_path / "last.ckpt").read_bytes()
    with pytest.raises(KanjiError, match="no longer a number in epoch 2") as failed:
        run(sample_dataset, tmp_path, SMALL, resume=tmp_path)
    assert "last mean loss seen was" in failed.value.message
    assert "--learning-rate 0.001;" in failed.value.remedy
    assert (tmp_path / "last.ckpt").read_bytes() == before


def test_an_exploding_training_is_noticed(sample_dataset, tmp_path):
    wild = small(epochs=3, batch_size=16, learning_rate=1e30)
    with pytest.raises(KanjiError, match="no longer a number"):
        run(sample_dataset, tmp_path, wild)
    assert not (tmp_path / "last.ckpt").exists() or all(
        tensor.isfinite().all() for tensor in checkpoint_of(tmp_path)["network"].values()
    )


def test_a_stop_does_not_keep_what_is_no_number(sample_dataset, tmp_path):
    wild = small(epochs=3, batch_size=16, learning_rate=1e30)
    with pytest.raises(KanjiError, match="no longer a number"):
        run(sample_dataset, tmp_path, wild, stop_in=("training", 5 * 16))
    assert checkpoint.load(tmp_path / "last.ckpt")["batch"] == 0  # that of the start


def test_the_test_split_judges_the_best_epoch_not_the_last(sample_dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "is_better", lambda *_: False)
    trained, report = run(sample_dataset, tmp_path, small(epochs=4, batch_size=16))
    assert trained.best_epoch == 1
    judged = evaluate(tmp_path / "best_kanji_model.pth", sample_dataset, "test", None, report)
    assert judged.loss == pytest.approx(trained.test.loss, abs=1e-4)
    assert same(asdict(trained.validation), checkpoint_of(tmp_path)["history"][0]["validation"])


def test_a_checkpoint_comes_within_the_epoch_when_it_lasts(sample_dataset, tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    save = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", lambda state, *where: (saved.append(state.batch), save(state, *where)))
    run(sample_dataset, tmp_path, small(epochs=1, batch_size=32))
    assert saved == [0, 1, 2, 3, 0]


def test_patience_ends_it_early(sample_dataset, tmp_path):
    still = small(epochs=9, batch_size=66, learning_rate=1e-12, ema=0.0, patience=2)
    trained, _ = run(sample_dataset, tmp_path, still)
    assert trained.epochs < 9


def fitting(report) -> list[str]:
    """What was reported of a recipe that was fitted to few samples."""
    notices = (event.message for event in report.events if isinstance(event, Notice))
    return [message for message in notices if "instead of" in message]


def test_a_small_train_split_gets_smaller_batches_and_more_epochs_with_the_reason(sample_dataset, tmp_path):
    config = small(epochs=1, min_steps=5, batch_size=132, min_batch_size=66)  # of 132 samples
    with pytest.raises(Stopped):
        run(sample_dataset, tmp_path, config, stop_in=("training", 3 * 66))
    trained, report = run(sample_dataset, tmp_path, config, resume=tmp_path)
    assert trained.epochs == report.epochs[-1].epochs == 3
    assert checkpoint_of(tmp_path)["optimisers"][0]["state"][0]["step"] == 6
    assert report.epochs[-1].learning_rate == pytest.approx(config.learning_rate * config.final_learning_rate)
    assert not fitting(report), "said once, at the start"
    _, report = run(sample_dataset, tmp_path / "new", replace(config, min_steps=3))
    (message,) = fitting(report)
    assert message.startswith("66 samples a batch instead of 132 and 2 epochs instead of 1: 132 samples to train")
    assert "--epochs" in message


def test_fewer_samples_than_a_batch_are_one_batch(sample_dataset, tmp_path):
    trained, _ = run(sample_dataset, tmp_path, small(epochs=1, batch_size=4096))
    assert trained.epochs == 1
    assert checkpoint_of(tmp_path)["optimisers"][0]["state"][0]["step"] == 1


def test_fewer_samples_than_two_a_piece_make_fewer_pieces(sample_dataset, tmp_path):
    config = small(epochs=1, batch_size=128, accumulation_steps=64, sample_limit=60)
    run(sample_dataset, tmp_path, config)
    assert 1 < checkpoint_of(tmp_path)["accumulation_steps"] < 30


def test_without_a_test_share_there_is_no_test(sample_dataset, tmp_path):
    trained, _ = run(sample_dataset, tmp_path, small(epochs=1, batch_size=64, split_shares=(85.0, 15.0, 0.0)))
    assert trained.test is None


def test_a_limit_takes_that_many_samples(sample_dataset, tmp_path):
    config = small(epochs=1, batch_size=8, sample_limit=60)
    _, report = run(sample_dataset, tmp_path, config)
    (epoch,) = report.epochs
    assert epoch.epochs == 1
    assert json.loads((tmp_path / "best_model_info.json").read_text())["split"]["sample_limit"] == 60
    tiny = small(epochs=1, sample_limit=2)
    with pytest.raises(KanjiError, match="2 of each are needed"):
        run(sample_dataset, tmp_path / "tiny", tiny)


def test_resuming_needs_a_checkpoint_that_can_be_read(sample_dataset, tmp_path):
    with pytest.raises(KanjiError, match="no checkpoint"):
        run(sample_dataset, tmp_path, SMALL, resume=tmp_path)
    (tmp_path / "last.ckpt").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(KanjiError, match="cannot be read"):
        run(sample_dataset, tmp_path, SMALL, resume=tmp_path)


def test_resuming_on_another_dataset_is_refused(undisturbed, sample_dataset, tmp_path):
    directory, *_ = undisturbed
    content = checkpoint_of(directory)
    torch.save({**content, "dataset_digest": "another"}, tmp_path / "last.ckpt")
    with pytest.raises(KanjiError, match="another dataset"):
        run(sample_dataset, tmp_path, SMALL, resume=tmp_path)


def test_a_split_that_is_not_as_asked_is_announced(sample_dir, tmp_path, report):
    from kanji_tui.data.preparation import prepare

    one_file = tmp_path / "ETL9G"
    one_file.mkdir()
    first = min(path for path in sample_dir.iterdir() if path.suffix != ".json")
    (one_file / first.name).write_bytes(first.read_bytes()[: 2 * 12 * 8199])  # two hands
    prepare(one_file, tmp_path / "dataset", 32, 1, None, report)
    _, told = run(tmp_path / "dataset", tmp_path / "run", small(epochs=1, batch_size=4))
    assert any(isinstance(event, Notice) and "random" in event.message for event in told.events)
    assert json.loads((tmp_path / "run" / "best_model_info.json").read_text())["split"]["kind"] == "random"


def test_every_epoch_has_its_own_order_of_all_samples():
    first, second = epoch_order(0, 0, 50), epoch_order(0, 1, 50)
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(50))
    assert not torch.equal(first, second)
    assert torch.equal(first, epoch_order(0, 0, 50))


def test_train_accuracy_without_augmentation_stands_beside_the_running_one(undisturbed):
    directory, _, report = undisturbed
    clean = [epoch.train_clean_top1 for epoch in report.epochs]
    assert all(0 <= share <= 1 for share in clean)
    assert clean != [epoch.train_top1 for epoch in report.epochs]
    written = json.loads((directory / "training_progress.json").read_text())
    assert written["train_clean_acc"] == [100 * share for share in clean]


def test_the_result_names_weak_classes_and_confused_pairs(undisturbed, sample_dataset):
    directory, trained, report = undisturbed
    classes = json.loads((directory / "validation_by_class.json").read_text())["classes"]
    assert sum(entry["samples"] for entry in classes) == trained.validation.samples
    right = sum(entry["samples"] * entry["top1"] for entry in classes)
    assert right / trained.validation.samples == pytest.approx(trained.validation.top1)
    balanced = sum(entry["top1"] for entry in classes) / len(classes)
    assert balanced == pytest.approx(trained.validation.balanced)
    lowest = min(entry["top1"] for entry in classes)
    assert trained.weakest_classes[0].top1 == lowest
    judged = evaluate(directory / "best_kanji_model.pth", sample_dataset, "val", None, report)
    pairs = {(pair.truth_jis, pair.predicted_jis, pair.count) for pair in trained.confusions}
    assert {(p.truth_jis, p.predicted_jis, p.count) for p in judged.confusions} >= pairs
    assert sum(pair.count for pair in trained.confusions) <= sum(p.count for p in judged.confusions)


def test_pictures_read_batch_by_batch_train_the_same(undisturbed, sample_dataset, tmp_path, monkeypatch):
    directory, *_ = undisturbed
    monkeypatch.setattr("kanji_tui.training.loader.free_memory", lambda device: 0)
    run(sample_dataset, tmp_path, SMALL)
    assert same(weights_of(directory), weights_of(tmp_path))
