"""The page's JavaScript makes the images that Python makes, and ranks as Python does."""

import base64

import numpy as np
import pytest

from kanji_tui import Recogniser
from kanji_tui.characters.readings import readings_of
from kanji_tui.errors import KanjiError
from kanji_tui.recognition.candidates import most_probable
from kanji_tui.system import numbers
from kanji_tui.web.model_files import describe_classes
from tests.web import drawings

IMAGES = """
import { strokesToImage } from "./image.js";
answer(given.map(({ strokes, style: [extent, width] }) =>
  Buffer.from(strokesToImage(strokes, { extent, width }, 64)).toString("base64")));
"""
RANK = """
import { Recogniser } from "./recogniser.js";
const recogniser = new Recogniser(given.classes, null);
answer(given.logits.map((logits) => recogniser.rank(Float32Array.from(logits), 10)));
"""
POINTS = """
import { Recogniser } from "./recogniser.js";
import { DrawingPad } from "./pad.js";
const recogniser = new Recogniser({}, null);
const refusals = await Promise.all(given.points.map((strokes) =>
  recogniser.recognise(strokes).then(() => "", (error) => error.message)));
const dots = given.drawn.map((strokes) => Object.assign(Object.create(DrawingPad.prototype), { strokes }).holdsDot);
answer({ refusals, dots });
"""
PERCENT = 'import { percent } from "./text.js"; answer(given.map(percent));'


def test_python_makes_the_images_of_the_file() -> None:
    every, images = drawings.load()
    assert len(every) == len(images) > 30
    for drawing, image in zip(every, images, strict=True):
        assert np.abs(drawing.image().astype(int) - image).max() <= 1
        assert image.max() > 100


def test_the_page_makes_the_images_of_the_file_to_one_grey_level(in_node) -> None:
    every, images = drawings.load()
    given = [{"strokes": drawing.strokes, "style": drawing.style} for drawing in every]
    made = [np.frombuffer(base64.b64decode(each), np.uint8).reshape(64, 64) for each in in_node(IMAGES, given)]
    differences = [int(np.abs(a.astype(int) - b).max()) for a, b in zip(made, images, strict=True)]
    assert max(differences) <= 1, differences
    assert sum(differences) <= 3  # in truth the images are equal


def test_a_single_point_is_not_read_as_a_character(in_node) -> None:
    points = [[[[3, 4]]], [[[3, 4], [3, 4]], [[3, 4]]]]
    drawn = {  # on a pad of 1,000 a side
        "nothing": ([], False),
        "a tap": ([[[500, 500]]], True),
        "a trembling tap": ([[[500, 500], [503, 498]], [[501, 505]]], True),
        "two dots": ([[[500, 500]], [[530, 500]]], False),
        "a short stroke": ([[[500, 500], [500, 525]]], False),
    }
    found = in_node(POINTS, {"points": points, "drawn": [strokes for strokes, _ in drawn.values()]})
    assert dict(zip(drawn, found["dots"], strict=True)) == {name: dot for name, (_, dot) in drawn.items()}
    for strokes, refusal in zip(points, found["refusals"], strict=True):
        with pytest.raises(KanjiError) as refused:
            Recogniser().recognise(strokes)
        assert refusal == refused.value.message


def test_the_page_ranks_as_python_does(in_node) -> None:
    recogniser = Recogniser()
    logits = np.random.default_rng(3).normal(0, 3, (5, len(recogniser.card.classes))).round(4).astype(np.float32)
    given = {"classes": describe_classes(recogniser, "built-in"), "logits": logits.tolist()}
    found = in_node(RANK, given)
    for row, candidates in zip(logits, found, strict=True):
        expected = most_probable(row, recogniser.card, 10)
        assert [each["character"] for each in candidates] == [each.character for each in expected]
        assert [each["jis"] for each in candidates] == [each.jis for each in expected]
        for facts in ("lookalikes", "readings"):
            assert [tuple(each[facts]) for each in candidates] == [getattr(each, facts) for each in expected]
        probabilities = [each["probability"] for each in candidates]
        assert np.allclose(probabilities, [each.probability for each in expected], rtol=1e-4)


def test_the_page_writes_percentages_as_python_does(in_node) -> None:
    shares = [0, 1e-9, 0.0004, 0.0006, 0.0512, 0.9731, 0.9999, 1]
    assert in_node(PERCENT, shares) == [numbers.percent(share, 1) for share in shares]


def test_a_model_of_ones_own_has_readings_too(trained) -> None:
    recogniser = Recogniser(trained.model_path)
    rows = {row[0]: row for row in describe_classes(recogniser, "mine")["candidates"]}
    assert list(rows) == list(recogniser.card.characters)
    assert all(row[4] == " ".join(readings_of(character)) != "" for character, row in rows.items())


def test_stroke_counts_and_readings_stand_beside_the_characters() -> None:
    rows = {row[0]: row for row in describe_classes(Recogniser(), "built-in")["candidates"]}
    assert rows["田"] == ["田", "4544", 5, "", "デン た"]
    assert rows["口"] == ["口", "387D", 3, "ロ", "コウ ク くち"]
    assert rows["あ"][4] == "a"
    assert rows["あ"][3] == "ぁ"
    assert rows["Ａ"][2] == 0
