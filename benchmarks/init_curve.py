"""Measure accuracy by the number of samples to learn from, with `train --init built-in` and from random weights.

    python benchmarks/init_curve.py [--kmnist DIR] [--drawings DIR] [--recipe quick] [--seeds 2] [--folder DIR]

- KMNIST: 10 hiragana as cursive books of several centuries have them, 1,000 samples of each; a folder of npz files.
- Drawings: a folder with a folder of PNG files for each of 100 characters, 7 or 8 samples of each.

Each training is `kanji-tui train`, kanjinet at 64 pixels, as its own process: it learns from the first samples of
every class in an order that the seed decides, chooses its epoch by the next few, and is tested on all others. The
row of 0 samples is the built-in model itself, with all its outputs open. Prints Markdown, each row as soon as it is
measured.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any

from tables import machine, row, table

from kanji_tui.paths import BUILT_IN
from kanji_tui.system import numbers


@dataclass(frozen=True)
class Data:
    """A folder to prepare, with about `samples` of each class; `steps`: how many of them to learn from.

    `validated`: samples of each class that choose the epoch.
    """

    name: str
    folder: Path | None
    option: str
    format: str
    samples: float
    steps: tuple[int, ...]
    validated: int


def command(home: Path, *arguments: object) -> dict[str, Any]:
    """What `kanji-tui ARGUMENTS --json` answers, run in `home`."""
    line = [sys.executable, "-m", "kanji_tui", *map(str, arguments), "--json"]
    done = subprocess.run(line, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(line)} failed:\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def trained(home: Path, data: Data, learned: int, seed: int, recipe: str, init: bool) -> dict[str, Any]:
    """The test metrics of a training on `learned` samples of each class."""
    shares = (learned, data.validated, data.samples - learned - data.validated)
    arguments = ["--split", "random", "--split-shares", "/".join(map(str, shares)), "--seed", seed]
    begin = ["--init", BUILT_IN] if init else []
    test: dict[str, Any] = command(home, "train", "--recipe", recipe, *arguments, *begin)["test"]
    return test


def curve(data: Data, recipe: str, seeds: int, folder: Path) -> None:
    """The rows of one data set."""
    if data.folder is None:
        row(data.name, f"not measured: {data.option} names no folder", "", "", "")
        return
    home = folder / data.option.strip("-")
    home.mkdir()
    prepared = command(home, "prepare", "--etl-dir", data.folder.resolve(), "--format", data.format)
    itself = command(home, "evaluate", "--model-path", BUILT_IN, "--split", "all")
    row(data.name, 0, numbers.count(itself["samples"]), "", numbers.accuracy(itself["top1"], itself["samples"]))
    for learned in data.steps:
        found = {
            init: [trained(home, data, learned, seed, recipe, init) for seed in range(seeds)]
            for init in (False, True)
        }
        tested = found[False][0]["samples"]
        learned_from = f"{learned} ({learned * prepared['classes']:,} in all)"
        row(data.name, learned_from, numbers.count(tested), *map(accuracies, found.values()))


def accuracies(tests: list[dict[str, Any]]) -> str:
    """The accuracy of one training with its interval; the mean of several, with the lowest and highest."""
    shares = [test["top1"] for test in tests]
    if len(shares) == 1:
        return numbers.accuracy(shares[0], tests[0]["samples"])
    return numbers.with_interval(mean(shares), (min(shares), max(shares)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kmnist", type=Path, help="the folder of KMNIST's npz files and class map")
    parser.add_argument("--drawings", type=Path, help="a folder with a folder of PNG files for each character")
    parser.add_argument("--recipe", default="quick", help="of the trainings (default: quick)")
    parser.add_argument("--seeds", type=int, default=2, help="trainings for each figure (default: 2)")
    parser.add_argument("--most", type=int, default=64, help="samples of a class to learn from, at most")
    parser.add_argument("--folder", type=Path, help="folder for temporary files (default: the system's)")
    arguments = parser.parse_args()
    every = [
        Data("KMNIST", arguments.kmnist, "--kmnist", "kuzushiji", 1000, (1, 4, 16, 64), 5),
        Data("drawings", arguments.drawings, "--drawings", "images", 7.5, (1, 2, 4), 1),
    ]
    print(f"Beginning from the built-in model, {datetime.now(UTC):%Y-%m-%d}, {machine()}.")
    range_of = "its 95 % interval" if arguments.seeds == 1 else "lowest and highest"
    print(f"Recipe {arguments.recipe}, test top-1 of {arguments.seeds} trainings a figure ({range_of}).\n")
    table("data", "samples of a class", "tested", "from random weights", f"--init {BUILT_IN}")
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="kanji-tui-benchmark-") as name:
        for data in every:
            steps = tuple(step for step in data.steps if step <= arguments.most)
            curve(replace(data, steps=steps), arguments.recipe, arguments.seeds, Path(name))


if __name__ == "__main__":
    main()
