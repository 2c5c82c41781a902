"""Characters as KanjiVG has them, and the forms derived from these."""

from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from kanji_tui.characters.character_sets import CHARACTER_SETS, codes_of
from kanji_tui.characters.classes import strokes as stroke_count
from kanji_tui.characters.jis import character_of, character_to_jis
from kanji_tui.data.strokes import kanjivg
from kanji_tui.data.strokes.forms import Kind, written_forms
from kanji_tui.data.strokes.kanjivg import find_kanjivg, parse_form, parse_path, read_forms
from kanji_tui.errors import KanjiError


def ends(path: str) -> list[list[float]]:
    points = parse_path(path)
    return [points[0].tolist(), *points[8::8].round(6).tolist()]


@pytest.mark.parametrize(
    ("path", "corners"),
    [
        ("M10,20c1,0,2,1,3,4", [[10, 20], [13, 24]]),
        ("M10,20C11,20,12,21,13,24", [[10, 20], [13, 24]]),
        ("m10,20c1-0.5,2,1,3,4,1,1,2,2,.5-.5", [[10, 20], [13, 24], [13.5, 23.5]]),
        ("M 10 20 c 1 0 2 1 3 4 s 2 1 3 4 S 30 30 40 40", [[10, 20], [13, 24], [16, 28], [40, 40]]),
    ],
)
def test_a_path_is_read_curve_by_curve(path, corners):
    assert ends(path) == corners


def test_a_smooth_curve_continues_in_the_direction_of_the_one_before():
    mirrored, written_out = parse_path("M0,0c0,0,2,1,3,4s2,1,3,4"), parse_path("M0,0c0,0,2,1,3,4c1,3,2,1,3,4")
    assert np.allclose(mirrored, written_out)


def test_a_curve_is_the_one_of_its_four_points():
    t = 3 / 8
    expected = (
        3 * (1 - t) ** 2 * t * np.array([0, 9]) + 3 * (1 - t) * t**2 * np.array([9, 9]) + t**3 * np.array([9, 0])
    )
    assert np.allclose(parse_path("M0,0C0,9,9,9,9,0")[3], expected)


def test_an_unknown_command_is_an_error_that_names_it():
    with pytest.raises(KanjiError, match="'q'"):
        parse_path("M0,0q1,1,2,2")


def test_strokes_know_their_components_from_the_outside_in():
    read = read_forms("語")[0]
    elements = [[element for _, element in stroke.components] for stroke in read]
    assert elements[0] == ["語", "言"]
    assert elements[4:7] == [["語", "言", "口"]] * 3
    assert elements[-1] == ["語", "吾", "口"]
    assert read[4].components[2] != read[-1].components[2]  # two different 口


def test_the_parts_of_a_divided_component_are_one():
    svg = (
        '<g id="a" style="x"><g id="b" kvg:element="国">'
        '<g id="c" kvg:element="囗" kvg:part="1"><path d="M0,0c1,1,2,2,3,3"/></g>'
        '<g id="d" kvg:element="玉"><path d="M0,0c1,1,2,2,3,3"/></g>'
        '<g id="e" kvg:element="囗" kvg:part="2"><path d="M0,0c1,1,2,2,3,3"/></g></g></g>'
    )
    first, inner, last = (stroke.components[1] for stroke in parse_form(svg))
    assert first == last != inner


@pytest.mark.parametrize("name", CHARACTER_SETS)
def test_there_are_strokes_for_every_character_of_every_set(name):
    # the first form of each tenth character is read, of the others the file is looked for
    missing = [code for code in codes_of(name)[::10] if not written_forms(character_of(code))]
    assert missing == []
    folder = find_kanjivg()
    kanji = [character_of(code) for code in codes_of(name) if code >= 0x3000]
    assert [each for each in kanji if not (folder / f"{ord(each):05x}.svg").is_file()] == []


def test_the_base_form_has_the_strokes_that_dictionaries_count():
    for character in "あきそ亜田語議":
        assert len(written_forms(character)[0].strokes) == stroke_count(character_to_jis(character) or 0)


@pytest.mark.parametrize(
    ("character", "counts"),
    [
        ("き", {3}),
        ("さ", {2}),
        ("り", {1}),
        ("ふ", {3}),
        ("ぷ", {4}),
        ("そ", {2}),
        ("ぞ", {4}),
        ("や", {3}),
        ("あ", set()),
    ],
)
def test_kana_are_also_written_joined_or_apart(character, counts):
    derived = [form for form in written_forms(character) if form.kind == Kind.DERIVED]
    assert {len(form.strokes) for form in derived} == counts


def test_the_dakuten_of_de_stand_inside_or_at_the_upper_right():
    inside, outside = written_forms("で")
    assert (inside.marks, outside.marks) == (2, 2)
    bar = inside.strokes[0].points[:, 1].min()
    assert min(stroke.points[:, 1].min() for stroke in inside.strokes[1:]) > bar
    assert max(stroke.points[:, 1].max() for stroke in outside.strokes[1:]) < 40
    assert [form.marks for form in (written_forms("ぱ")[0], written_forms("は")[0])] == [1, 0]


def test_a_fast_writer_draws_a_box_in_one_line():
    base, *others = written_forms("口")
    (short,) = [form for form in others if form.kind == Kind.DERIVED]
    (line,) = short.strokes
    assert len(base.strokes) == 3
    corners = line.points[[0, -1]]
    assert np.abs(corners[0] - corners[1]).max() < 15  # round to its beginning
    steps = np.hypot(*np.diff(line.points, axis=0).T)
    assert steps.max() < 15  # without a way back through the air


def test_short_cuts_apply_to_each_component_of_a_character():
    derived = [form for form in written_forms("語") if form.kind == Kind.DERIVED]
    assert [len(form.strokes) for form in derived] == [14 - 2 - 2]
    assert [len(form.strokes) for form in written_forms("池") if form.kind == Kind.DERIVED] == [5]


def test_variants_are_read_beside_the_base_form():
    kinds = [form.kind for form in written_forms("葛")]
    assert kinds.count(Kind.VARIANT) == 3
    assert kinds[0] == Kind.BASE


def test_the_zero_is_a_closed_circle():
    (form,) = written_forms("〇")
    assert np.allclose(form.strokes[0].points[0], form.strokes[0].points[-1])
    assert np.allclose(np.hypot(*(form.strokes[0].points - 54.5).T), 36)


def test_full_width_letters_are_those_of_ascii():
    assert len(written_forms("Ａ")[0].strokes) == 3
    assert written_forms("\ue123") == ()


def test_without_the_package_the_remedy_says_what_to_install(monkeypatch):
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    find_kanjivg.cache_clear()
    monkeypatch.setattr(kanjivg, "files", absent)
    with pytest.raises(KanjiError) as failed:
        find_kanjivg()
    assert "pip install kanjivg" in failed.value.remedy
    monkeypatch.undo()
    assert find_kanjivg().is_dir()
