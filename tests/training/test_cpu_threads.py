"""How many CPU threads an epoch has: one for each free core, anew each time, unless a number is set."""

import pytest
import torch

from kanji_tui.events import Notice
from kanji_tui.training import cpu_threads
from kanji_tui.training.cpu_threads import CpuThreads


class Load:
    """What a training measured of others while an epoch ran."""

    def __init__(self, busy: list[float | None]) -> None:
        self._busy = busy

    def busy_cores(self) -> float | None:
        return self._busy.pop(0)


@pytest.fixture(autouse=True)
def four_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(cpu_threads, "usable_cores", lambda: 4)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def busy(monkeypatch):
    """Sets how busy the machine is: at first, then during each epoch."""

    def measured(first: float, *later: float) -> None:
        monkeypatch.setattr(cpu_threads, "busy_cores", lambda: first)
        monkeypatch.setattr(cpu_threads, "OthersLoad", lambda: Load([None, *later]))

    return measured


def numbers(threads: CpuThreads, epochs: int, in_the_middle: bool = False) -> list[int]:
    found = []
    for epoch in range(epochs):
        threads.begin_epoch(in_the_middle=in_the_middle and epoch == 0)
        found.append(torch.get_num_threads())
    return found


def test_each_epoch_has_one_for_each_core_that_is_free_now(busy, report):
    busy(3.0, 0.2, 1.1)
    assert numbers(CpuThreads(None, None, report), 3) == [1, 4, 3]
    (notice,) = report.of(Notice)
    assert "1 of 4 threads, because other programs" in notice.message


def test_an_interrupted_epoch_keeps_its_number(busy, report):
    busy(0.0, 0.0, 0.0)
    assert numbers(CpuThreads(None, 2, report), 2, in_the_middle=True) == [2, 4]
    assert "as before in this epoch" in report.of(Notice)[0].message
    assert numbers(CpuThreads(None, 2, report), 1) == [4]  # it ended with its epoch
    busy(1.0)
    assert numbers(CpuThreads(None, 64, report), 1, in_the_middle=True) == [3]  # of another machine


def test_a_number_that_is_set_stays(busy, report, monkeypatch):
    busy(4.0, 4.0)
    assert numbers(CpuThreads(2, 1, report), 2, in_the_middle=True) == [2, 2]
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    before = torch.get_num_threads()
    assert numbers(CpuThreads(None, 1, report), 1, in_the_middle=True) == [before]
    assert report.events == []
