"""The line that says what the model was made from stands on the screens that use one; a broken link is red."""

from pathlib import Path

import pytest

from kanji_tui.tui.app import Workbench
from kanji_tui.tui.widgets.lineage_line import LineageLine
from tests.tui.conftest import shows, until
from tests.tui.recorded import RUN
from tests.workspace.test_lineage import with_lineage


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_dataset_browser_and_drawing_pad_show_the_line(
    recorded: Path, no_recogniser: None, size: tuple[int, int]
) -> None:
    _, origin = with_lineage(recorded)
    app = Workbench()
    async with app.run_test(size=size) as pilot:
        for key in ("2", "5", "6"):
            await pilot.press(key)
            await shows(pilot, f"dataset {origin.dataset[:4]}")
        await pilot.press("5")
        await shows(pilot, f"run {RUN[:15]}")
        path = recorded / "ETL9G" / "ETL9G_02"
        path.write_bytes(path.read_bytes()[:-8199])
        await until(pilot, lambda: app.state.workspace.changed)
        await until(pilot, lambda: any("changed since" in link or "!" in link for link in red(app)))


def red(app: Workbench) -> list[str]:
    """The links in the colour of errors."""
    line = app.screen.query_one(LineageLine).render()
    return [line.plain[span.start : span.end] for span in line.spans if span.style == "$error"]
