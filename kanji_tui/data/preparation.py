"""Builds a dataset: resizes every accepted image and writes one chunk file per input.

First all inputs are scanned: classes, data sets and quarantined records are known before an image is resized. Then
each thread takes one input (numpy releases the interpreter's lock), reads it block by block and streams the resized
images into that input's chunk. The result therefore does not depend on the number of workers, and each worker needs
only a few megabytes of memory. An input is a record file, an npz pair or some folders; only its format knows.

The dataset is built in `<dataset>/.next`, and `staging` moves it into place at the end. Finished chunks stay there,
so that a preparation that was stopped or killed goes on at the next input.

Progress has three phases: `scan` counts inputs; `prepare` (all inputs, with rate and remaining time) and `file`
(the input named by `item`) count records.
"""

import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from kanji_tui.data import staging
from kanji_tui.data.chunks import chunk_name, write_chunk
from kanji_tui.data.dataset_files import FinishedChunk
from kanji_tui.data.formats import open_source
from kanji_tui.data.input_files import describe_inputs
from kanji_tui.data.moving import next_dir
from kanji_tui.data.quarantine import check_quarantine
from kanji_tui.data.resize import check_size
from kanji_tui.data.results import Preparation
from kanji_tui.data.source import Contents, Input, ignored_notice
from kanji_tui.data.staging import Plan
from kanji_tui.errors import KanjiError, Stopped, UsageError
from kanji_tui.events import REPORT_SECONDS, Notice, Progress, Report, Throttle, raise_if_stopped
from kanji_tui.system import numbers
from kanji_tui.system.files import write_json
from kanji_tui.system.locks import locked
from kanji_tui.system.threads import usable_cores

SCAN_THREADS = 4  # each maps a whole file while it scans
MAX_INPUTS = 256  # the column `file` is uint8
LABEL_BYTES = 17  # of each sample, beside its image: y, jis, file, record, set
SPARE_BYTES = 64 * 1024 * 1024


def prepare(
    etl_dir: Path,
    output_dir: Path,
    size: int,
    workers: int | None,
    format: str | None,
    report: Report,
    labels: str | None = None,
    accept_quarantine: bool = False,
) -> Preparation:
    """Make the dataset `output_dir` from the files in `etl_dir`, with images of `size` x `size` pixels.

    `workers` None: one per usable core. `format`: etl9g, etl8g, kuzushiji or images; None: detected. `labels`: how
    folder names of hexadecimal digits are read: unicode, jis or character (not at all); None: decided. An older
    dataset in `output_dir` is replaced only at the end. Raises UsageError for settings or folders that make no
    sense, KanjiError where too many records are unusable (unless `accept_quarantine`) or the disk is full, Stopped
    when asked to stop.
    """
    check_size(size)
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} is not a number of workers", "leave --workers out, or give 1 or more")
    workers = workers or usable_cores()
    started = time.monotonic()
    source = open_source(etl_dir, format, labels)
    for notice in (*source.notices, ignored_notice(source.ignored)):
        if notice:
            report(Notice(notice))
    contents = _scan(source.inputs, workers, report)
    if excluded := check_quarantine(source, etl_dir, contents, accept_quarantine):
        report(Notice(excluded))
    plan = Plan.of(source, contents, size)
    with _alone_in(output_dir):
        done = staging.begin(output_dir, plan)
        if done:
            report(Notice(f"an earlier preparation goes on: {len(done)} of {len(contents)} files were done"))
        for number in done:
            count = len(contents[number])
            report(Progress("file", count, count, "records", source.inputs[number].name))
        remaining = [number for number in range(len(contents)) if number not in done]
        _check_disk_space(output_dir, sum(len(contents[number]) for number in remaining), size)
        builder = _ChunkBuilder(source.inputs, contents, plan, output_dir, dict.fromkeys(remaining, 0))
        done |= builder.make_chunks(workers, report)
        described = describe_inputs(etl_dir, source.inputs, output_dir, workers)
        digest = staging.commit(output_dir, plan, contents, done, described)
    seconds = time.monotonic() - started
    records = sum(map(len, contents))
    return Preparation(
        records=records,
        quarantined=sum(len(content.quarantined) for content in contents),
        classes=len(plan.classes),
        size=size,
        seconds=seconds,
        records_per_second=records / seconds,
        digest=digest,
        files=len(contents),
        sets=staging.count_sets(plan, contents),
        format=source.format,
        source=source.origin,
        output_dir=str(output_dir),
        ignored=source.ignored,
        labels=source.labels,
    )


def _scan(inputs: tuple[Input, ...], workers: int, report: Report) -> list[Contents]:
    """The contents of every input."""
    if len(inputs) > MAX_INPUTS:
        raise UsageError(f"{len(inputs)} files are too many for one dataset", f"prepare at most {MAX_INPUTS}")
    contents = []
    with ThreadPoolExecutor(max_workers=min(workers, SCAN_THREADS), thread_name_prefix="scan") as pool:
        tasks = [pool.submit(each.read) for each in inputs]
        try:
            for number, task in enumerate(tasks):
                report(Progress("scan", number, len(inputs), "files", inputs[number].name))
                while not wait([task], REPORT_SECONDS).done:
                    raise_if_stopped(report)
                contents.append(task.result())
        finally:
            pool.shutdown(cancel_futures=True)
    raise_if_stopped(report)
    report(Progress("scan", len(inputs), len(inputs), "files"))
    return contents


@contextmanager
def _alone_in(output_dir: Path) -> Iterator[None]:
    """Lock the folder for one preparation."""
    with ExitStack() as locks:
        try:
            mine = locks.enter_context(locked(output_dir))
        except OSError as error:
            raise UsageError(
                f"{output_dir} cannot be made: {error.strerror}", "choose another --output-dir"
            ) from None
        if not mine:
            raise KanjiError(
                f"another preparation is running in {output_dir}", "wait for it, or stop it: kanji-tui runs"
            )
        yield


def _check_disk_space(output_dir: Path, records: int, size: int) -> None:
    needed = records * (size * size + LABEL_BYTES) + SPARE_BYTES
    free = shutil.disk_usage(output_dir).free
    if free < needed:
        raise KanjiError(
            f"the disk is too full: {output_dir} needs {numbers.size(needed)} for {records:,} images, "
            f"{numbers.size(free)} are free",
            f"free some space (df -h {output_dir}), or choose a smaller --size or another --output-dir",
        )


@dataclass(frozen=True)
class _ChunkBuilder:
    """Makes the remaining chunks; `counts`: images done, by chunk, each written by one thread only."""

    inputs: tuple[Input, ...]
    contents: list[Contents]
    plan: Plan
    output_dir: Path
    counts: dict[int, int]
    halt: threading.Event = field(default_factory=threading.Event)
    finished: dict[int, FinishedChunk] = field(default_factory=dict)

    def make_chunks(self, workers: int, report: Report) -> dict[int, FinishedChunk]:
        """Make the chunks of all numbers in `counts`, and return them; stops between blocks of images."""
        threads = max(1, min(workers, len(self.counts)))
        total = sum(path.stat().st_size for each in self.inputs for path in each.paths)  # later they may be gone
        with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="prepare") as pool:
            tasks = [pool.submit(self._make, number) for number in self.counts]
            try:
                self._report_progress(tasks, total, report)
            finally:
                self.halt.set()
                pool.shutdown(cancel_futures=True)
        return self.finished

    def _make(self, number: int) -> None:
        content = self.contents[number]
        path = next_dir(self.output_dir) / chunk_name(number)
        shape = (len(content), self.plan.size, self.plan.size)
        digest = write_chunk(path, shape, self._images(number), self._columns(number))
        self.finished[number] = FinishedChunk(self.inputs[number].name, len(content), digest)
        write_json(path.with_suffix(".json"), asdict(self.finished[number]))

    def _images(self, number: int) -> Iterator[np.ndarray]:
        for block in self.inputs[number].images(self.contents[number].record, self.plan.size):
            if self.halt.is_set():
                raise Stopped()
            yield block
            self.counts[number] += len(block)

    def _columns(self, number: int) -> dict[str, np.ndarray]:
        content = self.contents[number]
        classes = np.array(self.plan.classes, np.uint16)
        return {
            "y": np.searchsorted(classes, content.jis).astype(np.int32),
            "jis": content.jis,
            "file": np.full(len(content), number, np.uint8),
            "record": content.record,
            "set": content.set,
        }

    def _report_progress(self, tasks: list[Future], input_bytes: int, report: Report) -> None:
        """Report progress until all tasks are done; raises a task's error, and Stopped when asked to stop."""
        clock = Throttle()
        total = sum(map(len, self.contents))
        before = total - sum(len(self.contents[number]) for number in self.counts)
        record_bytes = input_bytes / total
        reported = dict.fromkeys(self.counts, 0)
        waiting = set(tasks)
        while waiting:
            ended, waiting = wait(waiting, timeout=REPORT_SECONDS, return_when=FIRST_EXCEPTION)
            for number, count in self.counts.items():
                if count != reported[number]:
                    reported[number] = count
                    item = self.inputs[number].name
                    report(Progress("file", count, len(self.contents[number]), "records", item))
            done = sum(self.counts.values())
            rate = clock.rate(done)
            remaining = (total - before - done) / rate if rate else None
            report(Progress("prepare", before + done, total, "records", "", rate, remaining, rate * record_bytes))
            for task in ended:
                task.result()  # raises the first error, before the others are halted
            if waiting and report.stop_requested():
                raise Stopped("the preparation was stopped; the same command again goes on at the next file")
