"""The real KMNIST test set as it is distributed: prepared, verified, trained.

Run by `make test-real`; without the folder that KANJI_TUI_TEST_DATA names the tests say so and skip.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import run_command

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def kmnist() -> Path:
    folder = os.environ.get("KANJI_TUI_TEST_DATA")
    found = Path(folder, "kmnist") if folder else None
    if found is None or not (found / "kmnist-test-imgs.npz").is_file():
        pytest.skip("KMNIST not tested: KANJI_TUI_TEST_DATA names no folder with kmnist/kmnist-test-imgs.npz")
    return found


@pytest.fixture(scope="module")
def home(kmnist, tmp_path_factory) -> Path:
    """A home with the test set prepared at 32 pixels, from where it lies: nothing of it is copied."""
    home = tmp_path_factory.mktemp("kmnist")
    prepared = run(home, "prepare", "--etl-dir", kmnist, "--size", "32")
    assert (prepared["records"], prepared["classes"], prepared["quarantined"]) == (10000, 10, 0)
    assert prepared["format"] == "kuzushiji"
    return home


def run(home: Path, *arguments: object) -> dict:
    process = run_command(home, *arguments, "--json", timeout=900, OMP_NUM_THREADS="2")
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_it_is_whole_and_looks_like_characters(home):
    verified = run(home, "verify", "--contact-sheet", "sheet.png", "--unusual")
    print(f"\nKMNIST: {json.dumps(verified['checks'], ensure_ascii=False)}")
    assert not [check for check in verified["checks"] if check["verdict"] == "failed"]
    assert (home / "sheet.png").is_file()
    assert [known["character"] for known in verified["unusual"]] == list("おきすつなはまやれを")
    assert {len(known["samples"]) for known in verified["unusual"]} == {10}
    heat_map = np.array(verified["heat_map"])
    assert heat_map[4:12, 4:12].mean() > heat_map.mean()


def test_it_trains_past_ninety_percent(home):
    process = run_command(
        home, "train", "--epochs", "4", "--fold", "1/5", "--json", timeout=900, OMP_NUM_THREADS="2"
    )
    assert process.returncode == 0, process.stderr
    assert "writers of these images are unknown" in process.stderr
    trained = json.loads(process.stdout)
    print(f"\nKMNIST: {json.dumps(trained, ensure_ascii=False)}")
    assert trained["test"]["samples"] == 2000
    assert trained["test"]["top1"] > 0.9
    info = json.loads((home / "models" / "best_model_info.json").read_text())
    assert (info["split"]["kind"], info["split"]["fold"], info["dataset"]) == ("random", "1/5", "kmnist")
    assert "CC BY-SA 4.0" in info["source"]
    assert run(home, "evaluate")["top1"] == pytest.approx(trained["test"]["top1"])


def test_a_split_that_would_keep_writers_apart_is_refused(home):
    process = run_command(home, "train", "--split", "writer")
    assert process.returncode == 2
    assert "writers of dataset are unknown" in process.stderr
