"""The charts of a run's load: machine and run, and nothing for what a run did not report."""

from dataclasses import replace
from pathlib import Path

from kanji_tui.events import Failure
from kanji_tui.presentation.document import text_of
from kanji_tui.presentation.run_page import load_charts, page_head, whole_note
from kanji_tui.runs.about import About
from kanji_tui.workspace.lineage import Link
from kanji_tui.workspace.run_curves import LoadPoint
from kanji_tui.workspace.run_views import RunView

MEBIBYTE = 2.0**20


def view(*loads: LoadPoint) -> RunView:
    return RunView("20260102T030405-train-1", Path("run"), "train", loads=loads)


def test_the_load_is_that_of_the_machine_and_of_the_run() -> None:
    first = LoadPoint(0.0, 0.9, 0.5, 0.75, 0.25, MEBIBYTE, 2 * MEBIBYTE, 3 * MEBIBYTE, 4 * MEBIBYTE)
    found = load_charts(view(first, LoadPoint(5.0, 1.0, 0.6, 0.8, 0.3, 0.0, 0.0, 0.0, 0.0)))
    assert [
        (chart.title, chart.percent, [(each.name, each.mark, each.points) for each in chart.series])
        for chart in found
    ] == [
        ("CPU", True, [("machine", "m", ((0.0, 0.9), (5.0, 1.0))), ("run", "r", ((0.0, 0.5), (5.0, 0.6)))]),
        ("memory", True, [("machine", "m", ((0.0, 0.75), (5.0, 0.8))), ("run", "r", ((0.0, 0.25), (5.0, 0.3)))]),
        ("disk MiB/s", False, [("read", "r", ((0.0, 1), (5.0, 0))), ("written", "w", ((0.0, 2), (5.0, 0)))]),
        ("network MiB/s", False, [("in", "i", ((0.0, 3), (5.0, 0))), ("out", "o", ((0.0, 4), (5.0, 0)))]),
    ]
    assert all(chart.window == (0.0, 5.0) for chart in found)


def test_nothing_is_drawn_for_what_an_older_run_did_not_report() -> None:
    older = LoadPoint(0.0, 0.9, None, 0.75, 0.25, MEBIBYTE, None, None, None)
    cpu, memory, disk, network = load_charts(view(older))
    assert [(each.name, each.mark) for each in cpu.series] == [("machine", "")]
    assert [each.name for each in memory.series] == ["machine", "run"]
    assert [each.name for each in disk.series] == ["read"]
    assert network.series == ()


def test_a_long_note_and_many_parts_leave_room_for_failure_and_lineage() -> None:
    long = replace(view(), about=About("wide", "smoothing " * 400), failure=Failure("it broke", "again"))
    parts = [replace(view(), name=f"2026010{day}T030405-train-1") for day in range(1, 10)]
    identity, failure, lineage, names, note = map(text_of, page_head(long, parts, [Link("run", "x")]))
    assert "wide" in identity
    assert failure == "it broke  again"
    assert lineage == "run x"
    assert names.startswith("9 parts: 1. 20260101T030405-train-1 (starting), ..., 7. 20260107")
    assert len(note) < 250
    assert whole_note(long) == long.about.note
    short = replace(long, about=About("wide", "smoothing"))
    assert text_of(page_head(short, parts, ())[-1]) == "smoothing"
    assert not whole_note(short)
