"""All steps by keys alone, on a synthetic sample, with real jobs."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from kanji_tui.tui.app import Workbench
from kanji_tui.tui.shell.form import FormScreen
from kanji_tui.tui.widgets.drawing_pad import DrawingPad
from tests.tui.conftest import press_and_say_yes, shows, text_of, until


@pytest.fixture(autouse=True)
def no_slow_checks(forked_children: None) -> None:
    """Preflight's children are the real ones here."""


async def fill(pilot, **values: str) -> None:
    """Type into the fields of the open form."""
    await until(pilot, lambda: isinstance(pilot.app.screen, FormScreen))
    for name, value in values.items():
        field = pilot.app.screen.query_one(f"#{name}")
        field.focus()
        await pilot.pause()
        if isinstance(field, Input):
            await pilot.press("ctrl+u", *value)
        else:
            while field.value != value:
                await pilot.press("right")


class Needed:
    """Presses the keys without which one does not get to a drawing that is read, and counts them.

    What is typed into forms only makes the jobs small; enter alone takes the defaults.
    """

    def __init__(self, pilot: Pilot) -> None:
        self._pilot = pilot
        self.count = 0

    async def press(self, *keys: str) -> None:
        self.count += len(keys)
        await self._pilot.press(*keys)


async def test_from_an_empty_folder_to_a_drawing(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        needed = Needed(pilot)
        await shows(pilot, "press 2, then n for a synthetic sample")

        await needed.press("2", "n")
        await fill(pilot, classes="12", sets="16")
        assert "not handwriting" in text_of(pilot)
        await needed.press("enter")
        await shows(pilot, "press p to prepare a dataset")
        assert len(list(Path("ETL9G").glob("ETL9G_*"))) == 4

        await needed.press("p")
        await fill(pilot, size="32")
        await needed.press("enter")
        await shows(pilot, "48 prepared")
        assert "synthetic, not handwriting" in text_of(pilot)
        await pilot.press("v")
        await shows(pilot, "press 3, then n to train on it")

        await needed.press("3", "n")
        await fill(pilot, network="v1", epochs="2", batch_size="16")
        await needed.press("enter")
        await until(pilot, lambda: [view.state for view in app.state.of("train")] == ["finished"])
        await shows(pilot, "published")
        assert Path("models/best_kanji_model.pth").is_file()

        await pilot.press("e", "enter")
        await until(pilot, lambda: list(Path("models").glob("*_tract.onnx")))
        await pilot.press("4")
        await shows(pilot, "press enter to inspect the file")
        await pilot.press("enter")
        await shows(pilot, "nodes tested")
        assert "Conv" in text_of(pilot)

        await pilot.press("5")
        await shows(pilot, "press n to predict all samples")
        await pilot.press("n")
        await shows(pilot, "train too")
        await until(pilot, lambda: app.screen.query_one("#bars").content_size.height == 5)
        await pilot.press("enter")
        await pilot.press("o")
        await shows(pilot, "by confidence")

        await needed.press("6")
        await until(pilot, lambda: app.screen.query_one("#model-details").content_size.height >= 4)
        await needed.press("space", *["down"] * 6, "space")
        await until(pilot, lambda: len(app.screen.query_one("#candidates").rows) == 10)
        assert "classes  12" in text_of(pilot)  # of the model that was trained
        assert needed.count <= 18
        assert "stroke" in text_of(pilot)
        await pilot.press("w", *"4544")
        await shows(pilot, "田 4544")
        await pilot.press("enter")
        await until(pilot, lambda: list(Path("samples/田").glob("*.png")))
        await until(pilot, lambda: isinstance(app.focused, DrawingPad))  # until then a digit is a label

        await pilot.press("1")
        await shows(pilot, "torch imports")


async def test_stop_and_resume_by_keys(home: Path, recorded_once: Path) -> None:
    (home / "dataset").symlink_to(recorded_once / "dataset")
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "press 3, then n to train one")
        await pilot.press("3", "n")
        await fill(pilot, network="v1", epochs="4000", batch_size="16")
        await pilot.press("enter")
        await until(pilot, lambda: any(view.epochs for view in app.state.runs.values()))
        await press_and_say_yes(pilot, "s")
        await shows(pilot, "stopped: press u")
        first = next(iter(app.state.runs.values()))
        assert (first.path / "last.ckpt").is_file()
        await press_and_say_yes(pilot, "u")
        done = [epoch.epoch for epoch in first.epochs]
        await until(pilot, lambda: any(len(view.epochs) > len(done) for view in app.state.active("train")))
        resumed = app.state.active("train")[0]
        assert [epoch.epoch for epoch in resumed.epochs][: len(done) + 1] == [*done, done[-1] + 1]
        await press_and_say_yes(pilot, "s")
        await until(pilot, lambda: not app.state.active())
        assert [view.state for view in app.state.of("train")] == ["stopped", "stopped"]
