"""Pictures of every screen for the README, taken from the running workbench.

    python scripts/screenshots.py FOLDER [--output-dir docs/screens] [--size 120x36]

FOLDER is a work folder with a dataset and a finished training (`kanji-tui demo` leaves one in demo/). What is still
missing for a full picture, predictions and an export, is made there by the same keys a person would press.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAIT_SECONDS = 180.0
DRAWN = (  # 田, strokes of (x, y), 0-1
    ((0.2, 0.15), (0.2, 0.85)),
    ((0.2, 0.15), (0.8, 0.15), (0.8, 0.85)),
    ((0.5, 0.15), (0.5, 0.85)),
    ((0.2, 0.5), (0.8, 0.5)),
    ((0.2, 0.85), (0.8, 0.85)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output-dir", type=Path, default=Path("docs/screens"))
    parser.add_argument("--size", default="120x36")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        raise SystemExit(f"there is no folder {arguments.folder}: make one with kanji-tui demo")
    output = arguments.output_dir.resolve()
    output.mkdir(parents=True, exist_ok=True)
    os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
    os.environ.pop("NO_COLOR", None)
    os.environ["XDG_CONFIG_HOME"] = "/nonexistent"  # the look is ours, not the one somebody chose
    os.chdir(arguments.folder)
    width, height = (int(side) for side in arguments.size.split("x"))
    asyncio.run(take(output, (width, height)))


async def take(output: Path, size: tuple[int, int]) -> None:
    """Walk through the screens and save each once it shows what it is for."""
    from kanji_tui.tui.app import Workbench
    from kanji_tui.tui.widgets.drawing_pad import DrawingPad

    app = Workbench()
    async with app.run_test(size=size) as pilot:

        async def until(holds: Callable[[], Any]) -> None:
            deadline = time.monotonic() + WAIT_SECONDS
            while not holds():
                if time.monotonic() > deadline:
                    raise SystemExit(f"the screen {app.front} never showed what was waited for")
                await pilot.pause(0.1)
            await pilot.pause(0.5)

        def save(name: str) -> None:
            app.clear_notifications()
            path = output / f"{name}.svg"
            # Without this some renderers swallow the spaces a line begins with.
            path.write_text(
                app.export_screenshot().replace("<svg ", '<svg xml:space="preserve" ', 1), encoding="utf-8"
            )
            print(path)

        await until(lambda: app.state.place is not None)
        if app.state.place is None or app.state.place.model is None:
            raise SystemExit(f"{Path.cwd()} holds no trained model: make one with kanji-tui demo")
        await until(lambda: not app.screen._waiting)  # type: ignore[attr-defined]
        await pilot.press("down", "down", "down")
        await pilot.pause(0.5)
        save("preflight")

        await pilot.press("2")
        await until(lambda: app.screen.query_one("#glyphs")._glyphs)  # type: ignore[attr-defined]
        save("dataset")

        await pilot.press("3")
        await until(lambda: app.screen.query_one("#epochs").rows)  # type: ignore[attr-defined]
        await pilot.pause(1.5)
        save("training")
        if not app.state.place.onnx:
            await pilot.press("e", "enter")
            await until(lambda: app.state.place and app.state.place.onnx)

        await pilot.press("4")
        await until(lambda: app.screen.query_one("#models").rows)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(lambda: app.screen.query_one("#nodes").rows)  # type: ignore[attr-defined]
        save("inspector")

        await pilot.press("5")
        await until(lambda: app.screen._catalogue)  # type: ignore[attr-defined]
        if app.screen._catalogue.predicted != "all":  # type: ignore[attr-defined]
            await pilot.press("p")
            await until(lambda: app.screen._catalogue.predicted == "all")  # type: ignore[attr-defined]
        await pilot.press("down", "down", "down", "enter", "w")
        await pilot.pause(1.0)
        save("browser")

        await pilot.press("6")
        await until(lambda: app.screen._model)  # type: ignore[attr-defined]
        app.screen.query_one(DrawingPad).draw(DRAWN)
        await until(lambda: app.screen._candidates)  # type: ignore[attr-defined]
        save("draw")


if __name__ == "__main__":
    main()
