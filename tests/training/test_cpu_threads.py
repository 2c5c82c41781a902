import pytest
import torch

from kanji_tui.events import Notice
from kanji_tui.training import cpu_threads
from kanji_tui.training.cpu_threads import use_threads


@pytest.fixture(autouse=True)
def four_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(cpu_threads, "usable_cores", lambda: 4)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("busy", "before", "expected", "said"),
    [
        (0.1, None, 4, ""),
        (1.1, None, 3, "other programs"),
        (0.1, 2, 2, "resumed run"),
        (2.2, 4, 4, ""),
        (1.0, 64, 3, "other programs"),
    ],
)
def test_one_for_each_free_core_or_as_the_run_before(busy, before, expected, said, report, monkeypatch):
    monkeypatch.setattr(cpu_threads, "busy_cores", lambda: busy)
    use_threads(before, report)
    assert torch.get_num_threads() == expected
    assert [said in notice.message for notice in report.of(Notice)] == ([True] if said else [])


def test_what_the_user_set_stays(report, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(cpu_threads, "busy_cores", lambda: 4.0)
    before = torch.get_num_threads()
    use_threads(1, report)
    assert torch.get_num_threads() == before
    assert report.events == []
