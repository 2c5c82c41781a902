"""What the browser finds: classes, samples, confusions, splits."""

import json
from pathlib import Path

import pytest

from kanji_tui.jobs.run_directory import RunDirectory
from kanji_tui.tui.browse import Catalogue, ClassLine, Library, Query, matches
from kanji_tui.tui.runs import RunView, Tail
from kanji_tui.tui.shelf import Shelf
from tests.tui.recorded import CODES, READ, SETS

DEN = ClassLine(0x4544, "田", "TA.DEN", 5, 8, None)


@pytest.fixture
def library(recorded: Path) -> tuple[Library, Catalogue]:
    library = Library(Shelf())
    return library, library.catalogue([evaluation()])


def evaluation() -> RunView:
    """The recorded evaluation as the screens see it."""
    tail = Tail(RunDirectory(Path("models/runs") / READ))
    tail.look()
    return tail.view


@pytest.mark.parametrize("text", ["田", "4544", "454", "U+7530", "u+75", "ta", "taden", "5", "kanji", ""])
def test_a_class_is_found_by(text: str) -> None:
    assert matches(DEN, text)


@pytest.mark.parametrize("text", ["日", "4545", "U+7531", "den", "6", "hiragana"])
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
    assert not catalogue.model_changed
    assert catalogue.parts_known


def test_samples_of_a_class_its_errors_and_the_unsure_first(library) -> None:
    found, _ = library
    assert len(found.samples(Query())) == SETS * len(CODES)
    assert len(found.samples(Query(jis=0x4544))) == SETS
    errors = found.samples(Query(errors=True))
    assert [int(row.key) for row in errors] == [place for place in range(48) if place % 7 == 6]
    assert all(str(row.cells[5]).startswith("!") for row in errors)
    unsure = [float(str(row.cells[5]).lstrip("! ")) for row in found.samples(Query(order="unsure"))]
    assert unsure == sorted(unsure)


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


def test_predictions_of_another_dataset_are_not_shown(recorded: Path, library) -> None:
    path = Path("dataset/metadata.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "digest": "another"}))
    found = Library(Shelf())
    catalogue = found.catalogue([evaluation()])
    assert not catalogue.predicted
    assert not catalogue.parts_known
    assert found.sample(0).candidates == ()


def test_another_published_model_is_noticed(recorded: Path, library) -> None:
    found, _ = library
    record = Path("models/published.json")
    record.write_text(json.dumps({**json.loads(record.read_text()), "weights_sha256": "new"}))
    assert found.catalogue([evaluation()]).model_changed
