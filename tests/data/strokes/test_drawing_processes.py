"""Samples drawn by several processes: the same ones, and no process is left when the training is killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from kanji_tui.characters.jis import character_to_jis
from kanji_tui.data.strokes import drawing_processes, synthetic_samples
from kanji_tui.data.strokes.stroke_writing import StrokeWriting, stroke_writing
from kanji_tui.data.strokes.synthetic_samples import BLOCK, SyntheticSamples, repeat_members
from kanji_tui.errors import KanjiError
from kanji_tui.events import SilentReport

CODES = tuple(character_to_jis(each) or 0 for each in "あき田")
PARENT = """
import os, signal
import numpy as np
from kanji_tui.data.strokes import drawing_processes
from kanji_tui.data.strokes.drawing_processes import Block, draw_in_processes
from kanji_tui.data.strokes.stroke_writing import stroke_writing
from kanji_tui.events import SilentReport

if __name__ == "__main__":
    drawing_processes.usable_cores = lambda: 1
    writing = stroke_writing((0x2422,), 1, SilentReport())
    list(draw_in_processes(writing, [Block(1, np.zeros(1, int), np.zeros(1, int), 64)]))
    print(*drawing_processes._processes(writing.codes, writing.shapes)._processes, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def writing() -> StrokeWriting:
    return stroke_writing(CODES, 3, SilentReport())


@pytest.fixture
def two_processes(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(drawing_processes, "usable_cores", lambda: 2)
    drawing_processes._processes.cache_clear()
    yield
    drawing_processes._processes.cache_clear()


def test_with_many_cores_processes_draw_the_same_images(writing, two_processes, monkeypatch):
    samples = SyntheticSamples(writing, repeat_members([[0], [1], [2]]), first=0, writers=BLOCK)
    numbers = np.random.default_rng(0).permutation(3 * BLOCK)[: 2 * BLOCK + 5]
    threads = samples.images(numbers)
    monkeypatch.setattr(synthetic_samples, "usable_cores", lambda: synthetic_samples.THREADS_SUFFICE + 1)
    assert np.array_equal(samples.images(numbers), threads)
    pool = drawing_processes._processes(writing.codes, writing.shapes)
    assert len(pool._processes) == 2
    killed = psutil.Process(next(iter(pool._processes)))
    killed.kill()
    killed.wait(20)
    with pytest.raises(KanjiError, match="was killed"):
        samples.images(numbers)


def test_a_killed_training_leaves_no_process_that_draws(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    _gone, left = psutil.wait_procs([p for p in map(process, ended.stdout.split()) if p], timeout=20)
    assert not left


def process(number: str) -> psutil.Process | None:
    """The process with this number, None where it has ended already."""
    try:
        return psutil.Process(int(number))
    except psutil.NoSuchProcess:
        return None
