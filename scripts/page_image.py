"""Images of the web page for the README, from the page itself in Chromium: docs/screens/page.png, page_phone.png.

    python scripts/page_image.py

Needs the runtime in the cache (kanji-tui export web --runtime npm), Playwright, Chromium and the package kanjivg.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import expect, sync_playwright

from kanji_tui.data.strokes.kanjivg import FRAME, read_forms

SCREENS = Path(__file__).parents[1] / "docs" / "screens"
VIEWS: dict[str, dict[str, Any]] = {
    "page.png": {"viewport": {"width": 1060, "height": 860}},
    "page_phone.png": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
}
WAIT = 30_000  # ms


def draw(page: Any, character: str) -> None:
    """Draw a character by the mouse, with KanjiVG's strokes."""
    box = page.locator("#pad").bounding_box()
    for stroke in read_forms(character)[0]:
        points = (
            box["x"] + stroke.points[:, 0] / FRAME * box["width"],
            box["y"] + stroke.points[:, 1] / FRAME * box["height"],
        )
        first, *others = zip(*(values.tolist() for values in points), strict=True)
        page.mouse.move(*first)
        page.mouse.down()
        for point in others:
            page.mouse.move(*point)
        page.mouse.up()
    expect(page.locator("#candidates .character").first).to_have_text(character, timeout=WAIT)


def main() -> None:
    with TemporaryDirectory() as home, sync_playwright() as playwright:
        command = [sys.executable, "-m", "kanji_tui", "serve", "--port", "0"]
        with subprocess.Popen(command, cwd=home, stderr=subprocess.PIPE, text=True) as service:
            assert service.stderr is not None
            found = re.search(r"the page and the API on (http://\S+/)", service.stderr.readline())
            assert found, "the runtime is not in the cache: kanji-tui export web --runtime npm"
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name, view in VIEWS.items():
                page = browser.new_context(**view).new_page()
                page.goto(found.group(1))
                expect(page.locator("#status")).to_have_text("Draw one character.", timeout=WAIT)
                draw(page, "漢")
                page.locator("#candidates .pick").first.click()
                draw(page, "字")
                page.mouse.move(1, 1)
                page.screenshot(path=SCREENS / name)
            browser.close()
            service.terminate()


if __name__ == "__main__":
    main()
