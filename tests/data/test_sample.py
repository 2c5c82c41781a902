import hashlib
import json
import string
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest

from kanji_tui.characters.character_sets import CHARACTER_SETS, codes_of
from kanji_tui.characters.classes import record_order
from kanji_tui.characters.jis import character_of
from kanji_tui.data import font_writing, fonts, sample, synthetic_writers
from kanji_tui.data.checks import check_classes
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.etl import open_records
from kanji_tui.data.preparation import prepare
from kanji_tui.data.results import SyntheticSample
from kanji_tui.data.sample import choose_classes, generate_sample
from kanji_tui.errors import KanjiError, Stopped, UsageError
from kanji_tui.events import Notice, Progress
from tests.data.making import TA, A, bytes_of, write_records

both_sources = pytest.mark.parametrize("source", ["strokes", "font"])


def unpacked(records: np.ndarray) -> np.ndarray:
    packed = records["image"]
    return np.stack([packed >> 4, packed & 15], axis=3).reshape(len(records), 127, 128)


@both_sources
def test_files_hold_etl9g_records_in_class_order(tmp_path, report, source):
    made = generate_sample(tmp_path / "etl", 10, 6, 3, report, source)
    assert (made.records, made.classes, made.sets) == (60, 10, 6)
    assert [path.rsplit("/", 1)[1] for path in made.files] == ["ETL9G_01", "ETL9G_02"]
    sizes = [(tmp_path / "etl" / name).stat().st_size for name in ("ETL9G_01", "ETL9G_02")]
    assert sizes == [4 * 10 * 8199, 2 * 10 * 8199]
    records = open_records(tmp_path / "etl" / "ETL9G_01")
    order = [jis for jis in record_order() if jis in set(records["jis"].tolist())]
    assert records["jis"].tolist() == order * 4
    assert records["sheet"].tolist() == [1] * 10 + [2] * 10 + [3] * 10 + [4] * 10
    assert records["serial"].tolist() == list(range(1, 41))
    assert records["reading"][order.index(A)] == b"A       "
    assert records["reading"][order.index(TA)] == b"        "
    raw = (tmp_path / "etl" / "ETL9G_01").read_bytes()
    assert raw[16:64] == bytes(48)  # no facts about the writer, as in the real files
    assert raw[8192:8199] == bytes(7)


def test_a_dataset_of_a_sample_has_the_synthetic_source(sample_dataset):
    dataset = open_dataset(sample_dataset)
    assert (dataset.source, dataset.name) == ("drawn sample", "etl9g-sample")
    assert len(np.unique(dataset.writers())) == 16
    assert len(dataset.classes) == 12


@both_sources
def test_the_marker_file_says_not_handwriting_and_lists_the_files(tmp_path, report, source):
    made = generate_sample(tmp_path, 4, 5, 0, report, source)
    mark = json.loads((tmp_path / "SAMPLE.json").read_text())
    assert mark["what"] == f"synthetic samples from the {source_name(mark, made)}, not handwriting"
    assert mark["source"] == made.source == source
    assert (mark["characters"], mark["classes"], mark["sets"], mark["seed"]) == ("etl9g", 4, 5, 0)
    assert len(mark["files"]) == 2
    for name, fact in mark["files"].items():
        content = (tmp_path / name).read_bytes()
        assert fact == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def source_name(mark: dict, made: SyntheticSample) -> str:
    """What the mark must name: the font, or KanjiVG with its copyright and licence."""
    if made.source == "font":
        assert made.font == made.written_from
        return f"font {', '.join(mark['glyphs_by_font'])}"
    assert made.font == ""
    assert "Ulrich Apel" in mark["strokes"]
    assert "CC BY-SA 3.0" in mark["strokes"]
    return f"strokes of KanjiVG {metadata.version('kanjivg')}"


@both_sources
def test_only_the_seed_changes_the_result(tmp_path, report, monkeypatch, source):
    generate_sample(tmp_path / "one", 8, 4, 5, report, source)
    monkeypatch.setattr(sample, "usable_cores", lambda: 1)
    generate_sample(tmp_path / "same", 8, 4, 5, report, source)
    generate_sample(tmp_path / "other", 8, 4, 6, report, source)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "same")
    assert bytes_of(tmp_path / "one")["ETL9G_01"] != bytes_of(tmp_path / "other")["ETL9G_01"]


@both_sources
def test_a_writers_character_does_not_depend_on_the_other_characters(tmp_path, report, source):
    generate_sample(tmp_path / "few", 2, 1, 5, report, source)
    generate_sample(tmp_path / "more", 70, 3, 5, report, source)
    few, more = (open_records(tmp_path / name / "ETL9G_01") for name in ("few", "more"))
    assert np.array_equal(few["image"][few["jis"] == TA][0], more["image"][more["jis"] == TA][0])


def test_every_image_from_a_font_has_centred_ink_and_a_clean_background(tmp_path, report):
    generate_sample(tmp_path / "etl", 120, 4, 0, report, "font")
    levels = unpacked(open_records(tmp_path / "etl" / "ETL9G_01"))
    assert levels.max() <= 15
    assert levels.max(axis=(1, 2)).min() >= 6
    ink = (levels > 0).mean(axis=(1, 2))
    assert ink.min() > 0.015
    assert ink.max() < 0.45
    corners = levels[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.max() == 0
    column = np.arange(128) - 63.5
    offset = (levels.sum(axis=1) @ column) / levels.sum(axis=(1, 2))
    assert np.abs(offset).max() < 20


def test_every_image_from_strokes_has_its_ink_near_the_centre(tmp_path, report):
    generate_sample(tmp_path / "etl", 120, 4, 0, report, "strokes")
    levels = unpacked(open_records(tmp_path / "etl" / "ETL9G_01")).astype(float)
    assert levels.max() <= 15
    assert levels.max(axis=(1, 2)).min() >= 5
    ink = (levels > 3).mean(axis=(1, 2))
    assert 0.002 < ink.min() < ink.max() < 0.5
    offset = (levels.sum(axis=1) @ (np.arange(128) - 63.5)) / levels.sum(axis=(1, 2))
    assert np.abs(offset).max() < 30
    assert np.abs(offset).mean() < 7


@both_sources
def test_writers_differ_more_than_the_characters_of_one_writer(tmp_path, report, source):
    """Slant, size, stroke width and position differ between writers and are similar within one."""
    generate_sample(tmp_path / "etl", 60, 8, 0, report, source)
    levels = np.concatenate([unpacked(open_records(tmp_path / "etl" / f"ETL9G_0{n}")) for n in (1, 2)])
    levels = levels.reshape(8, 60, 127, 128).astype(float)
    down, right = np.mgrid[:127, :128] - np.array([63, 63.5])[:, None, None]
    mass = levels.sum(axis=(2, 3))
    features = np.stack(
        [
            levels.max(axis=(2, 3)),
            mass / levels.max(axis=(2, 3)),
            (levels * right).sum(axis=(2, 3)) / mass,
            (levels * down).sum(axis=(2, 3)) / mass,
            np.sqrt((levels * right**2).sum(axis=(2, 3)) / mass),
            np.sqrt((levels * down**2).sum(axis=(2, 3)) / mass),
            (levels * right * down).sum(axis=(2, 3)) / mass,
        ]
    )
    own = features - features.mean(axis=2, keepdims=True).mean(axis=1, keepdims=True)
    own = own - own.mean(axis=1, keepdims=True)  # without the effect of the character itself
    between = own.mean(axis=2).var(axis=1)
    within = own.var(axis=2).mean(axis=1)
    assert (between / within > 0.3).sum() >= 5
    assert len({synthetic_writers.make_writer(0, number).threshold for number in range(50)}) == 50


def test_classes_are_evenly_spread_and_include_the_required_two():
    for count in (2, 3, 12, 120, 3035, 3036):
        chosen = choose_classes(count)
        assert len(chosen) == len(set(chosen)) == count
        assert {A, TA} <= set(chosen)
    assert choose_classes(3036) == record_order()
    kanji = sorted(jis for jis in choose_classes(120) if jis > 0x3000)
    assert kanji[0] < 0x3200
    assert kanji[-1] > 0x4E00


@pytest.mark.parametrize("name", CHARACTER_SETS)
def test_each_character_set_gives_its_classes(name):
    codes = codes_of(name)
    assert len(set(codes)) == len(codes)
    assert choose_classes(len(codes), name) == codes
    assert A in choose_classes(2, name)
    assert (TA in choose_classes(2, name)) == (name != "kana")


def test_the_character_sets_hold_what_they_are_named_after():
    etl9g, kana, everything = (set(map(character_of, codes_of(name))) for name in CHARACTER_SETS)
    assert etl9g == set(map(character_of, record_order()))
    assert kana == {
        *map(chr, range(ord("あ"), ord("ん") + 1)),
        *map(chr, range(ord("ア"), ord("ヴ") + 1)),
        "ー",
    } - {*"ぃぅぇぉっゃゅょゎィゥェォッャュョヮ"}
    assert everything == etl9g | kana | set("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ々〆〇") | {
        chr(ord(each) + 0xFEE0) for each in string.digits + string.ascii_letters
    }


@both_sources
def test_a_sample_of_other_characters_becomes_a_dataset(tmp_path, report, source):
    made = generate_sample(tmp_path / "etl", None, 2, 0, report, source, "kana")
    assert (made.classes, made.characters) == (148, "kana")
    prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report)
    dataset = open_dataset(tmp_path / "ds")
    assert dataset.classes == tuple(sorted(codes_of("kana")))
    assert (len(dataset), dataset.quarantined) == (2 * 148, ())
    assert check_classes(dataset).found.startswith("148, 2 to 2 samples each")
    # the same records without the mark of a sample are those of a damaged ETL9G file
    (tmp_path / "etl" / "SAMPLE.json").unlink()
    prepare(tmp_path / "etl", tmp_path / "other", 32, 1, None, report, accept_quarantine=True)
    assert len(open_dataset(tmp_path / "other").quarantined) == 2 * (148 - 71)


@pytest.mark.parametrize(
    ("classes", "sets", "seed"), [(1, 4, 0), (3037, 4, 0), (10, 0, 0), (10, 201, 0), (10, 4, -1), (10, 4, 2**32)]
)
def test_numbers_out_of_range_are_refused(tmp_path, report, classes, sets, seed):
    with pytest.raises(UsageError):
        generate_sample(tmp_path / "etl", classes, sets, seed, report)
    assert not (tmp_path / "etl").exists()


# Files of the user are not changed


def test_a_folder_with_other_files_is_refused(tmp_path, report):
    write_records(tmp_path / "ETL9G_01", [A])
    before = bytes_of(tmp_path)
    with pytest.raises(UsageError, match="`sample` did not make"):
        generate_sample(tmp_path, 2, 1, 0, report)
    assert bytes_of(tmp_path) == before


def test_a_readme_is_allowed_and_kept(tmp_path, report):
    (tmp_path / "README.md").write_text("put your files here")
    (tmp_path / ".gitignore").write_text("*")
    generate_sample(tmp_path, 2, 1, 0, report)
    assert (tmp_path / "README.md").read_text() == "put your files here"


def test_an_earlier_sample_is_replaced_completely(tmp_path, report):
    generate_sample(tmp_path, 4, 9, 0, report)
    assert (tmp_path / "ETL9G_03").exists()
    generate_sample(tmp_path, 4, 4, 1, report)
    assert sorted(bytes_of(tmp_path)) == ["ETL9G_01", "SAMPLE.json"]


def test_a_real_file_in_a_marked_folder_is_not_overwritten(tmp_path, report):
    generate_sample(tmp_path, 4, 4, 0, report)
    real = write_records(tmp_path / "ETL9G_01", [A, TA] * 12)  # the user replaced it by the longer, real file
    before = bytes_of(tmp_path)
    with pytest.raises(UsageError, match="was not made by `sample`"):
        generate_sample(tmp_path, 4, 4, 0, report)
    assert bytes_of(tmp_path) == before
    assert real.exists()
    with pytest.raises(KanjiError, match="marked as a synthetic sample"):
        prepare(tmp_path, tmp_path / "ds", 32, 1, None, report)


@pytest.mark.parametrize("mark", ["{}", '{"files": ["ETL9G_01"]}', '{"files": {"ETL9G_01": 3}}', "[]", "{"])
def test_a_damaged_marker_file_is_an_error_and_protects_the_folder(tmp_path, report, mark):
    generate_sample(tmp_path, 4, 4, 0, report)
    (tmp_path / "SAMPLE.json").write_text(mark)
    before = bytes_of(tmp_path)
    with pytest.raises(KanjiError):
        generate_sample(tmp_path, 4, 4, 0, report)
    with pytest.raises(KanjiError):
        prepare(tmp_path, tmp_path / "ds", 32, 1, None, report)
    assert bytes_of(tmp_path) == before


def test_a_stop_leaves_the_earlier_sample(tmp_path, report):
    generate_sample(tmp_path, 4, 4, 0, report)
    before = bytes_of(tmp_path)
    report.stop = True
    with pytest.raises(Stopped):
        generate_sample(tmp_path, 4, 8, 1, report)
    assert bytes_of(tmp_path) == before
    assert not (tmp_path / ".drawing").exists()


# Fonts


def test_without_a_font_the_remedy_says_what_to_install(tmp_path, report, monkeypatch):
    for source in ("_packaged", "_listed_by_fontconfig", "_in_folders"):
        monkeypatch.setattr(fonts, source, list)
    with pytest.raises(KanjiError) as failed:
        generate_sample(tmp_path / "etl", 4, 4, 0, report, "font")
    assert "pip install matplotlib-fontja" in failed.value.remedy
    assert "apt-get install fonts-noto-cjk" in failed.value.remedy
    assert not (tmp_path / "etl").exists()


def test_a_glyph_without_ink_or_the_replacement_glyph_counts_as_missing():
    font = fonts.find_fonts()[0]
    assert font.glyph("田") is not None
    assert font.glyph("\ue123") is None  # private use: the replacement glyph
    assert font.glyph("　") is None  # the ideographic space: there, but without ink


def test_a_character_that_no_font_has_is_reported(tmp_path, report, monkeypatch):
    found, glyph = fonts.find_fonts(), fonts.Font.glyph
    monkeypatch.setattr(font_writing, "find_fonts", lambda: found)
    monkeypatch.setattr(fonts.Font, "glyph", lambda font, text: None if text == "田" else glyph(font, text))
    made = generate_sample(tmp_path / "etl", 4, 2, 0, report, "font")
    assert (made.classes, made.records) == (3, 6)
    assert "田" in report.of(Notice)[0].message


def test_the_packaged_font_is_found_without_importing_matplotlib():
    code = (
        "import sys; from kanji_tui.data.fonts import find_fonts; find_fonts();"
        "sys.exit('matplotlib' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_progress_counts_records(tmp_path, report):
    generate_sample(tmp_path, 4, 8, 0, report)
    last = report.of(Progress)[-1]
    assert (last.phase, last.done, last.total, last.unit) == ("sample", 32, 32, "records")
