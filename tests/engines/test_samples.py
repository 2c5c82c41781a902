"""The samples that models are verified on."""

from dataclasses import replace

import numpy as np
import pytest

from kanji_tui.data.dataset import open_dataset
from kanji_tui.engines import samples
from kanji_tui.engines.samples import Samples, gather_samples
from kanji_tui.recognition.weights import load_recogniser
from tests.data.test_resize import area_matrix


@pytest.mark.parametrize(("old", "new"), [(64, 48), (64, 32), (48, 40)])
def test_resizing_down_is_the_area_average(old: int, new: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, old, old), dtype=np.uint8)
    given = Samples("made", np.arange(5), np.zeros(5, np.uint16), synthetic=images).resized(new)
    exact = area_matrix(old, new) @ images @ area_matrix(old, new).T
    found = np.concatenate(list(given.batches(2)))[:, 0] * 255
    assert found.shape == (5, new, new)
    assert np.abs(found - exact).max() <= 0.5 + 1e-3
    assert given.image_side == new


def test_the_dataset_is_opened_once_and_only_if_its_size_fits(trained, report, monkeypatch) -> None:
    opened = []
    monkeypatch.setattr(samples, "open_dataset", lambda path: opened.append(path) or open_dataset(path))
    _, card = load_recogniser(trained.model_path)
    assert len(gather_samples(card, trained.data_dir, report, 10)) == 10
    assert opened == [trained.data_dir]
    reason = samples.why_unusable(replace(card, size=64), trained.data_dir)
    assert reason == f"the dataset in {trained.data_dir} has 32x32 images, the model takes 64x64"
    assert opened == [trained.data_dir]
