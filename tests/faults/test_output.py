"""Output that cannot be written is a sentence or a quiet 141, never a traceback; the work is done all the same."""

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kanji_tui.data.contact_sheet import draw_contact_sheet
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.image_statistics import measure_images
from kanji_tui.errors import KanjiError
from kanji_tui.events import SilentReport
from kanji_tui.export.mapping import export_mapping
from kanji_tui.export.safetensors_export import export_safetensors
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.saved import save_sample
from kanji_tui.recognition.evaluation import evaluate
from kanji_tui.runs.publish import publish
from kanji_tui.runs.run_directory import create
from kanji_tui.system import files


def in_shell(home: Path, line: str) -> subprocess.CompletedProcess:
    """`line` in a shell, in which $K is the command."""
    command = f"{sys.executable} -m kanji_tui"
    return subprocess.run(
        ["bash", "-c", line],
        cwd=home,
        env={**os.environ, "K": command},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("$K runs >&-", 0, ""),
        ("$K runs --json >&- 2>&-", 0, ""),
        ("$K runs <&-", 0, ""),
        ("$K runs >/dev/full", 1, "error: the output cannot be written: No space left on device"),
        ("$K runs --json >/dev/full", 1, "error: the output cannot be written: No space left on device"),
        ("$K attach none 2>/dev/full", 1, ""),
        ("$K networks --help | true; exit ${PIPESTATUS[0]}", 0, ""),
        ("ulimit -n 5; $K --once preflight", 1, "error: "),
    ],
)
def test_closed_and_full_streams(tmp_path, line, code, words):
    ended = in_shell(tmp_path, line)
    assert "Traceback" not in ended.stderr
    assert "Exception" not in ended.stderr
    assert words in ended.stderr
    assert ended.returncode == code, ended


@pytest.mark.parametrize("arguments", [("--once", "draw"), ("preflight",), ("runs", "--csv")])
def test_a_broken_pipe_is_quiet(tmp_path, arguments):
    """Of plain text, of what Rich prints, of CSV."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "kanji_tui", *arguments],
        cwd=tmp_path,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    os.close(writer)
    assert ended.returncode == 141
    assert not {line for line in ended.stderr.split("\n") if line and not line.endswith("steps")}  # progress alone


@pytest.mark.parametrize("option", ["--home=--", "--data-dir=--", "--epochs=--", "--set=--"])
def test_an_option_without_a_value_is_refused(kanji_tui, option):
    ended = kanji_tui("train", option)
    assert ended.returncode == 2
    assert f"{option} gives no value" in ended.stderr


@pytest.mark.parametrize("option", ["--sample-limit", "--epochs", "--batch-size", "--seed"])
def test_a_number_beyond_all_bounds_is_refused(kanji_tui, sample_dataset, option):
    ended = kanji_tui("train", "--data-dir", sample_dataset, option, "99999999999999999999")
    assert ended.returncode == 2
    assert "99999999999999999999" in ended.stderr


@pytest.fixture
def writers(trained, sample_dataset, tmp_path):
    """Every function that writes a file where the user asks for it; each is given the folder."""
    from kanji_tui.training.checkpoint import write

    def predictions(folder):  # kept beside the model; that they cannot be is only noted
        evaluate(trained.model_path, sample_dataset, "all", folder, SilentReport())

    dataset = open_dataset(sample_dataset)
    heat_map = measure_images(dataset, SilentReport()).heat_map()
    return {
        "mapping": lambda folder: export_mapping(None, folder / "mapping.json", SilentReport()),
        "safetensors": lambda folder: export_safetensors(
            trained.model_path, SilentReport(), output_path=folder / "model.safetensors"
        ),
        "sheet": lambda folder: draw_contact_sheet(dataset, folder / "sheet.png", heat_map, ()),
        "checkpoint": lambda folder: write({}, folder / "last.ckpt"),
        "publish": lambda folder: publish(trained.run, folder),
        "drawing": lambda folder: save_sample([((1.0, 1.0), (5.0, 5.0))], "田", StrokeStyle(), folder),
        "run": lambda folder: create("verify", "kanji_tui.jobs.verify:run", {}, folder),
        "predictions": predictions,
    }


WRITERS = ("mapping", "safetensors", "sheet", "checkpoint", "publish", "drawing", "run")


def test_the_list_of_writers_is_whole(writers):
    assert set(writers) == {*WRITERS, "predictions"}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_and_a_missing_folder_are_sentences(writers, name, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KanjiError, match="could not be written"):
        writers[name](tmp_path / "file" / "folder")

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(KanjiError, match="the disk is full"):
        writers[name](tmp_path / "folder")
    assert not [path for path in (tmp_path / "folder").rglob("*") if path.is_file()]


def test_predictions_that_cannot_be_kept_are_made_all_the_same(writers, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    writers["predictions"](tmp_path / "file" / "folder")


@pytest.mark.parametrize("name", WRITERS)
def test_files_have_the_users_umask(writers, name, tmp_path):
    before = os.umask(0o027)
    try:
        writers[name](tmp_path / "folder")
    finally:
        os.umask(before)
    made = [path for path in (tmp_path / "folder").rglob("*") if path.is_file()]
    assert made
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o640}


def test_a_training_goes_on_without_stdout(tmp_path, sample_dataset):
    small = f"--data-dir {sample_dataset} --network v1 --epochs 1 --sample-limit 60"
    ended = in_shell(tmp_path, f"$K train {small} >&- 2>&-")
    assert ended.returncode == 0
    (run,) = (tmp_path / "models" / "runs").iterdir()
    assert json.loads((run / "status.json").read_text())["state"] == "finished"
