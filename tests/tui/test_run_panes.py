"""The panes of one run: shown and hidden, the log followed and searched, the epochs read, the GPUs with reasons."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.widgets import Static

from kanji_tui.events import Energy, Failure, Gpu, Logged, Progress, State
from kanji_tui.system.numbers import clock
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.training import screen as training_screen
from kanji_tui.tui.training.epoch_table import EpochTable
from kanji_tui.tui.training.run_page import RunPage
from kanji_tui.tui.widgets.log_rows import log_rows
from kanji_tui.tui.widgets.log_tail import COMPARED, LogTail, lines_gone
from kanji_tui.workspace.run_log import read_log
from tests.tui.conftest import shows, text_of, until
from tests.tui.recorded import LIVE, MOMENT, epochs, train_spec, write_live, write_run
from tests.tui.test_training_screen import WIDE, add_events, opened


async def test_panes_are_shown_and_hidden_by_keys_and_palette(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert "─log" not in text_of(pilot)
        for key, name in (("C", "─loss"), ("T", "─epochs"), ("L", "─log"), ("G", "─GPU")):
            before = name in text_of(pilot)
            await pilot.press(key)
            await until(pilot, lambda name=name, before=before: (name in text_of(pilot)) is not before)
        assert "N/A" in text_of(pilot)  # it trained on a CPU
        await pilot.press("ctrl+p")
        await pilot.press(*"training curves")
        await shows(pilot, "Show or hide the curves")
        await pilot.press("enter")
        await shows(pilot, "─loss")


async def test_the_log_is_followed_and_searched(recorded: Path) -> None:
    run = write_live(recorded)
    run.log.write_text("".join(f"line {number}{' odd' if number % 50 == 7 else ''}\n" for number in range(200)))
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "line 199")
        with open(run.log, "a") as log:
            log.write("one more\n")
        add_events(run, Progress("training", 3100, 12000, "samples", "epoch 5 of 12", 1250.0, 41.0))
        await shows(pilot, "one more")
        await pilot.press("F", *"odd", "enter")
        await shows(pilot, "line 157 odd")
        assert "4 of 4" in text_of(pilot)
        await pilot.press("left_square_bracket")
        await shows(pilot, "line 107 odd")
        await pilot.press("right_square_bracket", "right_square_bracket")
        await shows(pilot, "line 7 odd")  # around the end to the first
        await pilot.press("F", "escape")
        await shows(pilot, "one more")
        app.screen.query_one(LogTail).focus()
        await pilot.press("home")
        await shows(pilot, "line 0")
        await pilot.press("end")
        await shows(pilot, "one more")


async def test_long_lines_and_reasons_are_wrapped_and_enter_opens_the_whole_log(recorded: Path) -> None:
    reason = (
        "the file ends in the middle of a record, which happens where a download was broken off " * 2 + "REMEDY"
    )
    story = [State("running"), Failure(reason, "do it again", 1), State("failed")]
    write_run(recorded, LIVE, train_spec(), "failed", story, "a long line of a traceback " * 8 + "ENDSHERE\n")
    app = Workbench()
    async with app.run_test(size=(80, 60)) as pilot:
        await pilot.press("3")
        await shows(pilot, "ENDSHERE")
        assert "REMEDY" in text_of(pilot)
        app.screen.query_one("#log").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunPage))
        await shows(pilot, "5 log")
        await shows(pilot, "ENDSHERE")
        assert app.screen.shown == "log"
        await pilot.press("y")
        assert "ENDSHERE" in app.clipboard
        assert "REMEDY" in str(app.screen.query_one("#head", Static).visual)


async def test_the_lines_of_a_log_have_their_times(recorded: Path) -> None:
    """On the screen where there is room, and on the page, wrapped beside the time; they are not copied."""
    long = "a long line that a library prints " * 6 + "ENDSHERE"
    story = [State("running"), *epochs(2), Logged(4 + len(long) + 1)]
    run = write_run(recorded, LIVE, train_spec(), "running", story, f"one\n{long}\n")
    time = clock(MOMENT + len(story) - 1)
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, f"{time} one")
        app.screen.query_one("#log").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunPage))
        await shows(pilot, f"{time} one")
        await shows(pilot, "ENDSHERE")
        first, *others = [row.strip("│ ") for row in text_of(pilot).splitlines() if "a library prints" in row]
        assert first.startswith(f"{time} a long line")
        assert others
        column = next(row for row in text_of(pilot).splitlines() if "one" in row).index("one")
        rows = [row for row in text_of(pilot).splitlines() if row.strip("│ ") == others[0]]
        assert [row.index(others[0]) for row in rows] == [column]
        await pilot.press("y")
        assert app.clipboard == f"one\n{long}"
        with open(run.log, "a") as log:
            log.write("two\n")
        add_events(run, Logged(run.log.stat().st_size))
        await shows(pilot, f"{clock(1767330000.0)} two")
    async with Workbench().run_test(size=(80, 24)) as pilot:
        await opened(pilot, "starting: loading torch")
        await pilot.press("L")
        await shows(pilot, "ENDSHERE")
        assert clock(1767330000.0) not in text_of(pilot), "there is no room for times"


async def test_a_reader_of_a_long_log_stays_where_they_read(recorded: Path) -> None:
    """Of a log over 200 kB the first lines are dropped at each news."""
    run = write_live(recorded)
    line = "line {} of something that is long enough to fill a log of two hundred thousand bytes in a while\n"
    run.log.write_text("".join(line.format(number) for number in range(3000)))
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "line 2999")
        await pilot.press("F", *"line 2500 ", "enter")
        await shows(pilot, "line 2500 of")
        before = [row for row in text_of(pilot).splitlines() if "of something" in row]
        with open(run.log, "a") as log:
            log.write("".join(line.format(number) for number in range(3000, 3100)))
        add_events(run, Progress("training", 3100, 12000, "samples", "epoch 5 of 12", 1250.0, 41.0))
        log_tail = app.screen.query_one(LogTail)
        title = str(log_tail.border_title)
        await until(pilot, lambda: str(log_tail.border_title) != title)  # other lines are before and after these
        assert [row for row in text_of(pilot).splitlines() if "of something" in row] == before
        assert "1 of 1" in text_of(pilot)
        await pilot.press("F", "escape")
        await shows(pilot, "line 3099")
        log_tail.focus()
        await pilot.press("home")
        await shows(pilot, "line 1 of")
        assert "line 0 of something" not in text_of(pilot)  # the log began with it
        app.screen.query_one("#runs").focus()
        await pilot.press("down")
        await shows(pilot, "kanjinet: 1,108,246 parameters")


async def test_a_hidden_log_is_not_read(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_live(recorded)
    run.log.write_text("what it printed\n")
    read = []
    monkeypatch.setattr(training_screen, "read_log", lambda view: read.append(view.name) or read_log(view))
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, "epoch 5 of 12")
        add_events(run, Progress("training", 3100, 12000, "samples", "epoch 5 of 12", 1250.0, 41.0))
        await shows(pilot, "41 s left")
        assert not read
        await pilot.press("L")
        await shows(pilot, "what it printed")
        assert read == [LIVE]


async def test_the_table_keeps_the_epoch_under_the_cursor(recorded: Path) -> None:
    run = write_live(recorded)
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "epoch 5 of 12")
        table = app.screen.query_one(EpochTable)
        add_events(run, epochs(5)[-1])
        await until(pilot, lambda: len(table.rows) == 5)
        assert table.current.key == "5"  # the newest, unless one has gone elsewhere
        table.focus()
        await pilot.press("down", "down")
        add_events(run, *epochs(7)[-2:])
        await until(pilot, lambda: len(table.rows) == 7)
        assert table.current.key == "3"


@given(
    st.lists(st.sampled_from(["a", "b", "epoch"]), max_size=60), st.integers(0, 70), st.lists(st.text(max_size=3))
)
def test_lines_gone_from_the_front_of_a_log_are_counted(old: list[str], gone: int, more: list[str]) -> None:
    numbered = tuple(f"{number} {word}" for number, word in enumerate(old))
    kept = numbered[gone:]
    found = lines_gone(numbered, (*kept, *more))
    if len(kept) >= min(COMPARED, len(numbered)):
        assert found == min(gone, len(numbered))
    assert lines_gone(numbered, (*numbered, *more)) == 0
    if numbered:
        assert lines_gone(numbered, tuple(more)) is None


async def test_gpus_are_shown_with_reasons(recorded: Path) -> None:
    run = write_live(recorded)
    mig = "utilisation (MIG is on): Not Supported; power: Not Supported"
    add_events(run, Gpu(1, "NVIDIA H200 MIG 1g", None, 2**30, 2**34, None, 44.0, reason=mig, energy=None))
    add_events(run, Energy("gpu 1"), Gpu(0, "NVIDIA H200", 0.5, 2**30, 2**37, 400.0, 50.0, energy=7200.0))
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "2 Wh")
        shown = text_of(pilot)
        assert "N/A  Not Supported (MIG is on)" in shown
        assert "NVIDIA H200 MIG 1g" in shown
        assert "50 %" in shown


@given(st.text(alphabet="ab 漢", max_size=200), st.integers(12, 30))
def test_a_line_of_a_log_is_whole_beside_its_time(line: str, width: int) -> None:
    rows = [row.plain for row in log_rows(line, "14:32:07 ", width)]
    assert "".join("".join(row[9:] for row in rows).split()) == "".join(line.split())
    assert all(cell_len(row) <= width for row in rows)
    assert [row[:9].strip() for row in rows] == ["14:32:07", *[""] * (len(rows) - 1)]


def test_words_of_a_log_stay_whole() -> None:
    rows = [row.plain.rstrip() for row in log_rows("other programs use this machine", "", 22)]
    assert rows == ["other programs use", "this machine"]
