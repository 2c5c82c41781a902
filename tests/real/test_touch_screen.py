"""The built-in model on real handwriting that is no part of the project: characters drawn on touch screens.

Run by `make test-real`; without the folder that KANJI_TUI_TEST_DATA names the tests say so and skip.
"""

import os
from collections import Counter
from pathlib import Path

import pytest

from kanji_tui.events import SilentReport
from kanji_tui.paths import BUILT_IN
from kanji_tui.recognition.predictor import predict
from kanji_tui.recognition.results import Candidate, Prediction

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def read() -> list[tuple[str, Prediction]]:
    """The label of each drawing, and what the built-in model reads."""
    folder = os.environ.get("KANJI_TUI_TEST_DATA")
    images = tuple(sorted(Path(folder, "touchscreen_dev").glob("*/*.png"))) if folder else ()
    if not images:
        pytest.skip("touch-screen drawings not tested: KANJI_TUI_TEST_DATA names no folder with touchscreen_dev")
    found = predict(images, BUILT_IN, invert=False, show=False, report=SilentReport()).predictions
    return [(path.parent.name, one) for path, one in zip(images, found, strict=True) if isinstance(one, Prediction)]


def means(candidate: Candidate, label: str) -> bool:
    return label in (candidate.character, *candidate.lookalikes)


@pytest.mark.timeout(300)
def test_it_reads_touch_screen_drawings(read):
    top1 = sum(means(one.candidates[0], label) for label, one in read) / len(read)
    top5 = sum(any(means(found, label) for found in one.candidates[:5]) for label, one in read) / len(read)
    wrong = Counter(
        f"{label}>{one.candidates[0].character}" for label, one in read if not means(one.candidates[0], label)
    )
    print(f"\ntouch screen, built-in model: {len(read)} drawings, top-1 {top1:.2%}, top-5 {top5:.2%}")
    print("errors:", ", ".join(f"{pair} {count}" for pair, count in wrong.most_common()))
    assert top1 > 0.9
    assert top5 > 0.97
