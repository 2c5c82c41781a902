"""What the style sheet reads, and when."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.css import stylesheet
from textual.dom import DOMNode

from kanji_tui.presentation.tabs import SCREENS
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.shell.style_sheet import StyleSheet
from kanji_tui.tui.shell.top_bar import TopBar
from tests.tui.conftest import settled


def test_every_source_is_read_once_until_the_colours_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read: list[tuple[object, ...]] = []
    parse = stylesheet.parse

    def counted(*source: object, tie_breaker: int, **options: object) -> object:
        read.append((*source, tie_breaker))
        return parse(*source, tie_breaker=tie_breaker, **options)  # type: ignore[arg-type]

    async def visit() -> tuple[int, int]:
        app = Workbench()
        async with app.run_test(size=(120, 40)) as pilot:
            for digit in "12345612":
                await pilot.press(digit)
                await pilot.pause()
            visited = len(read)
            colour = app.screen.styles.background
            await pilot.press("f2")
            await pilot.pause()
            assert app.screen.styles.background != colour, "another theme has other colours"
            return visited, len(read)

    monkeypatch.setattr(stylesheet, "parse", counted)
    visited, after = asyncio.run(visit())
    assert len(set(read[:visited])) == visited, "no source was read twice"
    assert after > visited, "for other colours they were read anew"


def test_the_first_paint_reads_the_styles_of_its_own_screen_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def start() -> set[str]:
        app = Workbench()
        async with app.run_test(size=(120, 40)):
            return {Path(path).stem for path, _ in app.stylesheet.source if path.endswith(".tcss")}

    assert asyncio.run(start()) == {"app", next(iter(SCREENS))}


async def test_where_nothing_changed_nothing_is_styled_again_and_another_theme_reaches_every_screen(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    styled: list[DOMNode] = []
    apply = StyleSheet.apply

    def noted(sheet: StyleSheet, node: DOMNode, **how: Any) -> None:
        styled.append(node)
        apply(sheet, node, **how)

    monkeypatch.setattr(StyleSheet, "apply", noted)
    async with Workbench().run_test(size=(120, 40)) as pilot:
        first = pilot.app.screen
        await settled(pilot)
        own = set(first.walk_children(with_self=True))
        colour = first.styles.background
        styled.clear()
        await pilot.press("2")
        await settled(pilot)
        assert styled.count(pilot.app.screen.query_one(TopBar)) == 1, "those of the new screen were, once"
        assert not own.intersection(styled), "those of the screen before were not"
        styled.clear()
        await pilot.press("1")
        await settled(pilot)
        assert pilot.app.screen is first
        assert not styled, "a screen that comes back is as it was"
        await pilot.press("2", "f2", "1")
        await settled(pilot)
        assert first.styles.background == pilot.app.screen.styles.background != colour
        assert own <= set(styled)
