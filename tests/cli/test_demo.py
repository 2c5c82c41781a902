"""`kanji-tui demo` runs all steps without a terminal, and can be repeated."""

import json

from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.splits import split_dataset


def test_the_demo_runs_all_steps_twice(kanji_tui, tmp_path):
    small = ("demo", "--classes", 8, "--sets", 12, "--epochs", 4, "--size", 32, "--seed", 3)
    first = kanji_tui(*small)
    assert first.returncode == 0, first.stderr
    assert "synthetic samples (not handwriting)" in first.stdout
    assert f"kanji-tui --home {tmp_path / 'demo'}" in first.stdout
    commands = " ".join(first.stderr.split())
    assert "kanji-tui train --recipe quick --epochs 4 --seed 3" in commands
    assert "kanji-tui predict --model-path models/kanji_model_etl9g-sample_32x32_8classes_tract.onnx" in commands
    second = kanji_tui(*small, "--json")
    assert second.returncode == 0, second.stderr
    output = json.loads(second.stdout)
    for step in ("sample", "prepare", "verify", "train", "evaluate", "export", "inspect", "predict"):
        assert output[step], step
    images = sorted((tmp_path / "demo" / "images").iterdir())
    assert [path.suffix for path in images] == [".png"] * 3
    test = split_dataset(open_dataset(tmp_path / "demo" / "dataset"), "writer", (70, 15, 15), 3).test
    assert {int(path.name.split("_")[0]) for path in images} <= set(test.tolist())
    assert len(list((tmp_path / "demo" / "models" / "runs").iterdir())) == 2


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
