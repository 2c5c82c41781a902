"""Measure the program in a home with 500 runs, one of which has 10,000 epochs and 100,000 lines of log.

    python benchmarks/many_runs.py [--folder DIR] [--runs N]

CPU at rest from five seconds after the start, first paint beside that in an empty home, `kanji-tui runs`, the
growth of the workbench's memory over 1,000 refreshes of the workspace, and `--once` beside a run whose events are
1 GB. Prints Markdown; the exit code is 1 where a goal is missed. Commands are judged by their seconds of CPU, which
others at work change little. Run it on a quiet machine all the same; the output states the load.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pseudo_terminal import OnTerminal
from tables import machine, row, table

from kanji_tui.events import Epoch, Event, Gpu, Progress, State, to_json
from kanji_tui.runs.run_directory import status_of_this_process
from kanji_tui.workspace.run_views import Watch
from kanji_tui.workspace.snapshot import read_workspace

RUNS, LONG_EPOCHS, LOG_LINES = 500, 10_000, 100_000
EPOCHS, PROGRESS = 30, 10  # of an ordinary run, and lines of progress in each of its epochs
HUGE = 10**9
PAINTS, CALLS, REFRESHES = 5, 5, 1_000
STARTED, REST_SECONDS = 5.0, 20.0
WORKBENCH = ("-m", "kanji_tui")


def lines_of(epochs: int, progress: int) -> str:
    """The events of a finished training."""
    events: list[Event] = [State("running")]
    for number in range(1, epochs + 1):
        events += [
            Progress("training", step, progress, "samples", f"epoch {number}", 900.0, 60.0)
            for step in range(progress)
        ]
        events.append(Gpu(0, "NVIDIA H200", 0.8, 2**34, 2**37, 600.0, 60.0))
        loss = 3.0 / number
        events.append(Epoch(number, epochs, loss, 0.9, loss, 0.9, 0.95, 0.99, 1e-3, 2.0, 900.0, number % 3 == 0))
    events.append(State("finished"))
    return "".join(json.dumps(to_json(event, 1000.0)) + "\n" for event in events)


def write_run(runs: Path, number: int, events: str, log: str = "") -> Path:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    folder = runs / f"{moment:%Y%m%dT%H%M%S}-train-1"
    folder.mkdir(parents=True)
    config = {"job": "train", "entry": "kanji_tui.jobs.train:run", "spec": {"config": {"network": "kanjinet"}}}
    (folder / "config.yaml").write_text(json.dumps(config))
    (folder / "status.json").write_text(json.dumps(asdict(status_of_this_process("train", "finished"))))
    (folder / "events.jsonl").write_text(events)
    (folder / "log.txt").write_text(log)
    return folder


def make_home(home: Path, count: int) -> None:
    ordinary = lines_of(EPOCHS, PROGRESS)
    for number in range(count - 1):
        write_run(home / "models" / "runs", number, ordinary)
    log = "".join(f"line {number} of a long log\n" for number in range(LOG_LINES))
    write_run(home / "models" / "runs", count, lines_of(LONG_EPOCHS, PROGRESS), log)


def write_huge_run(runs: Path, number: int) -> None:
    """A run with 1 GB of events; written in blocks, for a child begins with the memory of who starts them."""
    block = lines_of(1, 0).splitlines(keepends=True)[-2] * 1000
    with open(write_run(runs, number, "") / "events.jsonl", "a") as file:
        for _ in range(HUGE // len(block)):
            file.write(block)


def first_paint(home: Path) -> float:
    with OnTerminal(home, *WORKBENCH) as app:
        return app.wait_for("Preflight", 60)


def at_rest(home: Path) -> float:
    """The share of a core that the workbench uses from so long after its start."""
    with OnTerminal(home, *WORKBENCH) as app:
        app.wait_for("Preflight", 60)
        app.drain(STARTED)
        used = app.own_seconds_used()
        app.drain(REST_SECONDS)
        return (app.own_seconds_used() - used) / REST_SECONDS


def command(home: Path, *arguments: str) -> tuple[float, float, float]:
    """Seconds of one call of the program, seconds of CPU in it, and the most memory, in MB."""
    line = [sys.executable, "-c", MEASURED, *arguments]
    began = time.perf_counter()
    done = subprocess.run(line, cwd=home, check=True, capture_output=True, text=True)
    used, memory = done.stderr.splitlines()[-1].split()
    return time.perf_counter() - began, float(used), int(memory) / 1024


MEASURED = """
import resource, sys
from kanji_tui.cli import main
code = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def growth(home: Path) -> float:
    """MB by which this process grows in 1,000 refreshes of what the workbench reads of a home."""
    watch, before = Watch(runs=home / "models" / "runs"), None

    def refresh() -> None:
        nonlocal before
        watch.list()
        watch.poll(60)
        before = read_workspace(before=before)

    for _ in range(20):
        refresh()
    began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(REFRESHES):
        refresh()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N")
    arguments = parser.parse_args()
    print(f"{arguments.runs} runs, {datetime.now(UTC):%Y-%m-%d}, {machine()}.\n", flush=True)
    missed = 0

    def figure(what: str, result: str, goal: str, met: bool) -> None:
        nonlocal missed
        missed += not met
        row(what, result, goal, "met" if met else "**missed**")

    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="kanji-tui-benchmark-") as name:
        empty, home = Path(name) / "empty", Path(name) / "home"
        empty.mkdir()
        make_home(home, arguments.runs)
        table("measurement", "result", "goal", "")
        paints = [(first_paint(empty), first_paint(home)) for _ in range(PAINTS)]
        bare, ours = (statistics.median(times) for times in zip(*paints, strict=True))
        figure(
            "first paint", f"{ours:.2f} s, {ours / bare:.2f} times an empty home's", "1.5 times", ours <= 1.5 * bare
        )
        bare, ours = at_rest(empty), at_rest(home)
        figure(
            f"CPU at rest, {STARTED:.0f} s after the first paint",
            f"{ours:.1%} of a core (empty home {bare:.1%})",
            "1 %",
            ours < 0.01,
        )
        seconds, used, _ = min(command(home, "runs") for _ in range(CALLS))
        figure("`kanji-tui runs`", f"{seconds:.2f} s, {used:.2f} s of CPU", "0.7 s of CPU", used < 0.7)
        grown = growth(home)
        figure(f"memory over {REFRESHES:,} refreshes", f"{grown:+.1f} MB", "20 MB", grown < 20)
        write_huge_run(home / "models" / "runs", arguments.runs + 1)
        for what, most in ((["runs"], 1.0), (["--once", "training"], 3.0)):
            seconds, used, memory = command(home, *what)
            figure(
                f"`kanji-tui {' '.join(what)}` beside 1 GB of events",
                f"{seconds:.2f} s, {used:.2f} s of CPU, {memory:.0f} MB",
                f"{most:.0f} s of CPU, 200 MB",
                used < most and memory < 200,
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
