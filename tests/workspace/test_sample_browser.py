"""What the browser finds: classes, samples, confusions, suspects, splits."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kanji_tui.characters.character_sets import codes_of
from kanji_tui.characters.jis import character_of
from kanji_tui.data.dataset import open_dataset
from kanji_tui.networks.card import ModelCard
from kanji_tui.presentation.document import text_of
from kanji_tui.presentation.samples import class_row, unknown_classes
from kanji_tui.recognition.predictions import load_predictions, predictions_file, save_predictions
from kanji_tui.system.files import sha256
from kanji_tui.workspace.class_search import matches
from kanji_tui.workspace.opened_dataset import OpenedDataset
from kanji_tui.workspace.sample_browser import MODEL, Catalogue, ClassLine, SampleBrowser
from kanji_tui.workspace.sample_list import Query
from tests.tui.recorded import CODES, RUN, SETS

DEN = ClassLine(0x4544, "田", "TA.DEN", 5, 8, None)


@pytest.fixture
def library(recorded: Path) -> tuple[SampleBrowser, Catalogue]:
    library = SampleBrowser(OpenedDataset())
    return library, library.catalogue()


def kept_file() -> Path:
    return predictions_file(Path("models/runs") / RUN, MODEL, "all")


@pytest.mark.parametrize(
    "text",
    ["田", "4544", "454", "U+7530", "u+75", "ta", "taden", "ta.d", "den", "5", "kanji", "", "でん", "デン", "日田"],
)
def test_a_class_is_found_by(text: str) -> None:
    assert matches(DEN, text)


@pytest.mark.parametrize("text", ["日", "4545", "U+7531", "en", "6", "hiragana", ".", "てん"])
def test_a_class_is_not_found_by(text: str) -> None:
    assert not matches(DEN, text)


def test_several_kana_are_a_reading_and_one_is_a_character_too() -> None:
    classes = [ClassLine(jis, character_of(jis), "", None, 1, None) for jis in codes_of("etl9g")]
    found = {text: "".join(known.character for known in classes if matches(known, text)) for text in ("にち", "に")}
    assert set("日") <= set(found["にち"])
    assert not set("にち") & set(found["にち"])
    assert set("に二日") <= set(found["に"])


def test_the_catalogue_counts_correct_predictions(library) -> None:
    _, catalogue = library
    wrong = [place for place in range(SETS * len(CODES)) if place % 7 == 6]
    assert catalogue.accuracy == pytest.approx(1 - len(wrong) / (SETS * len(CODES)))
    assert [known.jis for known in catalogue.classes] == list(CODES)
    assert {known.count for known in catalogue.classes} == {SETS}
    assert catalogue.classes[4].reading == "DEN"
    assert sum(pair.count for pair in catalogue.confusions) == len(wrong)
    assert catalogue.predicted == "all"
    assert catalogue.split_known


def test_classes_that_the_model_does_not_know_are_counted_apart(recorded: Path) -> None:
    info = json.loads(Path("models/best_model_info.json").read_text())
    card = ModelCard("kanjinet", CODES[:4], 32)
    Path("models/best_model_info.json").write_text(json.dumps({**info, **card.to_json(), "split": info["split"]}))
    catalogue = SampleBrowser(OpenedDataset()).catalogue()
    assert [known.known for known in catalogue.classes] == [True] * 4 + [False] * 2
    assert [known.accuracy is None for known in catalogue.classes] == [False] * 4 + [True] * 2
    right = [place for place in range(SETS * len(CODES)) if place % 7 != 6 and place % len(CODES) < 4]
    assert (catalogue.unknown, catalogue.samples) == (2, SETS * 4)
    assert catalogue.accuracy == pytest.approx(len(right) / (SETS * 4))
    assert unknown_classes(catalogue) == "2 of 6 classes are unknown to this model; accuracies are of the other 4"
    assert text_of(class_row(catalogue.classes[5]).cells[4]) == "unknown"


def test_samples_of_a_class_its_errors_and_by_confidence(library) -> None:
    found, _ = library
    assert len(found.samples(Query())) == SETS * len(CODES)
    assert len(found.samples(Query(jis=0x4544))) == SETS
    errors = found.samples(Query(errors=True))
    assert [line.number for line in errors] == [place for place in range(48) if place % 7 == 6]
    assert not any(line.correct for line in errors)
    confidences = [line.confidence for line in found.samples(Query(order="confidence"))]
    assert confidences == sorted(confidences)


def test_the_first_sample_comes_with_its_list(library) -> None:
    found, _ = library
    lines, first = found.samples_and_first(Query(jis=0x4544))
    assert lines[0].number == first.number
    assert first == found.sample(first.number)
    assert found.samples_and_first(Query(jis=0x3022))[1] is None


def test_samples_of_a_confusion(library) -> None:
    found, catalogue = library
    pair = catalogue.confusions[0]
    query = Query(jis=int(pair.truth_jis, 16), predicted=int(pair.predicted_jis, 16))
    assert len(found.samples(query)) == pair.count


def test_samples_by_split_add_up(library) -> None:
    found, _ = library
    split_sizes = [len(found.samples(Query(split=split))) for split in ("train", "val", "test")]
    assert sum(split_sizes) == 48
    assert min(split_sizes) > 0


def test_a_sample_shows_its_record(library) -> None:
    found, _ = library
    sample = found.sample(28)
    assert (sample.character, sample.strokes, sample.reading) == ("田", 5, "DEN")
    assert (sample.file, sample.record, sample.set) == ("ETL9G_02", 4, 0)
    assert len(sample.pixels) == 32 * 32
    assert max(sample.pixels) > 100
    best = sample.candidates[0]
    assert best.jis == "4544"
    assert sample.split in ("train", "val", "test")


def test_a_wrong_prediction_stands_beside_a_sample_of_the_predicted_class(library) -> None:
    found, _ = library
    assert found.sample(28).other is None
    wrong = found.sample(6)  # あ predicted as 亜
    assert wrong.other is not None
    assert wrong.other.caption == "亜"
    data = open_dataset(Path("dataset"))
    kept = load_predictions(kept_file(), sha256(MODEL), data.digest)
    members = np.flatnonzero(data.jis == 0x3021)
    best = members[kept.loss[members].argmin()]
    assert wrong.other.pixels == data.images([best])[0].tobytes()
    assert wrong.label_probability == pytest.approx(1e-4, rel=1e-3)


def test_suspects_come_most_suspect_first_and_by_split(library) -> None:
    found, _ = library
    suspects = found.samples(Query(suspects=True))
    confidences = [line.confidence for line in suspects]
    assert confidences == sorted(confidences, reverse=True)
    assert all(line.character != line.predicted for line in suspects)
    split_sizes = [len(found.samples(Query(suspects=True, split=split))) for split in ("train", "val", "test")]
    assert sum(split_sizes) == len(suspects) > 0
    path, count = found.write_suspects()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert count == len(lines) - 1 == len(suspects)
    numbers = [int(line.split("\t")[-2]) for line in lines[1:]]
    assert numbers == [line.number for line in suspects]


def test_the_next_samples_of_a_list(library) -> None:
    found, _ = library
    assert found.samples(Query(jis=0x4544)).numbers(6, 12) == (40, 46)


def test_predictions_of_another_dataset_are_not_shown(recorded: Path, library) -> None:
    path = Path("dataset/metadata.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "digest": "0" * 64}))
    found = SampleBrowser(OpenedDataset())
    catalogue = found.catalogue()
    assert catalogue.predicted == ""
    assert catalogue.accuracy is None
    assert not catalogue.split_known
    assert found.sample(0).candidates == ()
    assert len(found.samples(Query(suspects=True))) == 0


def test_another_published_model_has_predicted_nothing(recorded: Path, library) -> None:
    found, before = library
    assert found.catalogue() is before
    Path("models/best_kanji_model.pth").write_bytes(b"other weights")
    assert found.catalogue().predicted == ""


def test_predictions_of_one_split_alone_are_shown(recorded: Path, library) -> None:
    found, _ = library
    data = open_dataset(Path("dataset"))
    kept = load_predictions(kept_file(), sha256(MODEL), data.digest)
    kept_file().unlink()
    save_predictions(
        predictions_file(kept_file().parent, MODEL, "test"),
        replace(kept.subset(np.arange(40, 48), "test"), split="test"),
    )
    catalogue = found.catalogue()
    assert catalogue.predicted == "test"
    assert found.sample(3).candidates == ()
    assert found.sample(3).label_probability is None
    assert found.sample(41).candidates != ()
    assert {line.number for line in found.samples(Query(errors=True))} == {41}


def test_samples_of_a_label_the_model_lacks(recorded: Path, library) -> None:
    found, _ = library
    data = open_dataset(Path("dataset"))
    kept = load_predictions(kept_file(), sha256(MODEL), data.digest)
    loss = np.where(data.jis == 0x3021, np.nan, kept.loss).astype(np.float32)
    save_predictions(kept_file(), replace(kept, loss=loss))
    found.catalogue()
    assert found.sample(1).label_probability is None
    assert found.sample(6).other is not None  # its best is none of them, and still something is shown
    assert not {line.character for line in found.samples(Query(suspects=True))} & {"亜"}
