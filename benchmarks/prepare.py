"""How fast is preparation? The floor, ours and a per-record loop, side by side in one run.

    python benchmarks/prepare.py [--files 50] [--folder DIR]

Makes its own input in a folder that is removed afterwards: two drawn files of 12,144 records, repeated under the
50 names (5 GB; as much again for outputs). Inputs are read once before anything is timed. The floor reads every
input with numpy and writes arrays of the output size, synced as ours are. Ours is the real command in a process of
its own, watched for its private memory. The reference does what the original scripts do for each record (a Python
loop over the bytes, Gaussian blur, OpenCV's INTER_AREA, float32) on 5,000 records, on one core, extrapolated; it
needs opencv-python-headless. Prints a table in Markdown.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil

from kanji_tui.data.etl import RECORD_BYTES, open_records
from kanji_tui.data.sample import draw_sample
from kanji_tui.system.threads import usable_cores

RECORDS_A_FILE = 12_144
REFERENCE_RECORDS = 5_000
SIZE = 64


class Quiet:
    """A report for no one."""

    directory = None

    def __call__(self, event: object) -> None: ...

    def stop_requested(self) -> bool:
        return False


def make_input(folder: Path, files: int) -> list[Path]:
    """Two drawn files of full size, repeated; returns all paths."""
    draw_sample(folder / "drawn", 3036, 8, 0, Quiet())
    drawn = sorted((folder / "drawn").glob("ETL9G_*"))
    (folder / "etl").mkdir()
    paths = [folder / "etl" / f"ETL9G_{number:02d}" for number in range(1, files + 1)]
    for number, path in enumerate(paths):
        shutil.copyfile(drawn[number % len(drawn)], path)
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


def time_ours(paths: list[Path], folder: Path) -> tuple[float, int]:
    """Seconds of `kanji-tui prepare`, start of the process included, and its peak private memory in bytes."""
    command = [sys.executable, "-m", "kanji_tui", "prepare", "--json", "--size", str(SIZE)]
    began = time.perf_counter()
    child = subprocess.Popen(
        [*command, "--etl-dir", str(paths[0].parent), "--output-dir", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    watched, peak = psutil.Process(child.pid), 0
    while child.poll() is None:
        try:
            peak = max(peak, watched.memory_full_info().uss)
        except psutil.Error:
            break
        time.sleep(0.05)
    answer, _ = child.communicate()
    seconds = time.perf_counter() - began
    if child.returncode or json.loads(answer)["records"] != len(paths) * RECORDS_A_FILE:
        sys.exit(f"the preparation failed: {answer}")
    shutil.rmtree(folder)
    return seconds, peak


def time_reference(path: Path) -> float:
    """Seconds a record of a loop that does for each record what the original scripts do."""
    import cv2

    cv2.setNumThreads(1)
    pictures = [bytes(picture.tobytes()) for picture in open_records(path)["picture"][:REFERENCE_RECORDS]]
    began = time.perf_counter()
    samples = []
    for packed in pictures:
        pixels = []
        for byte in packed:
            pixels.append(byte >> 4 & 15)
            pixels.append(byte & 15)
        picture = np.array(pixels, dtype=np.uint8).reshape(127, 128) * 17
        smooth = cv2.GaussianBlur(picture, (3, 3), 0.5)
        small = cv2.resize(smooth, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        samples.append((small.astype(np.float32) / 255.0).flatten())
    np.array(samples, dtype=np.float32)
    return (time.perf_counter() - began) / len(pictures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=50, help="input files of 12,144 records (default: 50)")
    parser.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="kanji-tui-benchmark-") as name:
        folder = Path(name)
        paths = make_input(folder, arguments.files)
        warm(paths)
        floor = min(time_floor(paths, folder / "floor") for _ in range(2))
        ours, peak = min(time_ours(paths, folder / "dataset") for _ in range(2))
        records = len(paths) * RECORDS_A_FILE
        reference = time_reference(paths[0]) * records
    print(f"Preparation of {records:,} records to {SIZE}x{SIZE}, {datetime.now(UTC):%Y-%m-%d}, {machine()}\n")
    print("| way | seconds | records/s | against the floor | against the loop |")
    print("|---|---|---|---|---|")
    for way, seconds in (
        ("floor: read with numpy, write arrays of that size, synced", floor),
        (f"kanji-tui prepare, {usable_cores()} cores, synced, start of the process included", ours),
        (f"the original's loop, 1 core, extrapolated from {REFERENCE_RECORDS:,} records", reference),
    ):
        rate = f"{records / seconds:,.0f}"
        print(
            f"| {way} | {seconds:.1f} | {rate} | {seconds / floor:.2f} | {reference / seconds:.1f} times as fast |"
        )
    print(f"\nPeak private memory of kanji-tui prepare: {peak / 1e6:.0f} MB.")


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{usable_cores()} cores ({platform.machine()}), {memory:.0f} GiB, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
