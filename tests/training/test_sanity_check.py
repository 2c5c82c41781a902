import numpy as np
import pytest

from kanji_tui.data import dataset
from kanji_tui.events import SilentReport
from kanji_tui.jobs import verify
from kanji_tui.training import sanity_check
from kanji_tui.training.sanity_check import try_learning


@pytest.fixture(autouse=True)
def few_samples(monkeypatch):
    monkeypatch.setattr(sanity_check, "SAMPLES", 16)


@pytest.fixture
def learned_well(sample_dataset, few_samples):
    """What `verify --test-model` finds in a good dataset."""
    return verify.run(verify.Spec(sample_dataset, test_model=True), SilentReport()).checks[-1]


def test_a_network_learns_from_a_good_dataset(learned_well):
    assert learned_well.name == "a network learns"
    assert learned_well.verdict == "ok"
    assert "10 steps on 16 samples" in learned_well.found


def test_pictures_that_are_all_alike_teach_nothing_much(sample_dataset, learned_well, report, monkeypatch):
    real = learned_well.found
    monkeypatch.setattr(
        dataset.Dataset, "images", lambda self, n: np.zeros((len(n), self.size, self.size), np.uint8)
    )
    blank = try_learning(sample_dataset, report).found
    first, last = (float(text.rsplit(" ", 1)[1]) for text in (blank, real))
    assert last < first  # the check looks at the pictures, not only at how often a class comes


def test_without_test_model_no_network_is_tried(sample_dataset, report):
    verified = verify.run(verify.Spec(sample_dataset), report)
    assert "a network learns" not in {check.name for check in verified.checks}
