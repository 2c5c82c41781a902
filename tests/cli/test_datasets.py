"""Datasets of every kind from the command line: prepared, verified, trained on, evaluated by their own split."""

import json

import pytest

from tests.data.making import write_images, write_kuzushiji
from tests.data.test_legacy import write_original

QUICK = ("--epochs", 1, "--batch-size", 8, "--json")


def json_of(process) -> dict:
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def split_of(home) -> dict:
    return json.loads((home / "models" / "best_model_info.json").read_text())["split"]


def test_kuzushiji_keeps_its_test_set_from_prepare_to_evaluate(kanji_tui, tmp_path):
    write_kuzushiji(tmp_path / "K49")
    prepared = json_of(kanji_tui("prepare", "--etl-dir", "K49", "--size", 32, "--json"))
    assert (prepared["records"], prepared["format"]) == (60, "kuzushiji")
    process = kanji_tui("train", *QUICK)
    assert json_of(process)["test"]["samples"] == 20
    assert "the collection's own" in process.stderr
    assert split_of(tmp_path)["kind"] == "original"
    assert json_of(kanji_tui("evaluate", "--json"))["samples"] == 20
    name = json_of(kanji_tui("export", "safetensors", "--json"))["path"]
    assert "kanji_model_k49_32x32_4classes" in name


def test_images_train_on_a_fold_that_evaluate_finds_again(kanji_tui, tmp_path):
    write_images(tmp_path / "pictures", {"田": 8, "U+3042": 8})
    prepared = json_of(kanji_tui("prepare", "--etl-dir", "pictures", "--size", 32, "--json"))
    assert (prepared["records"], prepared["format"]) == (16, "images")
    trained = json_of(kanji_tui("train", *QUICK, "--fold", "2/4"))
    assert trained["test"]["samples"] == 4
    assert (split_of(tmp_path)["kind"], split_of(tmp_path)["fold"]) == ("random", "2/4")
    evaluated = json_of(kanji_tui("evaluate", "--json"))
    assert evaluated["samples"] == 4
    assert evaluated["top1"] == pytest.approx(trained["test"]["top1"])


def test_a_dataset_of_the_original_scripts_trains(kanji_tui, tmp_path, forked_children):
    write_original(tmp_path / "dataset")
    assert json_of(kanji_tui("verify", "--json"))["samples"] == 40
    process = kanji_tui("train", *QUICK)
    assert json_of(process)["classes"] == 4
    assert "writers of these images are unknown, so the split is random" in process.stderr
    refused = kanji_tui("train", "--split", "writer")
    assert refused.returncode == 2
    assert "prepared by the original scripts" in refused.stderr
    assert "--split random" in refused.stderr
    checks = json.loads(kanji_tui("preflight", "--json").stdout)["checks"]
    found = [check["found"] for check in checks if check["name"] == "prepared"]
    assert found
    assert "40 samples of 4 classes" in found[0]


def test_verify_shows_the_heat_map_and_unusual_samples(kanji_tui, sample_dataset):
    process = kanji_tui("verify", "--data-dir", sample_dataset, "--unusual", 3)
    assert process.returncode == 0
    assert "Mean image" in process.stdout
    assert "█" in process.stdout
    assert "Outliers, 20 of 36 listed" in process.stdout
    assert "chunk files" in process.stdout
    verified = json_of(kanji_tui("verify", "--data-dir", sample_dataset, "--unusual", "--json"))
    assert {len(known["samples"]) for known in verified["unusual"]} == {10}
    assert len(verified["heat_map"]) == len(verified["heat_map"][0]) == 16


def test_what_makes_no_sense_is_refused(kanji_tui, sample_dataset, tmp_path):
    for arguments, word in (
        (("train", "--data-dir", sample_dataset, "--fold", "6/5"), "'6/5' is not a fold"),
        (("prepare", "--etl-dir", ".", "--format", "mnist"), "mnist"),
        (("prepare", "--etl-dir", ".", "--format", "kuzushiji"), "no Kuzushiji files"),
        (("verify", "--data-dir", sample_dataset, "--unusual", "0"), "too small"),
    ):
        process = kanji_tui(*arguments)
        assert process.returncode == 2, process.stderr
        assert word in process.stderr
        assert "Traceback" not in process.stderr
