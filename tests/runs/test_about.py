"""What a person says of a run, also where the person wrote about.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from kanji_tui.errors import KanjiError
from kanji_tui.jobs import train
from kanji_tui.runs.about import (
    ABOUT,
    NAME_LENGTH,
    NOTE_LENGTH,
    About,
    about_from,
    about_of_resumed,
    read_about,
    write_about,
)
from kanji_tui.training.config import configure


def read_of(run: Path, content: Any) -> About:
    (run / ABOUT).write_text(content if isinstance(content, str) else json.dumps(content))
    return read_about(run)


def test_a_long_note_is_read_as_far_as_it_fits_and_says_so(tmp_path: Path) -> None:
    about = read_of(tmp_path, {"name": "n" * 100, "note": "smoothing " * 1234})
    assert about.note.startswith("smoothing smoothing")
    assert about.note.endswith(" … (of 12,340 characters)")
    assert (len(about.name), len(about.note)) == (NAME_LENGTH, NOTE_LENGTH)
    assert about_from(None, None, about) == about  # what was read can be written


@pytest.mark.parametrize(
    ("content", "name", "note"),
    [
        ({"name": 5, "note": "first"}, "", "first"),
        ({"name": "wide\x1b[2J\nstem", "note": "first\n2nd"}, "wide [2J stem", "first\n2nd"),
        ({"name": "wide", "note": None, "by": "me"}, "wide", ""),
        ({"name": "wide", "note": "half \ud800"}, "wide", "half ?"),
    ],
)
def test_one_wrong_text_does_not_hide_the_other(tmp_path: Path, content: Any, name: str, note: str) -> None:
    assert read_of(tmp_path, content) == About(name, note)


@pytest.mark.parametrize("content", ['{"name": "wide', "[]", "x" * 2**21])
def test_a_file_that_cannot_be_read_says_so_and_is_not_replaced(tmp_path: Path, content: str) -> None:
    assert str(tmp_path / ABOUT) in read_of(tmp_path, content).note
    with pytest.raises(KanjiError, match=ABOUT):
        write_about(tmp_path, About("narrow"))
    assert (tmp_path / ABOUT).read_text() == content
    assert about_of_resumed(train.Spec(Path(), Path(), configure(), resume=tmp_path)) == About()


def test_writing_keeps_what_is_not_new(tmp_path: Path) -> None:
    mine = {"name": "wide", "note": "smoothing " * 1234, "by": "me"}
    shown = read_of(tmp_path, mine)
    write_about(tmp_path, About("narrow", shown.note))
    assert json.loads((tmp_path / ABOUT).read_text()) == {**mine, "name": "narrow"}
    write_about(tmp_path, About("narrow", "short"))
    assert read_about(tmp_path) == About("narrow", "short")


def test_a_deleted_run_does_not_come_back_as_its_note(tmp_path: Path) -> None:
    with pytest.raises(KanjiError, match="was deleted"):
        write_about(tmp_path / "gone", About("wide"))
    assert not (tmp_path / "gone").exists()
