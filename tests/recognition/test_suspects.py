"""Suspected label errors: the rule by a hand-calculated example, and with labels made wrong on purpose."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from kanji_tui.data.dataset import open_dataset
from kanji_tui.recognition.evaluation import predict_split
from kanji_tui.recognition.models import open_model
from kanji_tui.recognition.predictions import SPLIT_NAMES, Predictions
from kanji_tui.recognition.suspects import find_suspects, rank_suspects, write_tsv

A, B, C = 0x3021, 0x3022, 0x3023


def predictions(rows: list[tuple[int, float, float]]) -> Predictions:
    """Predictions from (code predicted, its probability, the label's probability or NaN)."""
    jis = np.zeros((len(rows), 5), np.uint16)
    probability = np.zeros((len(rows), 5), np.float32)
    jis[:, 0], probability[:, 0] = [row[0] for row in rows], [row[1] for row in rows]
    loss = -np.log(np.array([row[2] for row in rows], np.float32))
    return Predictions("m", "d", "all", np.arange(len(rows)), jis, probability, loss)


def test_the_rule_gives_the_hand_calculated_result():
    # t(A) = (0.9 + 0.7 + 0.1 + 0.3) / 4 = 0.5, t(B) = (0.8 + 0.6) / 2 = 0.7, C has no samples: mean of all 0.5666
    rows = [(A, 0.9, 0.9), (A, 0.7, 0.7), (B, 0.85, 0.1), (B, 0.65, 0.3), (B, 0.8, 0.8), (B, 0.6, 0.6)]
    truth = np.array([A, A, A, A, B, B], np.uint16)
    rows_found, thresholds = rank_suspects(predictions(rows), truth)
    assert rows_found.tolist() == [2]  # 3 is predicted as B too, but the usual confidence in B is above 0.65
    assert thresholds == pytest.approx([0.7])
    rows[1] = (C, 0.6, 0.1)
    rows_found, thresholds = rank_suspects(predictions(rows), truth)
    assert rows_found.tolist() == [2, 1]  # margins -0.75 and -0.5
    assert thresholds == pytest.approx([0.7, (0.9 + 0.1 + 0.1 + 0.3 + 0.8 + 0.6) / 6])


def test_labels_the_model_lacks_are_not_tested():
    found = predictions([(A, 0.9, float("nan")), (A, 0.9, 0.9)])
    rows_found, _ = rank_suspects(found, np.array([B, A], np.uint16))
    assert not len(rows_found)
    rows_found, _ = rank_suspects(predictions([(A, 0.9, float("nan"))]), np.array([B], np.uint16))
    assert not len(rows_found)


def test_labels_made_wrong_on_purpose_are_found_first(trained, report):
    """Some correctly predicted samples get the label of another class: they are at the top of the list."""
    dataset, model = open_dataset(trained.data_dir), open_model(trained.model_path)
    original = predict_split(model, dataset, "all", None, report).predictions
    best, correct = original.probability[:, 0], original.jis[:, 0] == dataset.jis
    usual = {code: best[correct & (dataset.jis == code)].mean() for code in dataset.classes}
    confident = [n for n in np.flatnonzero(correct) if best[n] > max(0.9, usual[int(dataset.jis[n])])]
    changed = np.random.default_rng(2).choice(confident, 6, replace=False)
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


def test_the_note_on_the_train_split_only_appears_with_train_samples(trained, report):
    dataset, model = open_dataset(trained.data_dir), open_model(trained.model_path)
    splits = np.zeros(len(dataset), np.int8)
    splits[40:] = SPLIT_NAMES.index("test")
    predicted = predict_split(model, dataset, "all", None, report).predictions
    assert "train split" in find_suspects(dataset, predicted, splits, trained.model_path).note
    tested = predicted.subset(np.arange(40, len(dataset)), "test")
    assert find_suspects(dataset, tested, splits, trained.model_path).note == ""


def test_the_command_writes_a_tsv_file(trained, tmp_path, kanji_tui):
    path = tmp_path / "suspects.tsv"
    where = (
        "--home",
        trained.home,
        "--model-path",
        trained.model_path,
        "--data-dir",
        trained.data_dir,
        "--split",
        "all",
    )
    process = kanji_tui("suspects", *where, "--output-path", path, "--json")
    assert process.returncode == 0, process.stderr
    printed = json.loads(process.stdout)
    assert "train split" in process.stderr
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [int(row["sample"]) for row in rows] == [suspect["sample"] for suspect in printed["suspects"]]
    assert printed["samples"] == len(open_dataset(trained.data_dir))
    columns = ["file", "record", "data_set", "label", "label_jis", "predicted", "predicted_jis"]
    assert path.read_text(encoding="utf-8").splitlines()[0].split("\t")[:7] == columns
    plain = kanji_tui("suspects", *where)
    assert plain.returncode == 0
    assert f"{len(rows)} of {printed['samples']} samples, split all" in plain.stdout


def test_tabs_and_line_breaks_in_file_names_do_not_add_cells(trained, tmp_path):
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
