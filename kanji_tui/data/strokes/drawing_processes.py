"""Processes that draw samples. Threads hold each other up: Python runs one at a time between NumPy's longer steps.

Measured with two cores: 1.55 times one core's samples/s with two threads, 1.9 times with two processes.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from threading import Thread

import numpy as np

from kanji_tui.data.etl import pack_levels
from kanji_tui.data.resize import shrink
from kanji_tui.data.strokes.shapes import Shapes
from kanji_tui.data.strokes.stroke_writing import StrokeWriting
from kanji_tui.errors import KanjiError
from kanji_tui.system.threads import usable_cores


@dataclass(frozen=True, eq=False)
class Block:
    """Samples to draw: writers and characters as in `StrokeWriting.write_samples`, and the images' side."""

    seed: int
    writers: np.ndarray
    characters: np.ndarray
    size: int


def draw(writing: StrokeWriting, block: Block) -> np.ndarray:
    """The images of a block, uint8 (n, size, size), ink high."""
    return shrink(pack_levels(writing.write_samples(block.writers, block.characters)), block.size)


def draw_in_processes(writing: StrokeWriting, blocks: Sequence[Block]) -> Iterator[np.ndarray]:
    """The images of each block. The processes start with the first call, and end with the one that called.

    Raises KanjiError where one of them is killed.
    """
    try:
        yield from _processes(writing.codes, writing.shapes).map(_draw, blocks)
    except BrokenProcessPool:
        raise KanjiError(
            "a process that draws the synthetic samples was killed",
            "see whether the machine ran out of memory, and go on with: kanji-tui train --resume RUN",
        ) from None


@lru_cache(maxsize=1)  # a training draws one set of characters
def _processes(codes: tuple[int, ...], shapes: Shapes) -> ProcessPoolExecutor:
    # Not forks: CUDA does not survive one. Processes that torchrun started share the cores.
    number = max(1, usable_cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    return ProcessPoolExecutor(number, multiprocessing.get_context("spawn"), _begin, (codes, shapes))


_writing: StrokeWriting  # of one of the processes: what it draws from


def _begin(codes: tuple[int, ...], shapes: Shapes) -> None:
    """In each of the processes: keep what it draws from, and end when the training does, however that ends."""
    global _writing
    _writing = StrokeWriting(codes, shapes, seed=0)
    for number in (signal.SIGINT, signal.SIGHUP):  # they reach the training, too, and it ends these processes
        signal.signal(number, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(0)


def _draw(block: Block) -> np.ndarray:
    return draw(StrokeWriting(_writing.codes, _writing.shapes, block.seed), block)
