"""Measure the speed and accuracy of training: four figures, each beside the original's training loop.

    python benchmarks/train.py [--figure 1 2 3 4] [--classes 200] [--sets 36] [--folder DIR]

1. samples/s of the same network (v2.1), batch (64) and optimiser with all 3,036 classes: the original's loop, and
   ours with augmentation on.
2. error on the test split at equal wall time: the original's recipe over 30 epochs, then ours in as many epochs as
   fit into its time; on a synthetic sample (writer split) and, where the folder KANJI_TUI_TEST_DATA names is given,
   on real handwriting (KMNIST's test images, split by file).
3. the speed on a GPU; without one the row says so.
4. what a workbench costs that follows a run: its share of one core, and the run's samples/s with and without it.

Each training is a separate process, as users start it. The sample has seed 0 and comes from `kanji-tui sample`.
Prints Markdown. Run it on a quiet machine; the output states the load.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pseudo_terminal import OnTerminal
from tables import machine, row, table

SEED = 0
ORIGINAL_EPOCHS = 30
FASTEST_KNOWN = (754, 906)  # samples/s of the original's own loop on 2 quiet cores
# Ours for figure 1: the original's network, batch and optimiser, our augmentation.
OURS_OF_V21 = {"network": "v2.1", "recipe": "standard", "batch_size": 64, "optimiser": "adamw", "epochs": 2}
FOLLOWED_SECONDS = 30.0


def command(home: Path, *arguments: object) -> dict[str, Any]:
    """What `kanji-tui ARGUMENTS --json` answers, run in `home`."""
    line = [sys.executable, "-m", "kanji_tui", *map(str, arguments), "--json"]
    done = subprocess.run(line, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(line)} failed:\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def original(home: Path, epochs: int) -> dict[str, Any]:
    """The result of the original's loop on the dataset in `home`; PyTorch's own threads, nothing else set."""
    script = Path(__file__).with_name("original_loop.py")
    line = [sys.executable, str(script), "--data-dir", str(home / "dataset"), "--epochs", str(epochs)]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the original's loop failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def timed_training(home: Path, *arguments: object) -> dict[str, Any]:
    """`kanji-tui train ARGUMENTS`, with `wall`: the seconds from its start to its end, test included."""
    began = time.monotonic()
    result = command(home, "train", *arguments)
    return {**result, "wall": time.monotonic() - began}


def synthetic(folder: Path, classes: int, sets: int) -> Path:
    """A folder with a prepared synthetic sample."""
    home = folder / f"synthetic-{classes}-{sets}"
    home.mkdir()
    command(home, "sample", "--classes", classes, "--sets", sets, "--seed", SEED)
    command(home, "prepare")
    return home


def handwritten(folder: Path) -> Path | None:
    """A folder with KMNIST's test images, prepared; None without KANJI_TUI_TEST_DATA."""
    given = os.environ.get("KANJI_TUI_TEST_DATA")
    packed = sorted(Path(given, "kmnist_as_etl9g").glob("ETL9G_*.gz")) if given else []
    if not packed:
        return None
    home = folder / "kmnist"
    (home / "ETL9G").mkdir(parents=True)
    for path in packed:
        (home / "ETL9G" / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    command(home, "prepare")
    return home


def same_network(home: Path) -> None:
    """Figure 1: the best of three runs of two epochs each, alternating; the original's best epoch counts."""
    theirs, ours = [], []
    (home / "v21.yaml").write_text(json.dumps(OURS_OF_V21))  # JSON is YAML
    for _ in range(3):
        theirs.append(original(home, 2)["samples_per_second"])
        ours.append(command(home, "train", "--config", "v21.yaml")["samples_per_second"])
    best, mine = max(theirs), max(ours)
    table("method (v2.1, 3,036 classes, batch 64)", "samples/s", "relative to the original")
    row("the original's loop, per-sample DataLoader, 2 workers", f"{best:,.0f}", "1.00")
    row("kanji-tui train, augmentation on", f"{mine:,.0f}", f"{mine / best:.2f}")
    verdict = "as fast as before" if best >= FASTEST_KNOWN[0] else "SLOWER than before"
    print(f"\nThe original's loop is {verdict}: {FASTEST_KNOWN[0]}-{FASTEST_KNOWN[1]} samples/s on 2 quiet cores.")


def equal_time(name: str, home: Path) -> None:
    """Figure 2: the original's 30 epochs, then as many of ours as fit into the same time."""
    theirs = original(home, ORIGINAL_EPOCHS)
    budget, error = theirs["seconds"], 1 - theirs["test"]
    row(name, "original, v2.1", theirs["epochs"], f"{budget:.0f}", f"{100 * error:.2f} %", "")
    probe = timed_training(home, "--epochs", 1)
    epoch_seconds = probe["seconds"]
    epochs = max(1, int((budget - (probe["wall"] - epoch_seconds)) * 0.85 / epoch_seconds))
    ours = timed_training(home, "--epochs", epochs)
    mine = 1 - ours["test"]["top1"]
    share = f"{mine / error:.3f} of its error" if error else "-"
    row(name, f"ours, {ours['network']}", epochs, f"{ours['wall']:.0f}", f"{100 * mine:.2f} %", share)


def on_gpu() -> None:
    """Figure 3."""
    table("network, batch 2,048", "607,200 samples x 30 epochs")
    if not has_gpu():
        row("v2.1", "open: no GPU")
        row("kanjinet", "open: no GPU")
        return
    with tempfile.TemporaryDirectory(prefix="kanji-tui-benchmark-") as name:
        home = synthetic(Path(name), 3036, 200)
        for network in ("v2.1", "kanjinet"):
            result = command(
                home, "train", "--network", network, "--recipe", "standard", "--epochs", 2, "--batch-size", 2048
            )
            speed = result["samples_per_second"]
            row(network, f"{607_200 * 30 / speed:,.0f} s at {speed:,.0f} samples/s ({result['device']})")


def has_gpu() -> bool:
    probe = "import torch; print(torch.cuda.is_available())"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    return done.stdout.strip() == "True"


def following(home: Path) -> None:
    """Figure 4: a run alone and followed by a workbench, alternating; its speed, the workbench's CPU and output."""
    run = command(home, "train", "--detach", "--epochs", 500)["run"]
    events = home / "models" / "runs" / run / "events.jsonl"
    alone, followed, busy, written = [], [], [], []
    try:
        time.sleep(15)
        for _ in range(2):
            alone.append(speed_over(events, FOLLOWED_SECONDS))
            with OnTerminal(home, "-m", "kanji_tui") as bench:
                bench.drain(8)  # first paint and the machine checks are over
                bench.keys("3")
                bench.drain(4)
                used, sent = bench.seconds_used(), bench.received
                reached = samples_done(events), time.monotonic()
                bench.drain(FOLLOWED_SECONDS)
                passed = time.monotonic() - reached[1]
                followed.append((samples_done(events) - reached[0]) / passed)
                busy.append((bench.seconds_used() - used) / passed)
                written.append((bench.received - sent) / passed)
    finally:
        command(home, "stop", run)
    table("measurement", "value")
    row("the workbench's CPU of one core, run shown", f"{100 * sum(busy) / len(busy):.1f} %")
    row("the workbench's output, bytes per second", f"{sum(written) / len(written):,.0f}")
    row("the run's samples/s, alone", " and ".join(f"{speed:,.0f}" for speed in alone))
    row("the run's samples/s, followed", " and ".join(f"{speed:,.0f}" for speed in followed))


def samples_done(events: Path) -> int:
    """Trained samples, from the run's last progress event."""
    for line in reversed(events.read_text().splitlines()):
        event = json.loads(line)
        if event["type"] == "progress" and event["phase"] == "training":
            return int(event["done"])
    return 0


def speed_over(events: Path, seconds: float) -> float:
    """Samples per second over `seconds`, including validation."""
    before, began = samples_done(events), time.monotonic()
    time.sleep(seconds)
    return (samples_done(events) - before) / (time.monotonic() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", type=int, nargs="+", choices=(1, 2, 3, 4), default=[1, 2, 3, 4])
    parser.add_argument("--classes", type=int, default=200, help="of the synthetic sample (default: 200)")
    parser.add_argument("--sets", type=int, default=36, help="writers of the synthetic sample (default: 36)")
    parser.add_argument("--folder", type=Path, help="folder for temporary files (default: the system's)")
    parser.add_argument("--only", choices=("synthetic", "handwriting"), help="only this dataset of figure 2")
    arguments = parser.parse_args()
    print(f"Training, {datetime.now(UTC):%Y-%m-%d}, {machine()}.", flush=True)
    print(f"Synthetic sample: {arguments.classes} classes, {arguments.sets} writers, seed {SEED}.")
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="kanji-tui-benchmark-") as name:
        folder = Path(name)
        if 1 in arguments.figure:
            print("\n### 1. The same network, samples/s\n")
            same_network(synthetic(folder, 3036, 4))
        home = synthetic(folder, arguments.classes, arguments.sets)
        if 2 in arguments.figure:
            print("\n### 2. Error at equal wall time\n")
            table("data", "method", "epochs", "seconds", "test error", "")
            if arguments.only != "handwriting":
                equal_time(f"synthetic, {arguments.classes} classes, writer split", home)
            real = handwritten(folder) if arguments.only != "synthetic" else None
            if real:
                equal_time("real handwriting (KMNIST), split by file", real)
            elif arguments.only != "synthetic":
                row("real handwriting", "not measured: KANJI_TUI_TEST_DATA has no KMNIST", "", "", "", "")
        if 3 in arguments.figure:
            print("\n### 3. On a GPU\n")
            on_gpu()
        if 4 in arguments.figure:
            print("\n### 4. A workbench that follows a run\n")
            following(home)


if __name__ == "__main__":
    main()
