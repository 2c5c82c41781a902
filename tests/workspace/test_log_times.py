"""When each line of a log was written; in which order notices and lines are shown."""

from pathlib import Path

import pytest

from kanji_tui.events import Failure, Logged, Notice, Progress, State
from kanji_tui.workspace import run_details, run_log, run_views
from kanji_tui.workspace.log_times import MARKS_KEPT, LogLine, LogMarks, Mark, timed_lines
from kanji_tui.workspace.run_details import read_details
from kanji_tui.workspace.run_log import read_log
from kanji_tui.workspace.run_views import RunView, Tail
from tests.tui.recorded import MOMENT, RUN, train_spec, write_run


def view_of(home: Path, events: list, log: str) -> RunView:
    """A run whose events are a second apart, from MOMENT on."""
    tail = Tail(write_run(home, RUN, train_spec(), "running", events, log))
    tail.poll()
    return tail.view


def test_a_line_was_written_before_the_log_was_seen_to_hold_it() -> None:
    marks = (Mark(8, 100.0), Mark(16, 102.0))
    text = "one\ntwo\n愛\n12%\r".encode() + b"34%\nthe last\nis being wri"
    assert timed_lines(text, 0, marks) == [
        LogLine("one", 100.0),
        LogLine("two", 100.0),
        LogLine("愛", 102.0),
        LogLine("12%", 102.0),
        LogLine("34%"),
        LogLine("the last"),
        LogLine("is being wri"),
    ]
    assert timed_lines(b"two\n", 4, marks) == [LogLine("two", 100.0)], "a part of the file"
    assert timed_lines(b"\xff\n\n", 0, ()) == [LogLine("\ufffd"), LogLine("")]


def test_of_what_is_older_than_the_marks_that_are_kept_nobody_knows_the_time() -> None:
    marks = LogMarks()
    for number in range(1, 3 * MARKS_KEPT):
        marks.add(1000.0 + number, number)
    first, second, *_ = marks.marks()
    assert len(marks.marks()) <= 2 * MARKS_KEPT
    assert first.moment == 0
    assert second == Mark(first.size + 1, 1000.0 + first.size + 1)
    assert marks.marks()[-1] == Mark(3 * MARKS_KEPT - 1, 1000.0 + 3 * MARKS_KEPT - 1)
    later = LogMarks(from_start=False)
    later.add(1000.0, 5)
    later.add(1001.0, 6)
    assert later.marks() == (Mark(5, 0.0), Mark(6, 1001.0))


def test_notices_and_lines_are_in_order_of_time(tmp_path: Path) -> None:
    story = [
        State("running"),
        Notice("first"),
        Logged(4),
        Notice("second"),
        Notice("third"),
        Logged(8),
        Failure("it broke", "try again"),
        State("failed"),
    ]
    view = view_of(tmp_path, story, "one\ntwo\nnew\n")
    assert read_log(view) == (
        LogLine("note: first", MOMENT + 1),
        LogLine("one", MOMENT + 2),
        LogLine("note: second", MOMENT + 3),
        LogLine("note: third", MOMENT + 4),
        LogLine("two", MOMENT + 5),
        LogLine("new"),
        LogLine("failed: it broke", MOMENT + 7),
        LogLine("try: again", MOMENT + 7),
    )


def test_an_older_log_is_shown_as_it_always_was(tmp_path: Path) -> None:
    view = view_of(tmp_path, [State("running"), Notice("a note"), Failure("it broke", "again")], "one\ntwo\n")
    lines = ["note: a note", "one", "two", "failed: it broke", "try: again"]
    assert read_log(view) == tuple(map(LogLine, lines))


def test_of_a_long_log_the_end_has_its_times_and_a_line_says_where_the_rest_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_log, "KEPT_BYTES", 10)
    view = view_of(tmp_path, [Logged(8), Logged(16)], "".join(f"line {n}\n" for n in range(5)))
    before = LogLine(f"... the lines before are in {view.path / 'log.txt'}")
    assert read_log(view) == (before, LogLine("line 4"))
    view = view_of(tmp_path / "other", [Logged(28), Logged(35)], "".join(f"line {n}\n" for n in range(5)))
    assert read_log(view)[1:] == (LogLine("line 4", MOMENT + 1),)
    view = view_of(tmp_path / "bar", [], "\rtraining" * 100)  # one line without an end
    assert [line.text for line in read_log(view)[1:]] == ["training"]


def test_of_many_lines_a_page_has_the_last_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_details, "LOG_LINES", 2)
    view = view_of(tmp_path, [], "one\ntwo\nsix\n")
    said, *lines = [line.text for line in read_details(view).log]
    assert str(view.path / "log.txt") in said
    assert lines == ["two", "six"]
    monkeypatch.setattr(run_details, "LOG_LINES", 3)
    assert [line.text for line in read_details(view).log] == ["one", "two", "six"]


def test_events_that_are_read_from_near_their_end_give_no_wrong_time(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(run_views, "MOST_BYTES", 200)
    progress = [Progress("training", number, 100) for number in range(20)]
    view = view_of(tmp_path, [Logged(4), *progress, Logged(8), Logged(12)], "one\ntwo\nsix\n")
    assert read_log(view) == (LogLine("one"), LogLine("two"), LogLine("six", MOMENT + 22))
