"""Classes and samples of the Browser as tables, and the screens of --once that need no process."""

from pathlib import Path

import pytest

from kanji_tui.cli.once import read_state
from kanji_tui.cli.render import plain_lines
from kanji_tui.presentation.document import text_of
from kanji_tui.presentation.inspection import inspector_screen
from kanji_tui.presentation.recognition import draw_screen
from kanji_tui.presentation.samples import (
    browser_screen,
    class_lines,
    class_row,
    pair_query,
    sample_key_values,
    sample_table,
)
from kanji_tui.workspace.opened_dataset import OpenedDataset
from kanji_tui.workspace.sample_browser import ClassLine, SampleBrowser
from kanji_tui.workspace.sample_list import Query
from kanji_tui.workspace.state import State
from tests.tui.conftest import recorded, recorded_once

__all__ = ["recorded", "recorded_once"]

DEN = ClassLine(0x4544, "田", "TA.DEN", 5, 1200, 0.875)


@pytest.fixture
def browser(recorded: Path) -> SampleBrowser:
    browser = SampleBrowser(OpenedDataset())
    browser.catalogue()
    return browser


def text_of_document(document) -> str:
    return "\n".join(plain_lines(document))


def test_a_class_as_a_row_and_in_two_lines() -> None:
    cells = [text_of(cell) for cell in class_row(DEN).cells]
    assert cells == ["田", "4544", "デン た", "5", "87.50 %", "1,200", "U+7530"]
    lines = [text_of(line) for line in class_lines(DEN)]
    assert lines == ["田  4544  U+7530  5 strokes", "1,200 samples, 87.5 % correct  デン た"]
    level_2 = ClassLine(0x5021, "亞", "A", 8, 2, None)
    assert text_of(class_row(level_2).cells[2]) == "A"  # as its records say
    assert text_of(class_lines(level_2)[1]) == "2 samples  A"
    unknown = ClassLine(0x4544, "?", "", None, 1, None)
    assert [text_of(line) for line in class_lines(unknown)] == ["?  4544  U+003F  strokes unknown", "1 sample"]


def test_samples_have_label_prediction_and_confidence(browser: SampleBrowser) -> None:
    table = sample_table(browser.samples(Query(errors=True, order="confidence")))
    assert (table.title, table.about) == ("all errors by confidence", "6")
    cells = [text_of(cell) for cell in table.rows[0].cells]
    assert cells[1].endswith(" !")
    assert [column.title for column in table.columns[:3]] == ["label", "pred", "conf"]
    right = sample_table(browser.samples(Query(jis=0x4544))).rows[0]
    assert [text_of(cell) for cell in right.cells[:3]] == ["田", "田", "50.00"]


def test_a_sample_shows_its_record_and_the_probability_of_its_label(browser: SampleBrowser) -> None:
    wrong = {
        name: text_of(value) for name, value in sample_key_values(browser.sample(6), "nowhere", False, 40).pairs
    }
    assert wrong["record"] == "ETL9G_01 record 6 set 1"
    assert wrong["p(label)"] == "あ 0.01 %"
    assert wrong["saliency"] == "nowhere"
    right = {name: text_of(value) for name, value in sample_key_values(browser.sample(28), "", False, 40).pairs}
    assert right["readings"] == "デン た"
    assert "p(label)" not in right
    short = sample_key_values(browser.sample(28), "", True, 40).pairs
    assert text_of(short[0][1]) == "田  4544  U+7530  5 strokes  デン た"
    assert [text_of(value).split()[0] for _, value in short] == ["田", "ETL9G_02"]


def test_the_row_of_a_confusion_stands_for_its_samples() -> None:
    assert pair_query("4544>467C") == Query(jis=0x4544, predicted=0x467C, order="confidence")


def test_the_screens_as_plain_text(recorded: Path) -> None:
    state = read_state()
    browsed = text_of_document(browser_screen(state))
    mixed = "The published model has predicted the split all, train too: top-1 87.50 % (75.30-94.14)"
    assert f"{mixed} over 6 classes." in " ".join(browsed.split())
    assert "6 of 6 confusions, most frequent first:" in browsed
    assert "U+7530" in browsed
    assert "models/best_kanji_model.pth" in text_of_document(draw_screen(state))
    assert "To do: kanji-tui export onnx" in text_of_document(inspector_screen(state))


def test_an_empty_folder_has_a_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    advice = " ".join(text_of_document(browser_screen(State())).split())
    assert "folders of images: kanji-tui prepare; without any, first: kanji-tui sample" in advice
    assert "To do: kanji-tui train" in text_of_document(draw_screen(State()))
