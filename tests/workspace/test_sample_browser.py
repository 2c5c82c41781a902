"""What the browser finds: classes, samples, confusions, suspects, splits."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kanji_tui.data.dataset import open_dataset
from kanji_tui.recognition.predictions import keep, kept_path, read_kept
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
    return kept_path(Path("models/runs") / RUN, MODEL, "all")


@pytest.mark.parametrize(
    "text", ["田", "4544", "454", "U+7530", "u+75", "ta", "taden", "ta.d", "den", "5", "kanji", ""]
)
def test_a_class_is_found_by(text: str) -> None:
    assert matches(DEN, text)


@pytest.mark.parametrize("text", ["日", "4545", "U+7531", "en", "6", "hiragana", "."])
def test_a_class_is_not_found_by(text: str) -> None:
    assert not matches(DEN, text)


def test_the_catalogue_counts_what_the_model_read_right(library) -> None:
    _, catalogue = library
    wrong = [place for place in range(SETS * len(CODES)) if place % 7 == 6]
    assert catalogue.accuracy == pytest.approx(1 - len(wrong) / (SETS * len(CODES)))
    assert [known.jis for known in catalogue.classes] == list(CODES)
    assert {known.count for known in catalogue.classes} == {SETS}
    assert catalogue.classes[4].reading == "DEN"
    assert sum(times for *_, times in catalogue.confusions) == len(wrong)
    assert catalogue.read == "all"
    assert catalogue.parts_known


def test_samples_of_a_class_its_errors_and_the_unsure_first(library) -> None:
    found, _ = library
    assert len(found.samples(Query())) == SETS * len(CODES)
    assert len(found.samples(Query(jis=0x4544))) == SETS
    errors = found.samples(Query(errors=True))
    assert [int(row.key) for row in errors] == [place for place in range(48) if place % 7 == 6]
    assert all(str(row.cells[2]).startswith("!") for row in errors)
    unsure = [float(str(row.cells[2]).lstrip("! ")) for row in found.samples(Query(order="unsure"))]
    assert unsure == sorted(unsure)


def test_the_first_sample_comes_with_its_list(library) -> None:
    found, _ = library
    rows, first = found.opened(Query(jis=0x4544))
    assert rows[0].key == str(first.number)
    assert first == found.sample(first.number)
    assert found.opened(Query(jis=0x3022))[1] is None


def test_samples_of_a_confusion(library) -> None:
    found, catalogue = library
    truth, _, read_as, times = catalogue.confusions[0]
    assert len(found.samples(Query(jis=truth.jis, predicted=read_as))) == times


def test_samples_by_split_add_up(library) -> None:
    found, _ = library
    parts = [len(found.samples(Query(part=part))) for part in ("train", "val", "test")]
    assert sum(parts) == 48
    assert min(parts) > 0


def test_a_sample_tells_where_it_comes_from(library) -> None:
    found, _ = library
    sample = found.sample(28)
    assert (sample.character, sample.strokes, sample.reading) == ("田", 5, "DEN")
    assert (sample.file, sample.record, sample.set) == ("ETL9G_02", 4, 0)
    assert len(sample.pixels) == 32 * 32
    assert max(sample.pixels) > 100
    best = sample.candidates[0]
    assert (best.jis, best.right) == (0x4544, True)
    assert sample.part in ("train", "val", "test")


def test_a_sample_read_wrong_stands_beside_one_of_what_it_was_read_as(library) -> None:
    found, _ = library
    assert found.sample(28).other is None
    wrong = found.sample(6)  # あ read as 亜
    assert wrong.other is not None
    assert wrong.other.caption == "亜"
    data = open_dataset(Path("dataset"))
    kept = read_kept(kept_file(), sha256(MODEL), data.digest)
    members = np.flatnonzero(data.jis == 0x3021)
    best = members[kept.loss[members].argmin()]
    assert wrong.other.pixels == data.images([best])[0].tobytes()
    assert wrong.label_probability == pytest.approx(1e-4, rel=1e-3)


def test_suspects_come_most_suspect_first_and_by_split(library) -> None:
    found, _ = library
    suspects = found.samples(Query(suspects=True))
    sure = [float(str(row.cells[2]).lstrip("! ")) for row in suspects]
    assert sure == sorted(sure, reverse=True)
    assert all(row.cells[0] != row.cells[1] for row in suspects)
    parts = [len(found.samples(Query(suspects=True, part=part))) for part in ("train", "val", "test")]
    assert sum(parts) == len(suspects) > 0
    path, count = found.write_suspects()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert count == len(lines) - 1 == len(suspects)
    numbers = [int(line.split("\t")[-2]) for line in lines[1:]]
    assert numbers == [int(row.key) for row in suspects]


def test_the_next_samples_of_a_list(library) -> None:
    found, _ = library
    assert found.samples(Query(jis=0x4544)).numbers(6, 12) == (40, 46)


def test_predictions_of_another_dataset_are_not_shown(recorded: Path, library) -> None:
    path = Path("dataset/metadata.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "digest": "another"}))
    found = SampleBrowser(OpenedDataset())
    catalogue = found.catalogue()
    assert catalogue.read == ""
    assert catalogue.accuracy is None
    assert not catalogue.parts_known
    assert found.sample(0).candidates == ()
    assert len(found.samples(Query(suspects=True))) == 0


def test_another_published_model_has_read_nothing(recorded: Path, library) -> None:
    found, before = library
    assert found.catalogue() is before
    Path("models/best_kanji_model.pth").write_bytes(b"other weights")
    assert found.catalogue().read == ""


def test_predictions_of_one_split_alone_are_shown(recorded: Path, library) -> None:
    found, _ = library
    data = open_dataset(Path("dataset"))
    kept = read_kept(kept_file(), sha256(MODEL), data.digest)
    kept_file().unlink()
    keep(kept_path(kept_file().parent, MODEL, "test"), replace(kept.of(np.arange(40, 48), "test"), split="test"))
    catalogue = found.catalogue()
    assert catalogue.read == "test"
    assert found.sample(3).candidates == ()
    assert found.sample(3).label_probability is None
    assert found.sample(41).candidates != ()
    assert {int(row.key) for row in found.samples(Query(errors=True))} == {41}


def test_samples_of_a_label_the_model_lacks(recorded: Path, library) -> None:
    found, _ = library
    data = open_dataset(Path("dataset"))
    kept = read_kept(kept_file(), sha256(MODEL), data.digest)
    loss = np.where(data.jis == 0x3021, np.nan, kept.loss).astype(np.float32)
    keep(kept_file(), replace(kept, loss=loss))
    found.catalogue()
    assert found.sample(1).label_probability is None
    assert found.sample(6).other is not None  # its best is none of them, and still something is shown
    assert not {row.cells[0] for row in found.samples(Query(suspects=True))} & {"亜"}
