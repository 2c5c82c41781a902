"""Makes the screenshots of the README from the running workbench.

    python scripts/screenshots.py FOLDER [--output-dir docs/screens]

FOLDER is a workspace with a dataset and a finished training; `kanji-tui demo` makes one in demo/. Missing
predictions are made there. Writes a PNG of each screen and workbench.gif, which shows all of them.
"""

import argparse
import sys
import time
from pathlib import Path

import pyte
from PIL import Image
from terminal_image import draw

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import itertools

from pseudo_terminal import OnTerminal

COLUMNS, ROWS = 120, 36
WAIT_SECONDS = 240.0
COLOURS = 256
# 田 on the drawing pad, in shares of its side.
STROKES = (
    ((0.2, 0.15), (0.2, 0.85)),
    ((0.2, 0.15), (0.8, 0.15), (0.8, 0.85)),
    ((0.5, 0.15), (0.5, 0.85)),
    ((0.2, 0.5), (0.8, 0.5)),
    ((0.2, 0.85), (0.8, 0.85)),
)


class Workbench:
    """The workbench on a pseudo-terminal: sends keys, reads the screen, keeps frames with their durations."""

    def __init__(self, terminal: OnTerminal) -> None:
        self.terminal = terminal
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self.frames: list[tuple[Image.Image, float]] = []

    def read(self, seconds: float) -> None:
        """Read the screen's updates for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._stream.feed(self.terminal.read(left))

    def wait_for(self, text: str) -> None:
        """Read until the screen shows `text`."""
        until = time.monotonic() + WAIT_SECONDS
        while not any(text in line for line in self.screen.display):
            if time.monotonic() > until:
                raise SystemExit(f"the screen never showed '{text}':\n" + "\n".join(self.screen.display))
            self.read(0.1)
        self.read(0.6)

    def keys(self, *keys: str, seconds: float = 0.3) -> None:
        for key in keys:
            self.terminal.keys(key)
            self.read(seconds)

    def frame(self, seconds: float) -> None:
        """Keep the current screen as a frame of the animation."""
        self.frames.append((draw(self.screen), seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output-dir", type=Path, default=Path("docs/screens"))
    arguments = parser.parse_args()
    if not (arguments.folder / "models" / "best_kanji_model.pth").is_file():
        raise SystemExit(f"{arguments.folder} has no trained model: make one with kanji-tui demo")
    arguments.output_dir.mkdir(parents=True, exist_ok=True)
    with OnTerminal(arguments.folder, "-m", "kanji_tui", columns=COLUMNS, rows=ROWS) as terminal:
        bench = Workbench(terminal)
        for name in walk(bench):
            path = arguments.output_dir / f"{name}.png"
            draw(bench.screen).quantize(COLOURS).save(path, optimize=True)
            print(path)
    write_gif(bench.frames, arguments.output_dir / "workbench.gif")


def walk(bench: Workbench):
    """Go through the screens as a user would; yields the name of each screen when it is ready."""
    bench.wait_for("torch imports")
    bench.keys("\x1b[B", "\x1b[B", "\x1b[B")
    bench.frame(2.0)
    yield "preflight"

    bench.keys("2")
    bench.wait_for("classes")
    bench.read(1.5)
    bench.frame(2.0)
    yield "dataset"

    bench.keys("3")
    bench.wait_for("samples/s")
    bench.read(1.5)
    bench.frame(1.5)
    bench.keys("S")
    bench.frame(1.0)
    bench.keys("S", "S", "\x1b[D", "\x1b[D", "\x1b[D")
    bench.frame(1.5)
    bench.keys("0")
    yield "training"

    bench.keys("4")
    bench.wait_for("press enter to inspect")
    bench.keys("\r")
    bench.wait_for("Conv")
    bench.read(2.0)
    bench.frame(2.0)
    yield "inspector"

    bench.keys("5")
    bench.wait_for("samples")
    bench.read(2.0)
    if any("press n" in line.lower() for line in bench.screen.display):
        bench.keys("n")
        bench.read(20.0)
    bench.frame(1.2)
    bench.keys("\x1b[B", "\x1b[C", "\x1b[C", "\r")
    bench.read(1.0)
    bench.frame(1.0)
    bench.keys("h")
    bench.read(8.0)
    bench.frame(2.0)
    yield "browser"

    bench.keys("6")
    bench.wait_for("nothing drawn yet")
    bench.read(2.0)
    bench.frame(0.8)
    for stroke in STROKES:
        for step in mouse(bench, stroke):
            bench.keys(step, seconds=0.05)
        bench.read(0.6)
        bench.frame(0.7)
    bench.frame(2.5)
    yield "draw"


def mouse(bench: Workbench, stroke: tuple[tuple[float, float], ...]) -> list[str]:
    """A stroke as mouse reports of a terminal: press, moves, release. The pad is the square on the left."""
    top, height = 2, ROWS - 5
    cells = []
    for (x, y), (to_x, to_y) in itertools.pairwise(stroke):
        for step in range(13):
            share = step / 12
            across, down = x + (to_x - x) * share, y + (to_y - y) * share
            cells.append((3 + round(across * 2 * height), top + round(down * height)))
    first, *rest = dict.fromkeys(cells)
    moves = [f"\x1b[<32;{column};{row}M" for column, row in rest]
    last = rest[-1] if rest else first
    return [f"\x1b[<0;{first[0]};{first[1]}M", *moves, f"\x1b[<0;{last[0]};{last[1]}m"]


def write_gif(frames: list[tuple[Image.Image, float]], path: Path) -> None:
    """Write all frames with one palette, so that only the differences between frames are stored."""
    whole = Image.new("RGB", (frames[0][0].width, sum(image.height for image, _ in frames)))
    for number, (image, _) in enumerate(frames):
        whole.paste(image, (0, number * image.height))
    palette = whole.quantize(COLOURS)
    first, *others = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image, _ in frames]
    durations = [round(1000 * seconds) for _, seconds in frames]
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0, optimize=True)
    print(f"{path}: {len(frames)} frames, {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
