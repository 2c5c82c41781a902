"""Measure the speed of preparation against a floor and against a per-record loop, in one run.

    python benchmarks/prepare.py [--files 50] [--folder DIR]

Makes its input in a temporary folder: two synthetic files of 12,144 records, repeated under the 50 names with other
serial numbers in their first records (5 GB; as much again for outputs). The input is read once before the timing;
each method is timed twice, alternating, and the better time counts.

- Floor: numpy reads the input and writes arrays of the output's size, synced as ours are.
- Ours: the real command as a process, including its start; in a further run its private memory is recorded.
- Reference: what the original scripts do for each record (a Python loop over the bytes, Gaussian blur 3x3, area
  average, float32) for 5,000 records on one core, extrapolated. OpenCV does the last steps, as in the original,
  where opencv-python-headless is installed, else Pillow. The original's compressed npz files are not written.

Prints a Markdown table; the exit code is 1 where a goal is missed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil
from PIL import Image, ImageFilter
from tables import machine

from kanji_tui.data.etl import ETL9G, RECORD_BYTES, open_records
from kanji_tui.data.sample import generate_sample
from kanji_tui.events import SilentReport
from kanji_tui.system.threads import usable_cores

RECORDS_A_FILE = 12_144
REFERENCE_RECORDS = 5_000
SIZE = 64


def make_input(folder: Path, files: int) -> list[Path]:
    """Write two synthetic files of full size, and more that differ in a serial number; returns all paths."""
    generate_sample(folder / "synthetic", 3036, 8, 0, SilentReport())
    originals = sorted((folder / "synthetic").glob("ETL9G_*"))
    (folder / "etl").mkdir()
    paths = [folder / "etl" / f"ETL9G_{number:02d}" for number in range(1, files + 1)]
    for number, path in enumerate(paths):
        shutil.copyfile(originals[number % len(originals)], path)
        records = np.memmap(path, ETL9G, mode="r+")
        records["serial"][0] = number  # a file that repeats another is refused
    return paths


def warm(paths: list[Path]) -> None:
    for path in paths:
        np.fromfile(path, np.uint8)
    os.sync()


def time_floor(paths: list[Path], folder: Path) -> float:
    """Seconds to read every input and write as many bytes as the pictures take, file by file, synced."""
    folder.mkdir()
    began = time.perf_counter()
    for path in paths:
        records = len(np.fromfile(path, np.uint8)) // RECORD_BYTES
        with open(folder / f"{path.name}.npy", "wb") as file:
            np.save(file, np.ones((records, SIZE, SIZE), np.uint8))
            file.flush()
            os.fsync(file.fileno())
    seconds = time.perf_counter() - began
    shutil.rmtree(folder)
    return seconds


def time_ours(paths: list[Path], folder: Path, watched: bool) -> tuple[float, int]:
    """Seconds of `kanji-tui prepare`, start of the process included, and its peak private memory in bytes."""
    command = [sys.executable, "-m", "kanji_tui", "prepare", "--json", "--size", str(SIZE)]
    began = time.perf_counter()
    child = subprocess.Popen(
        [*command, "--etl-dir", str(paths[0].parent), "--output-dir", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    peak = watch(child) if watched else 0
    answer, _ = child.communicate()
    seconds = time.perf_counter() - began
    if child.returncode or json.loads(answer)["records"] != len(paths) * RECORDS_A_FILE:
        sys.exit(f"the preparation failed: {answer}")
    shutil.rmtree(folder)
    return seconds, peak


def watch(child: subprocess.Popen) -> int:
    """The peak private memory (USS) of a process until it ends, in bytes."""
    process, peak = psutil.Process(child.pid), 0
    while child.poll() is None:
        try:
            peak = max(peak, process.memory_full_info().uss)
        except psutil.Error:
            break
        time.sleep(0.05)
    return peak


def last_steps() -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
    """Gaussian blur 3x3 and area average of a picture (127, 128), and whose they are."""
    try:
        import cv2
    except ImportError:
        kernel = ImageFilter.Kernel((3, 3), (1, 2, 1, 2, 4, 2, 1, 2, 1))
        side = (SIZE, SIZE)
        return "Pillow", lambda picture: np.asarray(
            Image.fromarray(picture).filter(kernel).resize(side, Image.Resampling.BOX)
        )
    cv2.setNumThreads(1)
    side = (SIZE, SIZE)
    return "OpenCV", lambda picture: cv2.resize(
        cv2.GaussianBlur(picture, (3, 3), 0.5), side, interpolation=cv2.INTER_AREA
    )


def time_reference(path: Path) -> float:
    """Seconds a record of a loop that does for each record what the original scripts do."""
    _, shrink = last_steps()
    pictures = [bytes(picture.tobytes()) for picture in open_records(path)["image"][:REFERENCE_RECORDS]]
    began = time.perf_counter()
    samples = []
    for packed in pictures:
        pixels = []
        for byte in packed:
            pixels.append(byte >> 4 & 15)
            pixels.append(byte & 15)
        picture = np.array(pixels, dtype=np.uint8).reshape(127, 128) * 17
        samples.append((shrink(picture).astype(np.float32) / 255.0).flatten())
    np.array(samples, dtype=np.float32)
    return (time.perf_counter() - began) / len(pictures)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=50, help="input files of 12,144 records (default: 50)")
    parser.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    arguments = parser.parse_args()
    floors, ours, loops, peak = [], [], [], 0
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="kanji-tui-benchmark-") as name:
        folder = Path(name)
        paths = make_input(folder, arguments.files)
        warm(paths)
        for watched in (True, False):
            floors.append(time_floor(paths, folder / "floor"))
            seconds, seen = time_ours(paths, folder / "dataset", watched)
            ours.append(seconds)
            peak = max(peak, seen)
            loops.append(time_reference(paths[0]))
    records = len(paths) * RECORDS_A_FILE
    return print_table(records, min(floors), min(ours), min(loops) * records, peak)


def print_table(records: int, floor: float, ours: float, loop: float, peak: int) -> int:
    """Print the table, then each goal and whether it was met; returns the exit code."""
    print(f"Preparation of {records:,} records to {SIZE}x{SIZE}, {datetime.now(UTC):%Y-%m-%d}, {machine()}\n")
    print("| way | seconds | records/s |")
    print("|---|---|---|")
    for way, seconds in (
        ("floor: read with numpy, write arrays of that size, synced", floor),
        (f"kanji-tui prepare, {usable_cores()} cores, synced, start of the process included", ours),
        (
            f"the original's loop, 1 core, {last_steps()[0]}, extrapolated from {REFERENCE_RECORDS:,} records",
            loop,
        ),
    ):
        print(f"| {way} | {seconds:.1f} | {records / seconds:,.0f} |")
    goals = (
        (f"{ours / floor:.2f} times the floor's time", "at most 3", ours <= 3 * floor),
        (f"{loop / ours:.1f} times as fast as the loop", "at least 60", loop >= 60 * ours),
        (f"{peak / 1e6:.0f} MB of private memory at most", "under 1,000", peak < 1e9),
    )
    print()
    for found, wanted, met in goals:
        print(f"- {found} (goal: {wanted}): {'met' if met else 'MISSED'}")
    return 0 if all(met for _, _, met in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
