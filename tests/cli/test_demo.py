"""`kanji-tui demo` walks the whole way without a terminal, and can do so again."""

import json


def test_the_demo_walks_the_whole_way_twice(kanji_tui, tmp_path):
    small = ("demo", "--classes", 8, "--sets", 12, "--epochs", 4, "--size", 32)
    first = kanji_tui(*small)
    assert first.returncode == 0, first.stderr
    assert "drawn samples (not handwriting)" in first.stdout
    assert f"kanji-tui --home {tmp_path / 'demo'}" in first.stdout
    second = kanji_tui(*small, "--json")
    assert second.returncode == 0, second.stderr
    said = json.loads(second.stdout)
    for step in ("sample", "prepare", "verify", "train", "evaluate", "export", "inspect", "predict"):
        assert said[step], step
    assert [path.suffix for path in sorted((tmp_path / "demo" / "pictures").iterdir())] == [".png"] * 3
    assert len(list((tmp_path / "demo" / "models" / "runs").iterdir())) == 2


def test_the_demo_refuses_a_folder_it_did_not_make(kanji_tui, tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "mine.txt").write_text("mine")
    process = kanji_tui("demo")
    assert process.returncode == 2
    assert "--output-dir" in process.stderr
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["mine.txt"]
