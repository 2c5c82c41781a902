"""What the style sheet reads, and when."""

import asyncio
from pathlib import Path

import pytest
from textual.css import stylesheet

from kanji_tui.presentation.tabs import SCREENS
from kanji_tui.tui.app import Workbench


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
