"""Bad input gets a clear sentence and the right exit code, loses nothing, and never shows a traceback."""

import json
import shutil

import pytest


def refused(process, code, *words):
    assert process.returncode == code, process.stdout + process.stderr
    assert "Traceback" not in process.stderr
    for word in words:
        assert word in process.stderr, process.stderr


def test_the_workbench_without_a_terminal_says_what_to_type(kanji_tui):
    refused(kanji_tui(), 2, "terminal", "kanji-tui demo")


def test_no_such_directory(kanji_tui):
    refused(kanji_tui("prepare", "--etl-dir", "nowhere"), 2, "nowhere")


def test_no_record_files_in_the_directory(kanji_tui, tmp_path):
    (tmp_path / "ETL9G").mkdir()
    (tmp_path / "ETL9G" / "README.md").write_text("hello")
    refused(kanji_tui("prepare"), 2, "ETL9G")


def test_a_truncated_last_record_is_quarantined_and_told(kanji_tui, tmp_path, sample_dir):
    shutil.copytree(sample_dir, tmp_path / "ETL9G")
    path = sorted((tmp_path / "ETL9G").glob("ETL9G_*"))[0]
    path.write_bytes(path.read_bytes()[:-100])
    process = kanji_tui("prepare", "--size", 32, "--json")
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout)["quarantined"] == 1
    assert json.loads(process.stdout)["records"] == 12 * 16 - 1
    assert path.name in (tmp_path / "dataset" / "quarantine.tsv").read_text()


def test_unknown_codes_are_counted_listed_and_left_out(kanji_tui, tmp_path, sample_dir):
    shutil.copytree(sample_dir, tmp_path / "ETL9G")
    path = sorted((tmp_path / "ETL9G").glob("ETL9G_*"))[0]
    content = bytearray(path.read_bytes())
    content[2:4] = b"\x7f\x7f"
    path.write_bytes(content)
    process = kanji_tui("prepare", "--size", 32, "--json")
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout)["quarantined"] == 1
    assert "7F7F" in (tmp_path / "dataset" / "quarantine.tsv").read_text().upper()


def test_sample_never_writes_into_a_folder_of_real_files(kanji_tui, tmp_path):
    (tmp_path / "ETL9G").mkdir()
    (tmp_path / "ETL9G" / "ETL9G_01").write_bytes(b"precious")
    refused(kanji_tui("sample", "--classes", 5, "--sets", 4), 2, "ETL9G")
    assert (tmp_path / "ETL9G" / "ETL9G_01").read_bytes() == b"precious"


def test_no_dataset(kanji_tui):
    for command in ("train", "verify"):
        refused(kanji_tui(command), 1, "dataset", "kanji-tui prepare")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--batch-size", 0), ("batch",)),
        (("--network", "resnet9000"), ("resnet9000", "kanjinet")),
        (("--epochs", 0), ("epoch",)),
        (("--learning-rate", -1), ("learning",)),
        (("--split-shares", "70/15"), ("70/15/15",)),
    ],
)
def test_train_refuses_settings_that_make_no_sense(kanji_tui, sample_dataset, arguments, words):
    refused(kanji_tui("train", "--data-dir", sample_dataset, *arguments), 2, *words)


def test_an_unreadable_model(kanji_tui, tmp_path, sample_dataset, trained):
    (tmp_path / "broken.pth").write_bytes(b"no model")
    shutil.copy(trained.models_dir / "best_model_info.json", tmp_path / "best_model_info.json")
    refused(kanji_tui("evaluate", "--model-path", "broken.pth", "--data-dir", sample_dataset), 1, "broken.pth")
    refused(kanji_tui("evaluate", "--model-path", "none.pth", "--data-dir", sample_dataset), 1, "none.pth")


def test_a_dataset_of_another_size_than_the_model(kanji_tui, tmp_path, sample_dir, trained):
    assert kanji_tui("prepare", "--etl-dir", sample_dir, "--size", 48).returncode == 0
    process = kanji_tui("evaluate", "--model-path", trained.model_path, "--split", "all")
    refused(process, 1, "48", "32", "kanji-tui prepare --size 32")


def test_unknown_runs(kanji_tui):
    for command in ("stop", "attach", "publish", "delete"):
        refused(kanji_tui(command, "20260101"), 2, "20260101", "kanji-tui runs")


def test_a_full_disk_is_a_sentence_and_keeps_the_old_dataset(kanji_tui, tmp_path, sample_dir):
    """/dev/full stands in for the disk: writing the sheet meets ENOSPC from the kernel itself."""
    assert kanji_tui("prepare", "--etl-dir", sample_dir, "--size", 32).returncode == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "dataset").iterdir() if path.is_file()}
    from kanji_tui.errors import KanjiError
    from kanji_tui.system.files import replacing

    with pytest.raises(KanjiError, match="disk is full"), replacing(tmp_path / "dataset" / "metadata.json"):
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(b"x")
    assert {path.name: path.read_bytes() for path in (tmp_path / "dataset").iterdir() if path.is_file()} == before
