"""Measure the workbench on a terminal: first paint, first visits, idle and busy output, key to paint, a stall.

    python benchmarks/terminal.py [--folder DIR]

Runs the workbench on a pseudo-terminal of 120x40 with a prepared synthetic sample; a training on all cores runs
during the last figures. A key counts as painted with the first output after it, where 30 ms without output came
before the key. Prints Markdown; the exit code is 1 where a goal is missed. Run it on a quiet machine; the output
states the load.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pseudo_terminal import OnTerminal
from tables import machine, row, table

PAINTS = 7
REST_SECONDS = 30.0
WORK_SECONDS = 30.0
KEYS = 200
STALL_SECONDS = 8.0
VISIT_BYTES = 40_000
BARE_MARK, OURS_MARK = "a bare app", "Preflight"
BARE = f"""
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("{BARE_MARK}")

Bare().run()
"""
WORKBENCH = ("-m", "kanji_tui")


def make_home(home: Path) -> None:
    """Prepare a synthetic sample and train one epoch, for the screens to show."""
    for arguments in (
        ("sample", "--classes", "200", "--sets", "12"),
        ("prepare",),
        ("train", "--epochs", "1", "--recipe", "quick"),
    ):
        subprocess.run([sys.executable, *WORKBENCH, *arguments], cwd=home, check=True, capture_output=True)


def first_paint(home: Path) -> tuple[float, float]:
    """Seconds from exec to the first text, median of several: a bare Textual app, and the workbench, in turns."""
    bare, ours = [], []
    for _ in range(PAINTS):
        for times, arguments, mark in ((bare, ("-c", BARE), BARE_MARK), (ours, WORKBENCH, OURS_MARK)):
            with OnTerminal(home, *arguments) as app:
                times.append(app.wait_for(mark, 20))
    return statistics.median(bare), statistics.median(ours)


def first_visits(home: Path) -> list[tuple[str, int]]:
    """(screen, bytes until nothing more comes) of the first visit of each; of the first one from the start on."""
    found = []
    with OnTerminal(home, *WORKBENCH) as app:
        for key, screen in enumerate(("preflight", "dataset", "training", "inspector", "browser", "draw"), start=1):
            before = app.received
            if key > 1:
                app.keys(str(key))
            app.settle(quiet=4, longest=30)  # Preflight's children answer late
            found.append((screen, app.received - before))
    return found


def at_rest(home: Path) -> list[tuple[str, float, float]]:
    """(place, bytes a second, share of a core) with nothing to do: at the start, on two screens, in an input."""
    found = []
    with OnTerminal(home, *WORKBENCH) as app:
        app.drain(12)  # first paint and its look at the machine are over
        for place, keys in (
            ("preflight", ""),
            ("training", "3"),
            ("browser", "5"),
            ("browser, in its search", "/"),
        ):
            app.keys(keys)
            app.drain(4)
            used = app.seconds_used()
            sent = app.drain(REST_SECONDS)
            found.append((place, sent / REST_SECONDS, (app.seconds_used() - used) / REST_SECONDS))
    return found


def key_times(app: OnTerminal) -> list[float]:
    """Seconds from each key to the first bytes that follow: lists up and down, screens to and fro."""
    times = []
    for number in range(KEYS):
        app.settle(quiet=0.03, longest=2)
        began = time.perf_counter()
        app.keys("jk3535"[number % 6])
        if app.read(2):
            times.append(time.perf_counter() - began)
    return times


def stall(app: OnTerminal) -> tuple[float, int]:
    """After so long of reading nothing, a key pressed meanwhile: seconds to its screen, bytes it took."""
    app.keys("3")
    app.settle(quiet=0.2, longest=3)
    time.sleep(STALL_SECONDS / 2)
    app.keys("1")
    time.sleep(STALL_SECONDS / 2)
    before = app.received
    seconds = app.wait_for("details and remedy", 10)
    return seconds, app.received - before


def start_training(home: Path) -> str:
    line = [sys.executable, *WORKBENCH, "train", "--epochs", "500", "--detach", "--json"]
    done = subprocess.run(line, cwd=home, check=True, capture_output=True, text=True)
    run: str = json.loads(done.stdout)["run"]
    return run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    arguments = parser.parse_args()
    print(f"Terminal, {datetime.now(UTC):%Y-%m-%d}, {machine()}.\n", flush=True)
    missed = 0

    def figure(what: str, result: str, goal: str, met: bool) -> None:
        nonlocal missed
        missed += not met
        row(what, result, goal, "met" if met else "**missed**")

    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="kanji-tui-benchmark-") as name:
        home = Path(name)
        make_home(home)
        table("measurement", "result", "goal", "")
        bare, ours = first_paint(home)
        ratio = ours / bare
        figure(
            "first paint", f"{ours:.2f} s, {ratio:.2f} times a bare app's {bare:.2f} s", "1.5 times", ratio <= 1.5
        )
        for screen, sent in first_visits(home):
            figure(f"first visit: {screen}", f"{sent:,} bytes", f"{VISIT_BYTES:,} bytes", sent < VISIT_BYTES)
        for place, sent, share in at_rest(home):
            found = f"{sent:.0f} B/s, {share:.1%} of a core"
            figure(f"at rest: {place}", found, "0 B/s, 1 %", sent == 0 and share < 0.01)
        run = start_training(home)
        try:
            time.sleep(10)
            with OnTerminal(home, *WORKBENCH) as app:
                app.drain(8)
                app.keys("3")
                app.drain(4)
                sent = app.drain(WORK_SECONDS) / WORK_SECONDS
                figure("a training on screen", f"{sent:,.0f} B/s", "15,000 B/s", sent <= 15_000)
                times = sorted(key_times(app))
                slow = times[int(0.95 * len(times))]
                found = f"{1000 * slow:.0f} ms (median {1000 * statistics.median(times):.0f}, {len(times)} keys)"
                figure("key to paint, 95th percentile, training on all cores", found, "50 ms", slow <= 0.05)
                seconds, sent = stall(app)
                found = f"{seconds:.2f} s, {sent:,} bytes"
                figure(f"catching up after {STALL_SECONDS:.0f} s unread", found, "at once", seconds <= 0.5)
        finally:
            subprocess.run([sys.executable, *WORKBENCH, "stop", run], cwd=home, capture_output=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
