"""Quoting an exception in one line."""

import pytest

from kanji_tui.errors import first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no such file\nTraceback ..."), "no such file"),
        (ValueError("\n  indented\nmore"), "indented"),
        (ValueError(), "ValueError"),
        (ValueError(" \n"), "ValueError"),
        ("plain text\nmore", "plain text"),
    ],
)
def test_the_first_line_of_an_exception(error: BaseException | str, line: str) -> None:
    assert first_line(error) == line
