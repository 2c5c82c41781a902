import struct
import zipfile

import numpy as np
import pytest

from kanji_tui.characters.jis import character_to_jis
from kanji_tui.data.checks import verify
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.preparation import prepare
from kanji_tui.data.resize import resize_grey
from kanji_tui.data.splits import split_dataset
from kanji_tui.errors import KanjiError, UsageError
from tests.data.making import bytes_of, write_kuzushiji

CODES = tuple(sorted(character_to_jis(character) for character in "あゐゝん"))
SHARES = (70.0, 15.0, 15.0)


def test_each_pair_becomes_a_chunk(tmp_path, report):
    write_kuzushiji(tmp_path / "k49")
    prepared = prepare(tmp_path / "k49", tmp_path / "ds", 64, 2, None, report)
    assert (prepared.records, prepared.classes, prepared.format, prepared.sets) == (60, 4, "kuzushiji", 1)
    dataset = open_dataset(tmp_path / "ds")
    assert dataset.classes == CODES
    assert 0x2135 in dataset.classes  # ゝ is no class of ETL9G and is kept
    assert dataset.files == ("k49-test-imgs.npz", "k49-train-imgs.npz")
    assert (dataset.name, dataset.writers_known) == ("k49", False)
    assert "CC BY-SA 4.0" in dataset.source
    raw = [np.load(tmp_path / "k49" / name)["arr_0"] for name in dataset.files]
    assert np.array_equal(dataset.images(range(60)), resize_grey(np.concatenate(raw), 64))
    order = [character_to_jis(character) for character in "あゐゝん"]
    assert dataset.jis.tolist() == [order[n % 4] for n in range(20)] + [order[n % 4] for n in range(40)]
    assert not dataset.set.any()


def test_the_test_set_of_the_collection_is_kept(tmp_path, report):
    write_kuzushiji(tmp_path / "k49")
    prepare(tmp_path / "k49", tmp_path / "ds", 32, 1, None, report)
    split = split_dataset(open_dataset(tmp_path / "ds"), "writer", SHARES, 0)
    assert split.kind == "original"
    assert split.test.tolist() == list(range(20))
    assert (len(split.train), len(split.validation)) == (32, 8)


def test_a_test_pair_alone_is_split_at_random(tmp_path, report):
    write_kuzushiji(tmp_path / "kmnist", "kmnist", train=0)
    prepare(tmp_path / "kmnist", tmp_path / "ds", 32, 1, None, report)
    dataset = open_dataset(tmp_path / "ds")
    assert dataset.name == "kmnist"
    assert dataset.source.startswith("KMNIST by CODH")
    split = split_dataset(dataset, "writer", SHARES, 0)
    assert split.kind == "random"
    assert "unknown" in split.note


def test_any_number_of_workers_gives_the_same_bytes(tmp_path, report):
    write_kuzushiji(tmp_path / "k49", train=300, test=200)
    for workers in (1, 3):
        prepare(tmp_path / "k49", tmp_path / f"ds{workers}", 48, workers, None, report)
    assert bytes_of(tmp_path / "ds1") == bytes_of(tmp_path / "ds3")


def test_classes_without_a_character_are_quarantined(tmp_path, report):
    write_kuzushiji(tmp_path / "k49", test=0)
    class_map = tmp_path / "k49" / "k49_classmap.csv"
    class_map.write_text("index,codepoint,char\n0,U+3042,あ\n1,U+1B000,𛀀\n3,U+3093,ん\n", encoding="utf-8")
    prepared = prepare(tmp_path / "k49", tmp_path / "ds", 32, 1, None, report, accept_quarantine=True)
    assert (prepared.records, prepared.quarantined) == (20, 20)
    dataset = open_dataset(tmp_path / "ds")
    assert dataset.record[:4].tolist() == [0, 3, 4, 7]
    raw = np.load(tmp_path / "k49" / "k49-train-imgs.npz")["arr_0"]
    assert np.array_equal(dataset.images([1, 19]), resize_grey(raw[[3, 39]], 32))
    assert "k49-train-imgs.npz\t1\tclass 1 has no character in k49_classmap.csv" in (
        tmp_path / "ds" / "quarantine.tsv"
    ).read_text("utf-8")


def test_verify_passes(tmp_path, report):
    write_kuzushiji(tmp_path / "k49")
    prepare(tmp_path / "k49", tmp_path / "ds", 32, 1, None, report)
    found = {check.name: check for check in verify(tmp_path / "ds", tmp_path / "sheet.png", report).checks}
    assert not [name for name, check in found.items() if check.verdict == "failed"]
    assert "unknown" in found["data sets"].found
    assert found["classes"].found == "4, 15 to 15 samples each"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda d: (d / "k49_classmap.csv").unlink(), "k49_classmap.csv is missing"),
        (lambda d: (d / "k49-test-labels.npz").unlink(), "k49-test-labels.npz is missing"),
        (lambda d: (d / "k49_classmap.csv").write_text("a,b\n1,2\n"), "cannot be read as a class map"),
        (
            lambda d: _cut(d / "k49_classmap.csv", len(",ん\n".encode())),
            "cannot be read as a class map.*incomplete",
        ),
        (lambda d: _cut(d / "k49_classmap.csv", len(",U+3093,ん\n".encode())), "class map.*incomplete"),
        (lambda d: _spoil(d / "k49-test-labels.npz"), "labels.npz cannot be read"),
        (lambda d: np.savez(d / "k49-test-labels.npz", np.zeros(7, np.uint8)), "20 images, .* 7 labels"),
        (lambda d: (d / "k49-test-imgs.npz").write_bytes(b"PK"), "imgs.npz cannot be read"),
        (lambda d: (d / "k49-test-labels.npz").write_bytes(b""), "labels.npz cannot be read"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path, report, damage, sentence):
    write_kuzushiji(tmp_path / "k49")
    damage(tmp_path / "k49")
    with pytest.raises(KanjiError, match=sentence):
        prepare(tmp_path / "k49", tmp_path / "ds", 32, 1, None, report)
    assert not (tmp_path / "ds" / "metadata.json").exists()


def _cut(path, count):
    path.write_bytes(path.read_bytes()[:-count])


def _spoil(path):
    """Make the deflated stream invalid: its first block gets the reserved type."""
    with zipfile.ZipFile(path) as archive:
        (member,) = archive.infolist()
        assert member.compress_type == zipfile.ZIP_DEFLATED
        content = bytearray(path.read_bytes())
        names = struct.unpack_from("<HH", content, member.header_offset + 26)
    content[member.header_offset + 30 + sum(names)] |= 0b110
    path.write_bytes(content)


def test_a_damaged_image_in_the_archive_makes_no_dataset(tmp_path, report):
    write_kuzushiji(tmp_path / "k49", train=0)
    path = tmp_path / "k49" / "k49-test-imgs.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(KanjiError, match=r"imgs\.npz cannot be read"):
        prepare(tmp_path / "k49", tmp_path / "ds", 32, 1, None, report)
    assert not (tmp_path / "ds" / "metadata.json").exists()


def test_two_collections_in_a_folder_are_refused(tmp_path, report):
    write_kuzushiji(tmp_path / "both", "k49")
    write_kuzushiji(tmp_path / "both", "kmnist")
    with pytest.raises(UsageError, match="several collections: k49, kmnist"):
        prepare(tmp_path / "both", tmp_path / "ds", 32, 1, None, report)
