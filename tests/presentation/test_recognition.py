"""Predictions, evaluations, suspected label errors and saliency maps as documents."""

import re
from dataclasses import replace

import pytest

from kanji_tui.cli.render import plain_lines
from kanji_tui.presentation.document import Document, Styled, text_of
from kanji_tui.presentation.feature_maps import feature_maps_document
from kanji_tui.presentation.present import present
from kanji_tui.presentation.recognition import (
    candidate_line,
    candidate_table,
    confusion_table,
    recogniser_key_values,
    shades,
    shown_readings,
)
from kanji_tui.recognition.results import (
    Candidate,
    Confusion,
    ErrorMessage,
    Explained,
    Explanations,
    FeatureMap,
    FeatureMaps,
    ImageMaps,
    Layer,
    LayerMaps,
    Predicted,
    Prediction,
    Suspect,
    Suspects,
    Unreadable,
)
from tests.drawn import FOUND
from tests.tui.recorded import EVALUATION

CANDIDATES = (Candidate("田", "4544", 0.75, (), ("デン", "た")), Candidate("日", "467C", 0.25))
PAIR = Confusion("田", "日", 1200, "4544", "467C")
SUSPECT = Suspect("ETL9G_01", 7, 3, "田", "4544", "日", "467C", 0.0001, 0.98, 0.6, -0.98, "test", 42, "")


def lines(document: Document) -> list[str]:
    return list(plain_lines(document))


def test_candidates_by_rank_with_their_bars() -> None:
    rows = [[text_of(cell) for cell in row.cells] for row in candidate_table(CANDIDATES, 4).rows]
    assert rows == [["1", "田", "4544", "███─", "75.00 %"], ["2", "日", "467C", "█───", "25.00 %"]]


def test_the_right_candidate_is_marked() -> None:
    right, wrong = (candidate_line(found, "4544", 4) for found in CANDIDATES)
    assert isinstance(right, tuple)
    assert right[0] == Styled("田", "good strong")
    assert isinstance(wrong, tuple)
    assert wrong[0] == Styled("日", "strong")


def test_a_prediction_has_its_file_above_it() -> None:
    shown = lines(present(Predicted((Prediction("a[b].png", CANDIDATES),), "model.pth")))
    assert shown[0] == "a[b].png"
    assert shown[1].split()[-4:] == ["75.00", "%", "デン", "た"]


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        *((width, "ニチ ジツ ひ -び") for width in (40, 16)),
        *((width, "ニチ ジツ ひ …") for width in (15, 14)),
        *((6, "ニチ …"), (5, "…"), (0, ""), (-3, "")),
    ],
)
def test_as_many_readings_as_fit_are_shown(width: int, shown: str) -> None:
    assert shown_readings(("ニチ", "ジツ", "ひ", "-び"), width) == shown
    assert shown_readings((), width) == ""


def test_a_doubt_an_error_and_an_image_stand_below_their_file() -> None:
    doubtful = Prediction("a.png", CANDIDATES, "the ink is very faint", ("00ff", "00ff", "8000", "8000"))
    blank = Unreadable("b.png", ErrorMessage("b.png is blank", "write darker", 1))
    shown = lines(present(Predicted((doubtful, blank), "model.pth")))
    assert shown[3:] == [
        "  doubtful: the ink is very faint",
        "   █",
        "  ▒",
        "b.png",
        "  error: b.png is blank",
        "  to do: write darker",
    ]


def test_an_evaluation_has_accuracies_confusions_and_what_the_model_lacks() -> None:
    result = replace(EVALUATION, confusions=(PAIR,), unknown_samples=3, models=("a.pth", "b.pth"))
    result = replace(result, unknown_classes=("3021", "3022"), classes=6, top1_known=0.9333)
    shown = lines(present(result))
    assert shown[0] == "ensemble of 2: a.pth, b.pth"
    assert "  samples: 48, 2 of 6 classes are unknown to this model: their 3 samples count as errors" in shown
    assert "  top-1 known: 93.33 % (82.14-97.71) of the other 45" in shown
    assert "  top-1: 87.50 % (75.30-94.14)" in shown
    assert "  loss: 0.4000" in shown
    assert shown[-2].split() == ["label", "predicted", "as", "count"]
    assert shown[-1].split() == ["田", "4544", "日", "467C", "1,200"]
    assert confusion_table((PAIR,)).rows[0].key == "4544>467C"
    synthetic = lines(present(replace(EVALUATION, source="drawn sample", model_path="built-in")))
    assert synthetic[:2] == ["read by the built-in model", "  samples: 48, synthetic, not handwriting"]
    assert "  samples: 48, train too" in lines(present(replace(EVALUATION, learned_from=True)))


def test_suspected_label_errors_and_where_the_rest_is() -> None:
    result = Suspects(100, 2, (SUSPECT,) * 21, "test", "m.pth", "", "")
    shown = lines(present(result))
    assert shown[0] == "suspected label errors: 21 of 100 samples, split test"
    assert shown[1] == "not examined: 2 samples of classes the model lacks"
    assert sum("ETL9G_01 record 7 set 3" in line for line in shown) == 20
    assert shown[-1] == "--json lists all, --output-path FILE.tsv writes them to a file"
    written = lines(present(replace(result, output_path="s.tsv")))
    assert written[-1] == "all of them: s.tsv"


def test_a_saliency_map_in_shades() -> None:
    one = Explained(3, "田", "4544", 0.5, "日", "Grad-CAM", 2, ((0.0, 1.0), (0.5, 0.0)))
    shown = lines(present(Explanations((one,), "m.pth")))
    assert shown[0] == "sample 3, label 日: saliency map of 田 4544 (probability 50.0 %), Grad-CAM"
    assert lines(present(Explanations((one,), "built-in")))[:2] == ["read by the built-in model", shown[0]]
    assert shades(one.map) == ["  ██", "▒▒  "]
    assert len(shades(((0.5,) * 64,) * 64)) == 16


def test_the_recogniser_of_drawings() -> None:
    pairs = dict(recogniser_key_values(FOUND, 0.0123, "田 x 2").pairs)
    assert pairs == {
        "model": "kanjinet",
        "classes": "12",
        "image": "32x32",
        "stroke": "5.0 % wide",
        "latency": "12 ms",
        "saved": "田 x 2",
    }
    assert recogniser_key_values(None, None, "").pairs == ()


def test_feature_maps_stand_side_by_side_below_their_ranges() -> None:
    layer = Layer("body.3", "block", 64, 2, 2)
    maps = tuple(FeatureMap(n, 0.0, 1.0, -0.123 * n, 0.26, "ff0000ff") for n in (173, 2, 4, 5, 6))
    image = ImageMaps(None, "", (LayerMaps("body.3", maps),))
    about, *lines = feature_maps_document(FeatureMaps("kanjinet", (layer,), (image,), "m.pth"))
    assert about == "image: body.3, 64 x 2x2, the 5 that vary most, each on its own scale"
    assert len(lines) == 6  # two rows of maps, a caption and two lines each
    places = [match.start() for match in re.finditer(r"\d+: ", str(lines[0]))]
    assert [str(lines[1])[place : place + 4].ljust(4) for place in places] == 4 * ["██  "]
    assert str(lines[5]) == "    ██"
