"""Record files into a dataset: every accepted picture made small, one chunk for each file.

First the record heads of all files are read: classes, data sets and the quarantine are known before a picture is
touched. Then threads take a file each (numpy works outside the interpreter's lock), read it through a memory map
and stream the small pictures into the file's own chunk. So the result does not depend on the number of workers,
and private memory stays at a few megabytes a worker.

All is built in `<dataset>/.next`; `publication` moves it into place at the end. What is finished there is kept, so
a preparation that was stopped or killed goes on at the next file.

Progress comes in three phases, all counted in records: `scan` (files), `prepare` (all together, with rate and time
left) and `file` (the file named by `item`).
"""

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kanji_tui.data import publication
from kanji_tui.data.chunks import chunk_name, write_chunk
from kanji_tui.data.etl import FORMATS, RECORD_BYTES, Contents, open_records, read_contents, recognise, record_files
from kanji_tui.data.publication import FinishedChunk, Plan
from kanji_tui.data.resize import check_size, shrink
from kanji_tui.data.sample import is_drawn
from kanji_tui.errors import KanjiError, Stopped, UsageError
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped
from kanji_tui.system.files import write_json
from kanji_tui.system.threads import usable_cores

BLOCK = 64  # pictures at a time: what one needs in between stays in the processor's cache
BYTES_BESIDE_PICTURE = 17  # y, jis, file, record, set
SPARE_BYTES = 64 * 1024 * 1024
REPORT_SECONDS = 0.25


@dataclass(frozen=True)
class Prepared:
    """What `prepare` made. `records` are the accepted ones; `seconds` are wall time, `digest` names the content."""

    records: int
    quarantined: int
    classes: int
    size: int
    seconds: float
    records_per_second: float
    digest: str
    files: int
    sets: int
    format: str
    source: str
    output_dir: str


def prepare(
    etl_dir: Path, output_dir: Path, size: int, workers: int | None, format: str | None, report: Report
) -> Prepared:
    """Make the dataset `output_dir` of the record files in `etl_dir`, pictures `size` pixels a side.

    `workers` None: one for each usable core. `format`: etl9g or etl8g; None where the file names tell. Until the
    last moment an older dataset in `output_dir` stays as it is. Raises UsageError for settings or folders that make
    no sense, KanjiError where no record is usable or the disk is full, Stopped when asked to stop.
    """
    check_size(size)
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} workers cannot work", "leave --workers out, or give 1 or more")
    if format is not None and format not in FORMATS:
        raise UsageError(f"the format '{format}' is not known", f"choose one of: {', '.join(FORMATS)}")
    started = time.monotonic()
    paths = record_files(etl_dir, format)
    format = format or recognise(paths[0])
    drawn = is_drawn(etl_dir, paths)
    contents = _scan(paths, format, report)
    plan = Plan.of(contents, size, format, drawn)
    with _alone_in(output_dir):
        done = publication.begin(output_dir, plan)
        for number in done:
            count = len(contents[number].jis)
            report(Progress("file", count, count, "records", paths[number].name))
        left = [number for number in range(len(contents)) if number not in done]
        _check_room(output_dir, sum(len(contents[number].jis) for number in left), size)
        done |= _make_chunks(left, contents, plan, output_dir, workers or usable_cores(), report)
        digest = publication.finish(output_dir, plan, contents, done)
    seconds = time.monotonic() - started
    records = sum(len(content.jis) for content in contents)
    return Prepared(
        records=records,
        quarantined=sum(len(content.quarantined) for content in contents),
        classes=len(plan.classes),
        size=size,
        seconds=seconds,
        records_per_second=records / seconds,
        digest=digest,
        files=len(contents),
        sets=publication.count_sets(contents),
        format=format,
        source=plan.source,
        output_dir=str(output_dir),
    )


def _scan(paths: list[Path], format: str, report: Report) -> list[Contents]:
    """The contents of every file; what is quarantined is announced."""
    if len(paths) > 256:
        raise UsageError(f"{len(paths)} record files are too many for one dataset", "prepare 256 at most")
    contents = []
    for number, path in enumerate(paths):
        raise_if_stopped(report)
        report(Progress("scan", number, len(paths), "files", path.name))
        contents.append(read_contents(path, format))
    report(Progress("scan", len(paths), len(paths), "files"))
    quarantined = [record for content in contents for record in content.quarantined]
    if quarantined:
        first = quarantined[0]
        report(
            Notice(
                f"records left out: {len(quarantined):,}, listed in quarantine.tsv; "
                f"the first: {first.file} record {first.record}: {first.reason}"
            )
        )
    if not any(len(content.jis) for content in contents):
        raise KanjiError(
            f"none of the records in {paths[0].parent} is usable: {quarantined[0].file} "
            f"record {quarantined[0].record}: {quarantined[0].reason}",
            f"are these {format.upper()} files of {RECORD_BYTES:,}-byte records?",
        )
    return contents


@contextmanager
def _alone_in(output_dir: Path) -> Iterator[None]:
    """Hold the folder for one preparation; the lock goes with the process, however that ends."""
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        handle = os.open(output_dir, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise UsageError(f"{output_dir} cannot be made: {error.strerror}", "choose another --output-dir") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise KanjiError(
            f"another preparation is at work in {output_dir}", "wait for it, or stop it: kanji-tui runs"
        ) from None
    finally:
        os.close(handle)


def _check_room(output_dir: Path, records: int, size: int) -> None:
    need = records * (size * size + BYTES_BESIDE_PICTURE) + SPARE_BYTES
    free = shutil.disk_usage(output_dir).free
    if free < need:
        raise KanjiError(
            f"the disk is too full: {output_dir} needs {need / 1e9:.2f} GB for {records:,} pictures, "
            f"{free / 1e9:.2f} GB are free",
            f"free some space (df -h {output_dir}), or choose a smaller --size or another --output-dir",
        )


def _make_chunks(
    numbers: list[int], contents: list[Contents], plan: Plan, output_dir: Path, workers: int, report: Report
) -> dict[int, FinishedChunk]:
    """Make the chunks with these numbers; returns what was made. Stops at a block of pictures."""
    finished: dict[int, FinishedChunk] = {}
    counts = dict.fromkeys(numbers, 0)  # pictures done, by chunk; each written by one thread only
    halt = threading.Event()

    def make(number: int) -> None:
        content = contents[number]
        path = publication.next_dir(output_dir) / chunk_name(number)
        pictures = _small_pictures(content, plan, number, counts, halt)
        shape = (len(content.jis), plan.size, plan.size)
        digest = write_chunk(path, shape, pictures, _columns(content, plan, number))
        finished[number] = FinishedChunk(content.path.name, len(content.jis), digest)
        write_json(path.with_suffix(".json"), finished[number].to_json())

    with ThreadPoolExecutor(max_workers=max(1, min(workers, len(numbers))), thread_name_prefix="prepare") as pool:
        tasks = [pool.submit(make, number) for number in numbers]
        try:
            _follow(tasks, contents, counts, report)
        finally:
            halt.set()
            pool.shutdown(cancel_futures=True)
    for task in tasks:
        task.result()
    return finished


def _small_pictures(
    content: Contents, plan: Plan, number: int, counts: dict[int, int], halt: threading.Event
) -> Iterator[np.ndarray]:
    pictures = open_records(content.path, plan.format)["picture"]
    accepted = content.record
    for start in range(0, len(accepted), BLOCK):
        if halt.is_set():
            raise Stopped()
        rows = accepted[start : start + BLOCK]
        in_a_row = int(rows[-1]) - int(rows[0]) + 1 == len(rows)
        block = pictures[int(rows[0]) : int(rows[-1]) + 1] if in_a_row else pictures[rows]
        yield shrink(block, plan.size)
        counts[number] = start + len(rows)


def _columns(content: Contents, plan: Plan, number: int) -> dict[str, np.ndarray]:
    classes = np.array(plan.classes, np.uint16)
    return {
        "y": np.searchsorted(classes, content.jis).astype(np.int32),
        "jis": content.jis,
        "file": np.full(len(content.jis), number, np.uint8),
        "record": content.record,
        "set": content.set,
    }


def _follow(tasks: list[Future], contents: list[Contents], counts: dict[int, int], report: Report) -> None:
    """Report progress until all tasks are done or one failed; raises Stopped when asked to stop."""
    began = time.monotonic()
    total = sum(len(content.jis) for content in contents)
    before = total - sum(len(contents[number].jis) for number in counts)
    told = dict.fromkeys(counts, 0)
    waiting = set(tasks)
    while waiting:
        ended, waiting = wait(waiting, timeout=REPORT_SECONDS, return_when=FIRST_EXCEPTION)
        for number, count in counts.items():
            if count != told[number]:
                told[number] = count
                report(Progress("file", count, len(contents[number].jis), "records", contents[number].path.name))
        done = sum(counts.values())
        rate = done / max(time.monotonic() - began, 1e-6)
        remaining = (total - before - done) / rate if rate else None
        speed = rate * RECORD_BYTES
        report(Progress("prepare", before + done, total, "records", "", rate, remaining, speed))
        if any(task.exception() for task in ended):
            return
        if waiting and report.stop_requested():
            raise Stopped("preparation stopped; run it again and it goes on at the next file")
