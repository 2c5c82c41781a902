"""Bad input gets a clear sentence and the right exit code, loses nothing, and never shows a traceback."""

import json
import shutil
import subprocess
import sys

import pytest

from kanji_tui.errors import KanjiError
from kanji_tui.system.files import replacing


def refused(process, code, *words):
    assert process.returncode == code, process.stdout + process.stderr
    assert "Traceback" not in process.stderr
    for word in words:
        assert word in process.stderr, process.stderr


def test_the_workbench_without_a_terminal_has_a_remedy(kanji_tui):
    refused(kanji_tui(), 2, "terminal", "kanji-tui demo")


def test_no_such_directory(kanji_tui):
    refused(kanji_tui("prepare", "--etl-dir", "nowhere"), 2, "nowhere")


def test_no_record_files_in_the_directory(kanji_tui, tmp_path):
    (tmp_path / "ETL9G").mkdir()
    (tmp_path / "ETL9G" / "README.md").write_text("hello")
    refused(kanji_tui("prepare"), 2, "ETL9G")


def test_a_truncated_last_record_is_quarantined_and_reported(kanji_tui, tmp_path, sample_dir):
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
    """Every way to come by one is named; a training needs none."""
    ways = ("dataset", "kanji-tui prepare", "kanji-tui sample")
    refused(kanji_tui("verify"), 1, *ways)
    refused(kanji_tui("train"), 1, *ways, "--synthetic 40")


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


def test_a_model_to_begin_from_that_is_not_there_starts_no_run(kanji_tui, tmp_path, sample_dataset):
    process = kanji_tui("train", "--data-dir", sample_dataset, "--init", "none.pth")
    refused(process, 2, "none.pth", "--init built-in")
    assert not (tmp_path / "models").exists()


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


def test_a_full_disk_is_a_sentence_and_loses_nothing(tmp_path, sample_dir, sample_dataset):
    """The dataset's folder is a real file system of 1.2 MB: room for the dataset at 32 pixels, not for a second."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f"""
        mount -t tmpfs -o size=1200k tmpfs {disk} || exit 77
        cp -r {sample_dataset} {disk}/dataset
        dd if=/dev/zero of={disk}/ballast bs=1k count=880 status=none
        cd {disk} && {sys.executable} -m kanji_tui prepare --etl-dir {sample_dir} --size 64
        echo "code $?"
        diff -r {sample_dataset} {disk}/dataset -x .next && echo unchanged
    """
    process = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    if process.returncode == 77 or "unshare" in process.stderr:
        pytest.skip("a full disk is not tested here: no user namespaces")
    assert "code 1" in process.stdout, process.stdout + process.stderr
    assert "unchanged" in process.stdout, process.stdout
    assert "disk" in process.stderr
    assert "full" in process.stderr
    assert "Traceback" not in process.stderr


def test_writing_on_a_full_disk_leaves_what_stood_there(tmp_path):
    """/dev/full stands in for the disk: the kernel itself answers ENOSPC."""
    (tmp_path / "precious.json").write_text("{}")

    def write():
        with replacing(tmp_path / "precious.json") as beside:
            beside.write_text("half")
            with open("/dev/full", "wb", buffering=0) as full:
                full.write(b"x")

    with pytest.raises(KanjiError, match="disk is full"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["precious.json"]
    assert (tmp_path / "precious.json").read_text() == "{}"
