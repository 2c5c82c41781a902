"""Documents in a terminal and as plain text."""

import pytest
from rich.console import Console

from kanji_tui.cli import render
from kanji_tui.presentation.document import Column, KeyValues, Row, Styled, Table

TABLE = Table(
    (Column("name"), Column("size", right=True), Column("")),
    (
        Row("one", ("first",), heading=True),
        Row("a", ("[b]亜[/]", "7", ("x", Styled("y", "bad")))),
        Row("two", ("second and longer than any cell",), heading=True),
        Row("b", ("bb", "1,234", "z")),
    ),
    "Title",
    "about it",
)


def drawn(document, monkeypatch: pytest.MonkeyPatch, width: int = 200) -> list[str]:
    console = Console(width=width, highlight=False, soft_wrap=True)
    monkeypatch.setattr(render, "stdout", console)
    with console.capture() as capture:
        render.print_document(document)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_headings_stand_between_rows_and_widen_no_column(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn((TABLE,), monkeypatch) == [
        "Title",
        "about it",
        "",
        "first",
        "name       size",
        "[b]亜[/]      7  xy",
        "",
        "second and longer than any cell",
        "bb        1,234  z",
    ]


def test_a_table_without_column_names_has_no_empty_line_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table((Column(""), Column("")), (Row("a", ("x", "y")),))
    assert drawn(("before", table), monkeypatch) == ["before", "", "x  y"]


def test_key_values_are_aligned_and_their_title_stands_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = KeyValues((("a", "1"), ("long", Styled("2", "good"))), "Title")
    assert drawn(("before", pairs), monkeypatch) == ["before", "", "Title", "a     1", "long  2"]


def test_in_a_narrow_terminal_only_the_last_column_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table((Column("a"), Column("b")), (Row("a", ("name of it", "one two three four five six")),))
    lines = drawn((table,), monkeypatch, 30)
    assert [line.split("  ")[0] for line in lines] == ["a", "name of it", ""]
    assert max(map(len, lines)) <= 30


def test_plain_text_has_columns_two_spaces_apart() -> None:
    assert list(render.plain_lines((TABLE,))) == [
        "Title",
        "about it",
        "  name       size",
        "first:",
        "  [b]亜[/]      7  xy",
        "second and longer than any cell:",
        "  bb        1,234  z",
    ]


def test_plain_text_folds_sentences_and_keeps_commands_whole() -> None:
    sentence = "word " * 30
    lines = list(render.plain_lines((sentence, ("try: ", sentence), "", KeyValues((("name", "value"),)))))
    assert [len(line.split()) for line in lines] == [20, 10, 31, 0, 2]
    assert lines[-1] == "  name: value"


def test_a_result_is_json_or_a_document(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    from kanji_tui.runs.run_summary import RunState

    render.show(RunState("run-1", "stopped"), json=True)
    assert capsys.readouterr().out == '{"run": "run-1", "state": "stopped"}\n'
    monkeypatch.setattr(render, "stdout", Console(width=200))
    render.show(RunState("run-1", "stopped"), json=False)
    assert capsys.readouterr().out == "run-1: stopped\n"
