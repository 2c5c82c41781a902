"""`kanji-tui demo` runs all steps without a terminal, and can be repeated."""

import json
import shutil

from kanji_tui.cli import demo
from kanji_tui.cli.render import show
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.splits import split_dataset
from kanji_tui.system.plain_data import from_plain


def test_the_demo_runs_all_steps_in_the_folder_of_an_earlier_one(
    kanji_tui, forked_children, tmp_path, sample_dir, sample_dataset, monkeypatch, capsys
):
    """One of the three targets: all of them are exported in test_all_steps.py."""
    monkeypatch.setattr(demo, "TARGETS", demo.TARGETS[:1])
    home = tmp_path / "demo"
    shutil.copytree(sample_dir, home / "ETL9G")
    shutil.copytree(sample_dataset, home / "dataset")
    (home / demo.MARKER).touch()
    small = ("--classes", 8, "--sets", 12, "--epochs", 2, "--size", 32, "--seed", 3)
    process = kanji_tui("demo", *small, "--json")
    assert process.returncode == 0, process.stderr
    commands = " ".join(process.stderr.split())
    assert "kanji-tui train --recipe quick --epochs 2 --seed 3" in commands
    assert "kanji-tui predict --model-path models/kanji_model_etl9g-sample_32x32_8classes_tract.onnx" in commands
    output = json.loads(process.stdout)
    for step in ("sample", "prepare", "verify", "train", "evaluate", "export", "inspect", "predict"):
        assert output[step], step
    images = sorted((home / "images").iterdir())
    assert [path.suffix for path in images] == [".png"] * 3
    dataset = open_dataset(home / "dataset")
    assert (len(dataset.classes), len(dataset)) == (8, 96)
    test = split_dataset(dataset, "writer", (70, 15, 15), 3).test
    assert {int(path.name.split("_")[0]) for path in images} <= set(test.tolist())
    monkeypatch.chdir(home)
    show(from_plain(demo.Demo, output), False, demo.summary)
    printed = capsys.readouterr().out
    assert "synthetic samples (not handwriting)" in printed
    assert f"kanji-tui --home {home}" in printed


def test_the_demo_refuses_a_folder_it_did_not_make(kanji_tui, tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "mine.txt").write_text("mine")
    process = kanji_tui("demo")
    assert process.returncode == 2
    assert "--output-dir" in process.stderr
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["mine.txt"]


def test_a_file_in_place_of_the_demos_folder_is_an_error(kanji_tui, tmp_path):
    (tmp_path / "demo").write_text("a file")
    process = kanji_tui("demo")
    assert process.returncode == 2
    assert "Traceback" not in process.stderr
    assert "--output-dir" in process.stderr
