"""`kanji-tui demo` walks the whole way without a terminal, and can do so again."""

import json

from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.splits import split_dataset


def test_the_demo_walks_the_whole_way_twice(kanji_tui, tmp_path):
    small = ("demo", "--classes", 8, "--sets", 12, "--epochs", 4, "--size", 32, "--seed", 3)
    first = kanji_tui(*small)
    assert first.returncode == 0, first.stderr
    assert "synthetic samples (not handwriting)" in first.stdout
    assert f"kanji-tui --home {tmp_path / 'demo'}" in first.stdout
    by_hand = " ".join(first.stderr.split())
    assert "kanji-tui train --recipe quick --epochs 4 --seed 3" in by_hand
    assert "kanji-tui predict --model-path models/kanji_model_etl9g-sample_32x32_8classes_tract.onnx" in by_hand
    second = kanji_tui(*small, "--json")
    assert second.returncode == 0, second.stderr
    said = json.loads(second.stdout)
    for step in ("sample", "prepare", "verify", "train", "evaluate", "export", "inspect", "predict"):
        assert said[step], step
    pictures = sorted((tmp_path / "demo" / "pictures").iterdir())
    assert [path.suffix for path in pictures] == [".png"] * 3
    unseen = split_dataset(open_dataset(tmp_path / "demo" / "dataset"), "writer", (70, 15, 15), 3).test
    assert {int(path.name.split("_")[0]) for path in pictures} <= set(unseen.tolist())
    assert len(list((tmp_path / "demo" / "models" / "runs").iterdir())) == 2


def test_the_demo_refuses_a_folder_it_did_not_make(kanji_tui, tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "mine.txt").write_text("mine")
    process = kanji_tui("demo")
    assert process.returncode == 2
    assert "--output-dir" in process.stderr
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["mine.txt"]


def test_the_demo_says_so_where_its_folder_cannot_be_one(kanji_tui, tmp_path):
    (tmp_path / "demo").write_text("a file")
    process = kanji_tui("demo")
    assert process.returncode == 2
    assert "Traceback" not in process.stderr
    assert "--output-dir" in process.stderr
