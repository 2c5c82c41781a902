"""Suspect labels: the rule held against numbers worked out by hand, and against labels made wrong on purpose."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from kanji_tui.data.dataset import open_dataset
from kanji_tui.recognition.evaluation import predict_split
from kanji_tui.recognition.models import open_model
from kanji_tui.recognition.predictions import PARTS, Predictions
from kanji_tui.recognition.suspects import find_suspects, rank_suspects, write_tsv
from tests.conftest import run_command

A, B, C = 0x3021, 0x3022, 0x3023


def predictions(rows: list[tuple[int, float, float]]) -> Predictions:
    """Of (code predicted, its probability, probability of the own label or NaN)."""
    jis = np.zeros((len(rows), 5), np.uint16)
    probability = np.zeros((len(rows), 5), np.float32)
    jis[:, 0], probability[:, 0] = [row[0] for row in rows], [row[1] for row in rows]
    loss = -np.log(np.array([row[2] for row in rows], np.float32))
    return Predictions("m", "d", "all", np.arange(len(rows)), jis, probability, loss)


def test_the_rule_by_hand():
    # t(A) = (0.9 + 0.7 + 0.1 + 0.3) / 4 = 0.5, t(B) = (0.8 + 0.6) / 2 = 0.7, C labels nothing: mean of all 0.5666
    rows = [(A, 0.9, 0.9), (A, 0.7, 0.7), (B, 0.85, 0.1), (B, 0.65, 0.3), (B, 0.8, 0.8), (B, 0.6, 0.6)]
    truth = np.array([A, A, A, A, B, B], np.uint16)
    places, thresholds = rank_suspects(predictions(rows), truth)
    assert places.tolist() == [2]  # 3 is read as B too, but the model is usually surer of B than 0.65
    assert thresholds == pytest.approx([0.7])
    rows[1] = (C, 0.6, 0.1)
    places, thresholds = rank_suspects(predictions(rows), truth)
    assert places.tolist() == [2, 1]  # margins -0.75 and -0.5
    assert thresholds == pytest.approx([0.7, (0.9 + 0.1 + 0.1 + 0.3 + 0.8 + 0.6) / 6])


def test_labels_the_model_lacks_are_not_judged():
    found = predictions([(A, 0.9, float("nan")), (A, 0.9, 0.9)])
    places, _ = rank_suspects(found, np.array([B, A], np.uint16))
    assert not len(places)
    places, _ = rank_suspects(predictions([(A, 0.9, float("nan"))]), np.array([B], np.uint16))
    assert not len(places)


def test_labels_made_wrong_on_purpose_are_found_first(trained, report):
    """Of the samples the model reads right some are given the label of another class: they head the list."""
    dataset, model = open_dataset(trained.data_dir), open_model(trained.model_path)
    right = predict_split(model, dataset, "all", None, report).predictions
    best, is_right = right.probability[:, 0], right.jis[:, 0] == dataset.jis
    usual = {code: best[is_right & (dataset.jis == code)].mean() for code in dataset.classes}
    sure = [n for n in np.flatnonzero(is_right) if best[n] > max(0.9, usual[int(dataset.jis[n])])]
    changed = np.random.default_rng(2).choice(sure, 6, replace=False)
    jis = dataset.jis.copy()
    codes = list(dataset.classes)
    for sample in changed:
        jis[sample] = codes[(codes.index(int(jis[sample])) + 5) % len(codes)]
    wrong = replace(dataset, jis=jis)
    found = find_suspects(
        wrong, predict_split(model, wrong, "all", None, report).predictions, None, trained.model_path
    )
    assert {suspect.sample for suspect in found.suspects[:6]} == set(changed.tolist())
    margins = [suspect.margin for suspect in found.suspects]
    assert margins == sorted(margins)
    for suspect in found.suspects[:6]:
        assert suspect.predicted_jis == f"{dataset.jis[suspect.sample]:04X}"
        assert suspect.label_jis == f"{jis[suspect.sample]:04X}"
        assert suspect.file == dataset.files[dataset.file[suspect.sample]]
        assert suspect.record == dataset.record[suspect.sample]
        assert suspect.predicted_probability >= suspect.threshold


def test_the_caveat_is_told_where_it_matters(trained, report):
    dataset, model = open_dataset(trained.data_dir), open_model(trained.model_path)
    parts = np.zeros(len(dataset), np.int8)
    parts[40:] = PARTS.index("test")
    judged = predict_split(model, dataset, "all", None, report).predictions
    assert "train split" in find_suspects(dataset, judged, parts, trained.model_path).note
    tested = judged.of(np.arange(40, len(dataset)), "test")
    assert find_suspects(dataset, tested, parts, trained.model_path).note == ""


def test_command_writes_a_table(trained, tmp_path):
    path = tmp_path / "suspects.tsv"
    where = ("--model-path", trained.model_path, "--data-dir", trained.data_dir, "--split", "all")
    process = run_command(trained.home, "suspects", *where, "--output-path", path, "--json")
    assert process.returncode == 0, process.stderr
    said = json.loads(process.stdout)
    assert "train split" in process.stderr
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [int(row["sample"]) for row in rows] == [suspect["sample"] for suspect in said["suspects"]]
    assert said["samples"] == len(open_dataset(trained.data_dir))
    columns = ["file", "record", "data_set", "label", "label_jis", "predicted", "predicted_jis"]
    assert path.read_text(encoding="utf-8").splitlines()[0].split("\t")[:7] == columns
    plain = run_command(trained.home, "suspects", *where)
    assert plain.returncode == 0
    assert f"{len(rows)} of {said['samples']} samples, split all" in plain.stdout


def test_cells_keep_to_their_columns(trained, tmp_path):
    dataset = open_dataset(trained.data_dir)
    odd = replace(dataset, files=tuple(f"a\tname\n{number}" for number in range(len(dataset.files))))
    rows = [(int(odd.classes[0]), 0.9, 0.9), (int(odd.classes[0]), 0.9, 0.05)]
    found = predictions(rows)
    other = np.flatnonzero(odd.jis != odd.classes[0])[0]
    own = np.flatnonzero(odd.jis == odd.classes[0])[0]
    found = replace(found, index=np.array([own, other]))
    suspects = find_suspects(odd, found, None, trained.model_path).suspects
    assert [suspect.sample for suspect in suspects] == [other]
    write_tsv(tmp_path / "out.tsv", suspects)
    header, line = (tmp_path / "out.tsv").read_text(encoding="utf-8").splitlines()
    assert len(header.split("\t")) == len(line.split("\t"))
