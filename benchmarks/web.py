"""Measure `from kanji_tui import Recogniser`, the service and the web page.

    python benchmarks/web.py [--requests 20000] [--clients 32]

- Python: the time of the import with the first answer, in new processes; then of each further image, as an array,
  as a Pillow image and as a PNG file, and of each further drawing. The goal is that of 95 of 100 answers.
- Service: `kanji-tui serve` on loopback, asked by clients that each keep one connection and send the next image
  when the last answer has come. They run in this process, on the same cores. Its memory is that of its process.
- Page: what a browser loads, and in headless Chromium (Debian's, by Playwright) the time from the start of loading
  to the first answer, then from the end of each stroke to its answer. Needs npm once, for the runtime.

The images are drawings of characters of JIS level 1 by synthetic writers, 127 x 128 pixels. Prints Markdown; the
exit code is 1 where a goal is missed. What is not on this machine is said in its row.
"""

import argparse
import asyncio
import io
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil
from PIL import Image
from tables import machine, row, table

from kanji_tui import Recogniser
from kanji_tui.characters.character_sets import codes_of
from kanji_tui.data.strokes.stroke_writing import stroke_writing
from kanji_tui.errors import KanjiError
from kanji_tui.events import SilentReport

SEED = 20_000  # of writers that no training has
STARTS, ANSWERS, STROKES = 5, 400, 150
GOALS = {"import": 0.8, "image": 5, "serve": 150, "page": 7e6, "first": 2.0, "further": 50}
FIRST = "from kanji_tui import Recogniser; print(Recogniser().recognise({!r})[0].character)"
MOUTH = [[(0.2, 0.2), (0.2, 0.8)], [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8)], [(0.2, 0.8), (0.8, 0.8)]]


@dataclass
class Goals:
    """Prints a row each; `missed` counts the goals that were not met."""

    missed: int = 0

    def row(self, what: str, result: str, goal: str = "", met: bool = True) -> None:
        self.missed += not met
        row(what, result, goal, ("met" if met else "**missed**") if goal else "")


def percentile(values: list[float], share: float) -> float:
    return float(np.quantile(values, share))


def images(count: int) -> list[np.ndarray]:
    """Drawings, uint8 (127, 128), dark ink on white."""
    codes = codes_of("etl9g")[:: max(1, 3036 // count)][:count]
    written = stroke_writing(codes, SEED, SilentReport()).write(0, 0, len(codes))
    return [(255 - 17 * levels).astype(np.uint8) for levels in written]


# Python


def measure_python(goals: Goals, drawn: list[np.ndarray]) -> None:
    starts = []
    for _ in range(STARTS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", FIRST.format(MOUTH)], check=True, capture_output=True)
        starts.append(time.perf_counter() - began)
    first = statistics.median(starts)
    goals.row("Python: a new process, import and first answer", f"{first:.2f} s", "0.8 s", first <= GOALS["import"])
    recogniser = Recogniser()
    small = [255 - recogniser.prepare(levels) for levels in drawn]
    with TemporaryDirectory() as folder:
        given = {"drawing": [MOUTH], **forms("64x64", small, folder), **forms("127x128", drawn, folder)}
        for name, inputs in given.items():
            times = [seconds(recogniser, inputs[number % len(inputs)]) for number in range(ANSWERS)]
            middle, slow = 1000 * statistics.median(times), 1000 * percentile(times, 0.95)
            text = f"{middle:.1f} ms, 95th percentile {slow:.1f} ms"
            goals.row(f"Python: each further {name}", text, "5 ms", slow <= GOALS["image"])


def forms(size: str, drawn: list[np.ndarray], folder: str) -> dict[str, list[Any]]:
    """The images as arrays, as Pillow images and as PNG files in a folder."""
    files = [Path(folder, f"{size}-{number}.png") for number in range(len(drawn))]
    for file, levels in zip(files, drawn, strict=True):
        file.write_bytes(encode(levels))
    pillow = [Image.fromarray(levels) for levels in drawn]
    return {f"image of {size}": drawn, f"Pillow image of {size}": pillow, f"PNG file of {size}": files}


def seconds(recogniser: Recogniser, given: Any) -> float:
    began = time.perf_counter()
    recogniser.recognise(given)
    return time.perf_counter() - began


# the service


@contextmanager
def service(home: str) -> Iterator[tuple[psutil.Process, str]]:
    """`kanji-tui serve` in a folder: its process and address."""
    command = [sys.executable, "-m", "kanji_tui", "serve", "--port", "0"]
    process = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        address = ""
        while not address:
            line = process.stderr.readline()
            assert line, "the service did not start"
            found = re.search(r"serving .* on (http://\S+/)", line)
            address = found.group(1) if found else ""
        yield psutil.Process(process.pid), address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@dataclass
class Load:
    """What the clients saw: seconds of each answer, and how many were wrong or refused."""

    seconds: list[float] = field(default_factory=list)
    lost: int = 0
    memory: list[int] = field(default_factory=list)


async def ask(host: str, port: int, bodies: Iterator[bytes], load: Load) -> None:
    """One client: the next request when the last is answered."""
    reader, writer = await asyncio.open_connection(host, port)
    for body in bodies:
        began = time.perf_counter()
        writer.write(b"POST /v1/recognise HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(re.search(rb"content-length: (\d+)", head).group(1))
        answer = await reader.readexactly(length)
        load.seconds.append(time.perf_counter() - began)
        load.lost += not (head.startswith(b"http/1.1 200") and b'"candidates"' in answer)
    writer.close()


def measure_service(goals: Goals, drawn: list[np.ndarray], requests: int, clients: int) -> None:
    bodies = [encode(levels) for levels in drawn]
    load, tenth = Load(), max(1, requests // 10)
    with TemporaryDirectory() as home, service(home) as (process, address):
        host, port = address[7:-1].split(":")

        def give() -> Iterator[bytes]:
            for number in range(requests):
                if number % tenth == 0:
                    load.memory.append(process.memory_info().rss)
                yield bodies[number % len(bodies)]

        async def run() -> None:
            shared = give()
            await asyncio.gather(*(ask(host, int(port), shared, load) for _ in range(clients)))

        spent, began = sum(process.cpu_times()[:2]), time.perf_counter()
        asyncio.run(run())
        spent = sum(process.cpu_times()[:2]) - spent
        seconds = time.perf_counter() - began
        load.memory.append(process.memory_info().rss)
    rate = requests / seconds
    goals.row(
        f"serve: {requests:,} PNG images, {clients} clients at once",
        f"{rate:.0f} images/s, median {1000 * statistics.median(load.seconds):.0f} ms, "
        f"95th percentile {1000 * percentile(load.seconds, 0.95):.0f} ms",
        "150 images/s",
        rate >= GOALS["serve"],
    )
    goals.row("serve: processor time of an image", f"{1000 * spent / requests:.1f} ms")
    goals.row("serve: lost or refused", f"{load.lost} of {len(load.seconds):,}", "0", not load.lost)
    early, last = max(load.memory[1:3]), load.memory[-1]
    goals.row(
        "serve: memory after each tenth of them",
        ", ".join(f"{size / 2**20:.0f}" for size in load.memory[1:]) + " MiB",
        "flat: at most a tenth more at the end",
        last <= 1.1 * early,
    )


def encode(levels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    return file.getvalue()


# the page


def measure_page(goals: Goals) -> None:
    try:
        from kanji_tui.web.page import export_page
    except ImportError:
        goals.row("page", "not measured: the extra serve is not installed")
        return
    with TemporaryDirectory() as home:
        try:
            page = export_page(Path("built-in"), Path(home) / "page", "npm", SilentReport())
        except KanjiError as error:
            goals.row("page", f"not measured: {error.message}")
            return
        own = page.transferred_page + page.transferred_model
        goals.row("page: code, classes and model, transferred", f"{own / 1e6:.2f} MB", "7 MB", own <= GOALS["page"])
        goals.row("page: the runtime, transferred", f"{page.transferred_runtime / 1e6:.2f} MB more")
        with service(home) as (_, address):
            measure_browser(goals, address)


def measure_browser(goals: Goals, address: str) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        goals.row("page in Chromium", "not measured: Chromium or Playwright is not installed")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        firsts = [measure_first(browser, address) for _ in range(STARTS)]
        first = statistics.median(firsts)
        goals.row(
            "page: first answer after the start of loading",
            f"{first:.2f} s (of {len(firsts)}: {min(firsts):.2f}-{max(firsts):.2f} s)",
            "2 s",
            first <= GOALS["first"],
        )
        times = measure_strokes(browser, address)
        slow = percentile(times, 0.95)
        goals.row(
            f"page: each further answer, {len(times)} strokes",
            f"median {statistics.median(times):.0f} ms, 95th percentile {slow:.0f} ms",
            "50 ms",
            slow <= GOALS["further"],
        )
        browser.close()


# A stroke is drawn as soon as the pad is there; its answer is awaited in the page, by its own clock.
WAIT = """() => new Promise((resolve) => {
  const list = document.getElementById("candidates");
  const done = () => list.childElementCount && resolve(performance.now());
  new MutationObserver(done).observe(list, { childList: true });
  done();
})"""
STROKE = """([points]) => new Promise((resolve) => {
  const pad = document.getElementById("pad"), list = document.getElementById("candidates");
  const box = pad.getBoundingClientRect();
  pad.setPointerCapture = () => {};
  const send = (kind, [x, y]) => pad.dispatchEvent(new PointerEvent(kind, { pointerId: 1, button: 0,
    pointerType: "pen", bubbles: true, clientX: box.left + x * box.width, clientY: box.top + y * box.height }));
  send("pointerdown", points[0]);
  for (const point of points.slice(1, -1)) send("pointermove", point);
  const began = performance.now();
  const observer = new MutationObserver(() => { observer.disconnect(); resolve(performance.now() - began); });
  observer.observe(list, { childList: true });
  send("pointerup", points[points.length - 1]);
})"""


def measure_first(browser: Any, address: str) -> float:
    """Seconds from the start of loading to the first answer, in a browser that has nothing in its cache."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 200, steps=3)
    page.mouse.up()
    milliseconds: float = page.evaluate(WAIT)
    context.close()
    return milliseconds / 1000


def measure_strokes(browser: Any, address: str) -> list[float]:
    """Milliseconds from the end of each stroke to its candidates on the page."""
    from playwright.sync_api import expect

    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#status")).to_have_text("Draw one character.", timeout=60_000)
    random = np.random.default_rng(1)
    times = []
    for number in range(STROKES + 1):
        if number % 12 == 0:
            page.locator("#clear").click(force=True) if number else None
        steps = random.normal(0, 0.03, (40, 2)).cumsum(axis=0)
        points = (random.uniform(0.3, 0.7, 2) + steps).clip(0.02, 0.98)
        times.append(page.evaluate(STROKE, [points.tolist()]))
    context.close()
    return times[1:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--clients", type=int, default=32)
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print(machine(), end="\n\n")
    table("figure", "result", "goal", "")
    goals, drawn = Goals(), images(200)
    measure_python(goals, drawn)
    measure_service(goals, drawn, args.requests, args.clients)
    measure_page(goals)
    print(json.dumps({"missed": goals.missed}), file=sys.stderr)
    return int(goals.missed > 0)


if __name__ == "__main__":
    sys.exit(main())
