"""Samples of synthetic writers without a file: each is drawn when it is asked for."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from kanji_tui.data.defaults import IMAGE_SIZE
from kanji_tui.data.strokes.drawing_processes import Block, draw, draw_in_processes
from kanji_tui.data.strokes.stroke_writing import StrokeWriting
from kanji_tui.system.threads import usable_cores

MEMBERS = 12  # a multiple of the size of every group of look-alikes
BLOCK = 64  # samples drawn at a time
THREADS_SUFFICE = 4  # cores; with more of them processes draw, whose start takes a second


@dataclass(frozen=True, eq=False)
class SyntheticSamples:
    """Every class once by each of `writers` writers: sample i is of class i % C, by the writer first + i // C.

    A class with look-alikes is written as each of them equally often. `members` (C, MEMBERS): for each class the
    indices into the codes of `writing`, repeated.
    """

    writing: StrokeWriting
    members: np.ndarray
    first: int
    writers: int
    size: int = IMAGE_SIZE

    @property
    def labels(self) -> np.ndarray:
        """The class index of each sample, int64 (N,)."""
        return np.tile(np.arange(len(self.members)), self.writers)

    def images(self, indices: np.ndarray) -> np.ndarray:
        """The images with these sample numbers, uint8 (n, S, S), ink high."""
        writer, label = np.divmod(indices, len(self.members))
        writer = writer + self.first
        character = self.members[label, writer % MEMBERS]
        images = np.empty((len(indices), self.size, self.size), np.uint8)
        places = [slice(start, start + BLOCK) for start in range(0, len(indices), BLOCK)]
        blocks = [Block(self.writing.seed, writer[place], character[place], self.size) for place in places]
        for place, drawn in zip(places, _draw_all(self.writing, blocks), strict=True):
            images[place] = drawn
        return images


def _draw_all(writing: StrokeWriting, blocks: Sequence[Block]) -> Iterable[np.ndarray]:
    if usable_cores() > THREADS_SUFFICE:
        return draw_in_processes(writing, blocks)
    with ThreadPoolExecutor(usable_cores(), thread_name_prefix="writers") as threads:
        return list(threads.map(partial(draw, writing), blocks))


def repeat_members(groups: Sequence[Sequence[int]]) -> np.ndarray:
    """Groups of one to four numbers as rows of MEMBERS, each number of a group equally often."""
    return np.array([np.resize(group, MEMBERS) for group in groups])
