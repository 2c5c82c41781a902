"""Too many unusable records are a failure that changes nothing."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from kanji_tui.cli import main
from kanji_tui.data.copies import find_copies
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.preparation import prepare
from kanji_tui.data.quarantine import check_quarantine
from kanji_tui.data.source import Contents, Quarantined
from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice
from tests.data.making import CODES, bytes_of, write_images, write_kuzushiji, write_records


def contents(name: str, accepted: int, unusable: int) -> Contents:
    numbers = np.arange(accepted, dtype=np.uint32)
    return Contents(
        record=numbers,
        jis=numbers.astype(np.uint16),
        set=numbers.astype(np.uint16),
        readings={},
        quarantined=tuple(Quarantined(name, accepted + number, "spoilt") for number in range(unusable)),
    )


@pytest.mark.parametrize(
    ("format", "files", "refused"),
    [
        ("etl9g", [(1, 9)], False),
        ("etl9g", [(1, 10)], True),
        ("etl9g", [(990, 10)], False),
        ("etl9g", [(989, 10)], True),
        ("etl9g", [(10_000, 0), (90, 10)], True),  # a file of its own
        ("images", [(10_000, 0), (90, 10)], False),
        ("images", [(989, 0), (0, 10)], True),
        ("etl9g", [(300, 5), (300, 5)], True),
        ("etl9g", [(500, 0)], False),
    ],
)
def test_more_than_one_per_cent_and_ten_records_are_too_many(tmp_path, format, files, refused):
    source = SimpleNamespace(format=format)
    found = [contents(f"file {number}", *counts) for number, counts in enumerate(files)]
    notice = check_quarantine(source, tmp_path, found, accept=True)
    assert bool(notice) == any(unusable for _, unusable in files)
    if not refused:
        assert check_quarantine(source, tmp_path, found, accept=False) == notice
        return
    with pytest.raises(KanjiError, match="records are unusable, so nothing was changed: file") as error:
        check_quarantine(source, tmp_path, found, accept=False)
    assert error.value.remedy.endswith("--accept-quarantine")
    assert error.value.exit_code == 1


def test_the_old_dataset_stands_until_the_quarantine_is_accepted(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare_it = ["prepare", "--size", "32", "--json"]
    path = write_records(tmp_path / "ETL9G" / "ETL9G_01", CODES * 4)
    assert main(prepare_it) == 0
    capsys.readouterr()
    old = bytes_of(tmp_path / "dataset")
    content = path.read_bytes()
    path.write_bytes(content[: 6 * 8199 + 90] + b"!" + content[6 * 8199 + 90 :])
    assert main(prepare_it) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == 1
    assert "14 of 20 records are unusable" in error["message"]
    assert "1 byte inserted in record 6" in error["message"]
    assert "--accept-quarantine" in error["remedy"]
    assert bytes_of(tmp_path / "dataset") == old
    assert not (tmp_path / "dataset" / ".next").exists()
    assert main([*prepare_it, "--accept-quarantine"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["records"], result["quarantined"]) == (6, 14)
    assert open_dataset(tmp_path / "dataset").jis.tolist() == [*CODES, CODES[0]]


def test_one_file_under_two_names_is_refused_and_never_counted_twice(tmp_path, report):
    write_records(tmp_path / "etl" / "ETL9G_01", CODES * 3, seed=1)
    write_records(tmp_path / "etl" / "ETL9G_02", CODES * 3, seed=2)
    whole = (tmp_path / "etl" / "ETL9G_01").read_bytes()
    (tmp_path / "etl" / "ETL9G_07").write_bytes(whole)
    (tmp_path / "etl" / "ETL9G_08").write_bytes(whole[: 11 * 8199 + 77])
    with pytest.raises(KanjiError, match="ETL9G_07 record 0: repeats ETL9G_01") as error:
        prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report)
    assert "ETL9G_08 record 0: repeats ETL9G_01" in error.value.message
    assert "remove ETL9G_07, which repeats ETL9G_01; remove ETL9G_08" in error.value.remedy
    assert not (tmp_path / "ds").exists()
    prepared = prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report, accept_quarantine=True)
    assert (prepared.records, prepared.quarantined, prepared.sets) == (30, 26, 6)
    assert np.unique(open_dataset(tmp_path / "ds").writers()).tolist() == list(range(6))


def test_a_test_set_that_repeats_the_training_set_is_refused(tmp_path, report):
    write_kuzushiji(tmp_path / "k49", train=30, test=0)
    for kind in ("imgs", "labels"):
        train = tmp_path / "k49" / f"k49-train-{kind}.npz"
        (tmp_path / "k49" / f"k49-test-{kind}.npz").write_bytes(train.read_bytes())
    with pytest.raises(KanjiError, match=r"k49-train-imgs\.npz record 0: repeats k49-test-imgs\.npz"):
        prepare(tmp_path / "k49", tmp_path / "ds", 32, 1, None, report)


def test_files_that_only_begin_alike_are_no_copies(tmp_path):
    for name, content in {"a": b"x" * 9000, "b": b"x" * 8999 + b"y", "c": b"x" * 8500, "d": b"y"}.items():
        (tmp_path / name).write_bytes(content)
    paths = sorted(tmp_path.iterdir())
    assert find_copies(paths) == {tmp_path / "c": tmp_path / "a"}
    assert find_copies([]) == {}


def test_what_is_not_read_beside_good_files_is_announced(tmp_path, report):
    for name in ("ETL9G_01", "ETL9G_02 (1)", "ETL9G_03.bin"):
        write_records(tmp_path / "etl" / name, CODES)
    (tmp_path / "etl" / "ETL9G_04").symlink_to("gone")
    (tmp_path / "etl" / "more").mkdir()
    prepared = prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report)
    assert prepared.ignored == ("ETL9G_02 (1)", "ETL9G_03.bin", "ETL9G_04 (broken link)", "more")
    (notice,) = report.of(Notice)
    assert notice.message == f"not read: {', '.join(prepared.ignored)}"


def test_files_of_other_endings_beside_images_are_announced_once_for_each(tmp_path, report):
    write_images(tmp_path / "in", {"田": 2, "あ": 2})
    for name in ("田/a.heic", "田/b.HEIC", "あ/c.heic", "あ/notes.txt", "read.pdf"):
        (tmp_path / "in" / name).write_bytes(b"x")
    (tmp_path / "in" / "あ" / "000.png").unlink()
    (tmp_path / "in" / "あ" / "000.png").symlink_to("gone")
    (tmp_path / "in" / "あ" / ".hidden").touch()
    prepared = prepare(tmp_path / "in", tmp_path / "ds", 32, 1, None, report)
    assert prepared.records == 3
    assert prepared.ignored == (
        "read.pdf",
        "あ/000.png (broken link)",
        "あ/c.heic and 2 more like it",
        "あ/notes.txt",
    )
    assert "あ/c.heic and 2 more like it" in report.of(Notice)[0].message
