"""Times before the lines of a log."""

import time
from collections.abc import Iterator

import pytest

from kanji_tui.presentation.log_lines import texts, times
from kanji_tui.presentation.training import training_screen
from kanji_tui.workspace.log_times import LogLine
from tests.presentation.test_training import view, words

NOON = 1767268800.0  # 2026-01-01 12:00:00 UTC


@pytest.fixture(autouse=True)
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


def test_a_time_is_local_and_what_has_none_is_in_line_with_the_others() -> None:
    assert times([LogLine("a", NOON), LogLine("b"), LogLine("c", NOON + 3605.9)]) == (
        "21:00:00 ",
        "         ",
        "22:00:05 ",
    )


def test_without_any_time_nothing_stands_before_the_lines() -> None:
    assert times([LogLine("a"), LogLine("b")]) == ("", "")
    assert times([]) == ()


def test_a_tab_is_four_cells() -> None:
    assert texts([LogLine("\tx", NOON)]) == ("    x",)


def test_the_screen_as_plain_text_has_the_times() -> None:
    output = words(training_screen([view()], [], (LogLine("older"), LogLine("newer  ", NOON)), ""))
    assert output.endswith("The last lines of its log:\n           older\n  21:00:00 newer")
