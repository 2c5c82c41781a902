"""Names of class folders: characters, code points and JIS codes, decided over all folders of a dataset."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanji_tui.characters.classes import etl9g_classes
from kanji_tui.cli import main
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.folder_names import choose_reading, parse_class
from kanji_tui.data.formats import list_inputs
from kanji_tui.data.preparation import prepare
from kanji_tui.errors import UsageError
from kanji_tui.events import Notice
from tests.data.making import TA, write_images

JI = 0x3B7A  # 字, U+5B57
some_classes = st.sets(st.sampled_from(etl9g_classes()), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("name", "as_unicode", "as_jis"),
    [
        ("田", TA, TA),
        ("U+7530", TA, TA),
        ("u+7530", TA, TA),
        ("u7530", TA, TA),
        ("uni7530", TA, TA),
        ("u753", None, None),
        ("unicorn", None, None),
        (unicodedata.normalize("NFD", "が"), 0x242C, 0x242C),
        ("ゝ", 0x2135, 0x2135),
        ("ア", 0x2522, 0x2522),
        ("7530", TA, None),
        ("0x7530", TA, None),
        ("0X5B57", JI, 0x5B57),
        ("5b57", JI, 0x5B57),
        ("4544", None, TA),
        ("0x4544", None, TA),
        ("0x3b1", 0x2641, None),
        ("03b1", None, None),
        ("2026", None, None),
        ("A", None, None),
        ("田中", None, None),
        ("0001", None, None),
        ("FFFF", None, None),
        ("U+", None, None),
        ("0x", None, None),
        ("0x110000", None, None),
        ("0xd800", None, None),
        ("U+110000", None, None),
        ("U+1F600", None, None),
        ("7530 0", None, None),
        ("７５３０", None, None),
        ("", None, None),
        ("class", None, None),
    ],
)
def test_a_name_is_a_character_or_its_code(name, as_unicode, as_jis):
    assert (parse_class(name, "unicode"), parse_class(name, "jis")) == (as_unicode, as_jis)


def test_digits_are_no_label_where_only_characters_are():
    assert [parse_class(name, "character") for name in ("田", "U+7530", "7530", "0x7530", "4544")] == [
        TA,
        TA,
        None,
        None,
        None,
    ]


@given(some_classes, st.sampled_from(["{:04x}", "{:04X}", "0x{:04x}"]))
def test_folders_named_by_code_points_are_read_as_such(classes, spelling):
    names = {spelling.format(ord(each.character)): each.jis for each in classes}
    reading = choose_reading(names)
    assert reading.labels == "unicode"
    assert {name: parse_class(name, reading.labels) for name in names} == names
    assert bool(reading.notice) == any(parse_class(name, "jis") for name in names)


@given(some_classes)
def test_folders_named_by_jis_codes_are_read_as_such_or_it_is_announced(classes):
    names = {f"{each.jis:04X}": each.jis for each in classes}
    reading = choose_reading(names)
    if reading.labels == "jis":
        assert {name: parse_class(name, "jis") for name in names} == names
    else:
        assert all(parse_class(name, "unicode") for name in names)
        assert "--labels jis" in reading.notice


def test_all_classes_of_etl9g_are_decided_rightly():
    code_points = [f"{ord(each.character):04x}" for each in etl9g_classes()]
    assert sum(parse_class(name, "jis") is not None for name in code_points) == 684
    assert choose_reading(code_points).labels == "unicode"
    assert "3,036 of 3,036 are characters, as JIS codes 684" in choose_reading(code_points).notice
    assert choose_reading(f"{each.jis:04x}" for each in etl9g_classes()).labels == "jis"


def test_without_digits_nothing_is_decided():
    assert choose_reading(["田", "U+3042", "notes"]).labels == ""
    with pytest.raises(UsageError, match="'kanji' are not known"):
        choose_reading([], "kanji")


@pytest.mark.parametrize("prefix", ["0x", ""])
def test_folders_of_the_extractor_become_the_right_classes(tmp_path, report, prefix):
    """Each of these code points is a JIS code too, of another character."""
    characters = "字山木本水漢火"
    write_images(tmp_path / "in", {f"{prefix}{ord(character):04x}": 2 for character in characters})
    assert all(parse_class(f"{ord(character):04x}", "jis") for character in characters)
    listing = list_inputs(tmp_path / "in")
    assert (listing.labels, {item.character for item in listing.items}) == ("unicode", set(characters))
    prepared = prepare(tmp_path / "in", tmp_path / "ds", 32, 1, None, report)
    assert prepared.labels == "unicode"
    assert set(open_dataset(tmp_path / "ds").classes) == {parse_class(character, "") for character in characters}
    (announced,) = report.of(Notice)
    assert "read as Unicode code points" in announced.message
    assert "is 字" in announced.message


def test_labels_overrule_what_was_decided(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "in", {"5b57": 2, "672c": 2, "田": 1})
    for labels, classes in (("jis", {0x5B57, 0x672C, TA}), ("unicode", {JI, 0x4B5C, TA}), ("character", {TA})):
        arguments = ["prepare", "--etl-dir", "in", "--size", "32", "--labels", labels, "--json"]
        assert main(arguments) == 0
        assert json.loads(capsys.readouterr().out)["labels"] == labels
        assert set(open_dataset(tmp_path / "dataset").classes) == classes


def test_labels_are_refused_where_there_are_no_folder_names(tmp_path, report, sample_dir):
    with pytest.raises(UsageError, match="--labels is for folders of images"):
        prepare(sample_dir, tmp_path / "ds", 32, 1, None, report, labels="jis")
