"""The page in Chromium: drawn by mouse, touch and keys, answers as in Python, no fault, no foreign request."""

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kanji_tui.characters.character_sets import codes_of
from kanji_tui.data.etl import pack_levels
from kanji_tui.data.resize import shrink
from kanji_tui.data.strokes.stroke_writing import stroke_writing
from kanji_tui.events import SilentReport
from kanji_tui.paths import BUILT_IN
from kanji_tui.recognition.models import open_model
from tests.drawn import DRAWN
from tests.web.conftest import PAGE, axe

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytest.importorskip("uvicorn", reason="the extra serve is not installed")
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium")

WAIT = 30_000  # ms; a loaded machine loads the page slowly
DESKTOP = {"viewport": {"width": 1200, "height": 860}, "permissions": ["clipboard-read", "clipboard-write"]}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


@pytest.fixture(scope="module")
def address(runtime: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of the built-in model, served by the command in an empty folder."""
    command = [sys.executable, "-m", "kanji_tui", "serve", "--port", "0"]
    home = tmp_path_factory.mktemp("served")
    with subprocess.Popen(
        command, cwd=home, env={**os.environ, **runtime}, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            found = re.search(r"serving the page and the API on (http://\S+/)", process.stderr.readline())
            assert found
            yield found.group(1)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def browser(runtime: dict[str, str]) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], env={**os.environ, **runtime}
        )
        yield opened
        opened.close()


@dataclass
class Opened:
    """A page in the browser, with all that it asked for and complained of."""

    page: Any
    context: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def shows(self, selector: str, text: str | re.Pattern[str]) -> None:
        sync_api.expect(self.page.locator(selector).first).to_have_text(text, timeout=WAIT)

    def points(self, stroke: Any) -> list[tuple[float, float]]:
        """The points of a stroke in 0-1, on the screen."""
        box = self.page.locator("#pad").bounding_box()
        return [
            (box["x"] + (0.1 + 0.8 * x) * box["width"], box["y"] + (0.1 + 0.8 * y) * box["height"])
            for x, y in stroke
        ]

    def draw(self, strokes: Any) -> None:
        for stroke in strokes:
            first, *others = self.points(stroke)
            self.page.mouse.move(*first)
            self.page.mouse.down()
            for point in others:
                self.page.mouse.move(*point, steps=5)
            self.page.mouse.up()


def open_page(browser: Any, address: str, **options: Any) -> Opened:
    context = browser.new_context(**options)
    found = Opened(context.new_page(), context)
    found.page.on("request", lambda request: found.requests.append(request.url))
    found.page.on("console", lambda message: found.complaints.append(message.text))
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.on("requestfailed", lambda request: found.complaints.append(f"failed: {request.url}"))
    found.page.goto(address)
    found.shows("#status", "Draw one character.")
    return found


@pytest.fixture(scope="module")
def on_desktop(browser: Any, address: str) -> Iterator[Opened]:
    found = open_page(browser, address, **DESKTOP)
    yield found
    found.context.close()


@pytest.fixture
def desktop(on_desktop: Opened, address: str) -> Iterator[Opened]:
    """The page in a large window, empty; afterwards nothing was asked of others, and there was no complaint."""
    page = on_desktop.page
    page.locator("#line").fill("")
    if page.locator("#clear").is_enabled():
        page.locator("#clear").click()
    page.evaluate("document.activeElement.blur()")
    on_desktop.complaints.clear()
    yield on_desktop
    assert [url for url in on_desktop.requests if not url.startswith(address)] == []
    assert on_desktop.complaints == []


def test_strokes_by_the_mouse_are_read_after_each(desktop: Opened) -> None:
    strokes = DRAWN["田"]
    for number, stroke in enumerate(strokes, start=1):
        desktop.draw([stroke])
        sync_api.expect(desktop.page.locator("#candidates li")).to_have_count(10, timeout=WAIT)
        assert desktop.page.locator("#undo").is_enabled(), number
    desktop.shows("#candidates .character", "田")
    desktop.shows("#status", re.compile(r"^田 \d+\.\d %$"))
    desktop.shows("#candidates .facts", "5 strokes · U+7530 · JIS 4544")
    desktop.shows("#model", "Recognised in your browser by the built-in model; nothing leaves this device.")
    desktop.shows("#candidates .readings", "デン た")
    texts = desktop.page.locator("#candidates .probability").all_inner_texts()
    assert all(re.fullmatch(r"\d+\.[1-9] %|[1-9]\d*\.0 %|< 0\.1 %", text) for text in texts), texts
    shares = [0 if text == "< 0.1 %" else float(text.removesuffix(" %")) for text in texts]
    assert shares == sorted(shares, reverse=True)
    desktop.page.locator("#undo").click()
    desktop.page.locator("#undo").click()
    desktop.draw(strokes[3:])
    desktop.shows("#candidates .character", "田")
    desktop.page.locator("#clear").click()
    desktop.shows("#status", "Draw one character.")
    assert desktop.page.locator("#candidates li").count() == 0
    desktop.page.locator("#undo").click()
    desktop.shows("#candidates .character", "田")


def test_picked_characters_stand_in_a_line_and_are_copied(desktop: Opened) -> None:
    page = desktop.page
    for character in "田口":
        mouth = [((0.2, 0.2), (0.2, 0.8)), ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8)), ((0.2, 0.8), (0.8, 0.8))]
        desktop.draw(DRAWN["田"] if character == "田" else mouth)
        desktop.shows("#candidates .character", character)
        if character == "口":
            desktop.shows("#candidates .lookalikes", "same shape: ロ")
            page.locator("#candidates .copy").first.click()
            desktop.shows("#status", "口 is copied.")
            assert page.evaluate("navigator.clipboard.readText()") == "口"
        page.locator("#candidates .pick").first.click()
        assert page.locator("#candidates li").count() == 0
    assert page.locator("#line").input_value() == "田口"
    page.locator("#copy-line").click()
    desktop.shows("#status", "田口 is copied.")
    assert page.evaluate("navigator.clipboard.readText()") == "田口"
    page.locator("#shorten").click()
    assert page.locator("#line").input_value() == "田"


@pytest.fixture(scope="module")
def phone(browser: Any, address: str) -> Iterator[Opened]:
    found = open_page(browser, address, **PHONE)
    yield found
    found.context.close()
    assert found.complaints == []


def test_on_a_phone_it_is_drawn_by_touch_and_fits(phone: Opened) -> None:
    phone.page.set_viewport_size(PHONE["viewport"])
    session = phone.context.new_cdp_session(phone.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        session.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        )

    for stroke in DRAWN["田"]:
        first, *others = phone.points(stroke)
        touch("touchStart", first)
        for point in others:
            touch("touchMove", point)
        touch("touchEnd")
    phone.shows("#candidates .character", "田")
    assert phone.page.evaluate("[document.documentElement.scrollWidth, innerWidth, scrollY]") == [390, 390, 0]
    box = phone.page.locator("#candidates li").first.bounding_box()
    assert box["y"] + box["height"] < 844  # seen without scrolling
    for button in phone.page.locator("button:visible").all():
        assert min(button.bounding_box()[side] for side in ("width", "height")) >= 40
    phone.page.locator("#candidates .pick").first.tap()
    sync_api.expect(phone.page.locator("#line")).to_have_value("田")


def test_keys_alone_suffice(desktop: Opened) -> None:
    press = desktop.page.keyboard.press
    for _ in range(10):
        press("Tab")
        if desktop.page.evaluate("document.activeElement.id") == "pad":
            break
    assert desktop.page.evaluate("document.activeElement.id") == "pad"

    def go(*keys: str) -> None:
        for key in keys:
            press(key)

    left, right, up, down = (["Shift+Arrow" + name] for name in ("Left", "Right", "Up", "Down"))
    go(*3 * left, "Space", *6 * right, "Space", *3 * left, *3 * up, "Space", *6 * down, "Space")
    desktop.shows("#candidates .character", "十")
    press("Backspace")
    desktop.shows("#candidates .character", re.compile("^[一ー―－]$"))
    go("Escape", *3 * up, "Space", *6 * down, "Space", *3 * up, *3 * left, "Space", *6 * right, "Space")
    desktop.shows("#candidates .character", "十")
    press("Enter")
    assert desktop.page.locator("#line").input_value() == "十"
    assert desktop.page.evaluate("document.activeElement.id") == "pad"
    go(*3 * left, "Space", *6 * right, "Space")
    desktop.shows("#candidates .character", re.compile("^[一ー―－]$"))
    go("Tab", "Tab", "Tab", "Enter")  # undo, clear, the first candidate
    assert desktop.page.locator("#line").input_value()[1:] in "一ー―－"
    assert desktop.page.evaluate("document.activeElement.id") == "pad"
    for _ in range(10):
        press("Shift+Tab")
        if desktop.page.evaluate("document.activeElement.id") == "shorten":
            break
    go("Enter", "Enter")
    assert desktop.page.locator("#line").input_value() == ""


def test_the_keys_work_after_a_stroke_of_the_mouse_was_broken_off(desktop: Opened) -> None:
    (x, y), (right, down) = desktop.points([(0.2, 0.2), (0.7, 0.7)])
    desktop.page.mouse.move(x, y)
    desktop.page.mouse.down()
    desktop.page.keyboard.press("Escape")
    desktop.page.mouse.up()
    assert desktop.page.locator("#clear").is_disabled()
    desktop.page.keyboard.press("Space")
    desktop.page.mouse.move(right, down)
    desktop.page.keyboard.press("Space")
    assert desktop.page.locator("#clear").is_enabled()
    desktop.page.keyboard.press("Control+Shift+Z")  # to do again, which is no undo
    assert desktop.page.locator("#clear").is_enabled()


def test_a_stroke_whose_end_is_not_seen_ends_there(desktop: Opened) -> None:
    start, end, after = desktop.points([(0.2, 0.2), (0.5, 0.2), (0.5, 0.8)])
    desktop.page.mouse.move(*start)
    desktop.page.mouse.down()
    desktop.page.mouse.move(*end)
    desktop.page.evaluate("document.getElementById('pad').releasePointerCapture(1)")
    desktop.page.mouse.move(*after)  # draws nothing
    assert desktop.page.locator("#clear").is_enabled()
    desktop.page.mouse.up()
    desktop.shows("#candidates .character", re.compile("^[一ー―－]$"))


def test_without_a_clipboard_copying_keeps_the_focus(desktop: Opened) -> None:
    desktop.draw(DRAWN["田"])
    desktop.shows("#candidates .character", "田")
    desktop.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})")
    desktop.page.locator("#candidates .copy").first.focus()
    desktop.page.keyboard.press("Enter")
    desktop.shows("#status", "田 is copied.")
    assert desktop.page.evaluate("document.activeElement.className") == "copy"
    desktop.page.evaluate("delete navigator.clipboard")


@pytest.mark.parametrize("size", [(667, 375), (844, 390), (640, 360)])
def test_in_a_low_window_the_pad_is_seen_as_a_whole(phone: Opened, size: tuple[int, int]) -> None:
    """A phone on its side, 200 % zoom; with room to scroll beside the pad."""
    phone.page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    box = phone.page.locator("#pad").bounding_box()
    assert box["height"] == box["width"] < size[1] - 40
    assert box["x"] + box["width"] < size[0] - 100


def test_from_a_file_it_says_what_to_type(browser: Any) -> None:
    page = browser.new_page()
    page.goto(PAGE.joinpath("index.html").as_uri())
    sync_api.expect(page.locator("#status.problem")).to_contain_text("kanji-tui serve DIR", timeout=WAIT)
    page.close()


def test_it_works_with_the_network_cut(desktop: Opened) -> None:
    before = len(desktop.requests)
    desktop.context.set_offline(True)
    desktop.draw(DRAWN["研"])
    desktop.shows("#candidates .character", "研")
    desktop.context.set_offline(False)
    assert desktop.requests[before:] == []


def test_the_screen_readers_tree_is_sound(desktop: Opened) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: axe is not run")
    desktop.draw(DRAWN["田"])
    desktop.shows("#candidates .character", "田")
    tree = desktop.page.locator("main").aria_snapshot()
    assert 'textbox "Picked characters"' in tree
    assert 'button "Copy 田"' in tree
    assert re.search(r"status: 田 \d", tree)
    desktop.page.evaluate(axe(npm))
    found = desktop.page.evaluate("axe.run()")["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


READ_ALL = """async ([images, size]) => {
  const { Recogniser } = await import("/recogniser.js");
  const recogniser = await Recogniser.load(new URL("/", location.href));
  const bytes = Uint8Array.from(atob(images), (each) => each.charCodeAt(0));
  const side = size * size;
  let answer = "";
  for (let start = 0; start < bytes.length; start += side) {
    const logits = await recogniser.logits(bytes.slice(start, start + side));
    const raw = new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength);
    answer += Array.from(raw, (byte) => String.fromCharCode(byte)).join("");
  }
  return btoa(answer);
}"""


def test_200_images_are_answered_as_by_onnx_runtime_in_python(desktop: Opened) -> None:
    codes = codes_of("all")[::16][:200]
    written = stroke_writing(codes, 20_000, SilentReport()).write(0, 0, len(codes))
    images = shrink(pack_levels(written), 64)
    expected = open_model(BUILT_IN).logits(images)
    answered = desktop.page.evaluate(READ_ALL, [base64.b64encode(images.tobytes()).decode(), 64])
    found = np.frombuffer(base64.b64decode(answered), np.float32).reshape(200, -1)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert np.abs(found - expected).max() < 1e-3


def test_the_example_of_the_docs_answers_as_it_says(desktop: Opened) -> None:
    text = (Path(__file__).parents[2] / "docs" / "WEB.md").read_text("utf-8")
    (code,) = re.findall(r"```js\n(.*?)```", text, re.DOTALL)
    assert desktop.page.evaluate(f"async () => {{ {code} return best.character; }}") == "田"
    assert desktop.complaints.pop().startswith("田 4544 0.")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("model.onnx", "could not be loaded: /model.onnx is missing"),
        ("ort-wasm-simd-threaded.wasm", "could not be loaded: /ort-wasm-simd-threaded.wasm is missing"),
        ("ort.js", "A part of this page could not be loaded."),
        ("image.js", "A part of this page could not be loaded."),
    ],
)
def test_what_cannot_be_loaded_is_said_on_the_page(phone: Opened, address: str, file: str, expected: str) -> None:
    page = phone.context.new_page()
    page.route(f"**/{file}", lambda route: route.fulfill(status=404, body="gone"))
    page.goto(address)
    sync_api.expect(page.locator("#status.problem")).to_contain_text(expected, timeout=WAIT)
    page.close()


FAULTS = {
    "no WebAssembly": ("delete window.WebAssembly", "it needs WebAssembly"),
    "no SIMD": ("WebAssembly.validate = () => false", "it needs WebAssembly with SIMD"),
    "no memory": (
        "WebAssembly.instantiate = WebAssembly.instantiateStreaming = () => Promise.reject(new RangeError())",
        "There is not enough memory",
    ),
    "an older language": ("ResizeObserver = undefined", "This browser is too old"),
}


@pytest.mark.parametrize(("fault", "said"), FAULTS.values(), ids=FAULTS)
def test_what_keeps_the_page_from_working_is_said_on_it(phone: Opened, address: str, fault: str, said: str) -> None:
    page = phone.context.new_page()
    page.add_init_script(fault)
    page.goto(address)
    sync_api.expect(page.locator("#status.problem")).to_contain_text(said, timeout=WAIT)
    page.close()
