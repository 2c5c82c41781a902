"""The whole way on real handwriting in real record layout: KMNIST pictures packed as ETL9G records.

Run by `make test-real`; without the folder that KANJI_TUI_TEST_DATA names the tests say so and skip.
"""

import gzip
import json
import os
from pathlib import Path

import pytest

from kanji_tui.tui.app import Workbench
from tests.conftest import run_command
from tests.tui.conftest import shows, text_of, until

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def real_home(tmp_path_factory) -> Path:
    folder = os.environ.get("KANJI_TUI_TEST_DATA")
    packed = sorted(Path(folder, "kmnist_as_etl9g").glob("ETL9G_*.gz")) if folder else []
    if not packed:
        pytest.skip("real handwriting not tested: KANJI_TUI_TEST_DATA names no folder with kmnist_as_etl9g")
    home = tmp_path_factory.mktemp("real")
    (home / "ETL9G").mkdir()
    for path in packed:
        (home / "ETL9G" / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    return home


@pytest.fixture(scope="module")
def real_training(real_home):
    """Prepare and train with the defaults; returns (home, what train said)."""

    def run(*arguments):
        process = run_command(real_home, *arguments, "--json", timeout=900, OMP_NUM_THREADS="2")
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout)

    prepared = run("prepare")
    assert (prepared["records"], prepared["classes"], prepared["quarantined"]) == (10000, 10, 0)
    verified = run("verify")
    assert not [check for check in verified["checks"] if check["verdict"] == "failed"]
    trained = run("train")
    print(f"\nreal handwriting: {json.dumps(trained, ensure_ascii=False)}")
    return real_home, trained, run


@pytest.mark.timeout(900)
def test_it_passes_ninety_percent_on_files_it_was_not_trained_on(real_training):
    home, trained, run = real_training
    assert trained["validation"]["top1"] > 0.9
    assert trained["test"]["top1"] > 0.9
    info = json.loads((home / "models" / "best_model_info.json").read_text())
    assert info["split"]["kind"] == "writer"
    assert run("evaluate")["top1"] == pytest.approx(trained["test"]["top1"])


@pytest.mark.timeout(900)
def test_it_exports_with_parity_on_real_samples(real_training):
    _, _, run = real_training
    for target in ("tract", "ort-tract", "strict"):
        parity = run("export", "onnx", "--target-backend", target)["parity"]
        assert parity["onnxruntime"]["top1_agreement"] == parity["tract"]["top1_agreement"] == 1.0
        print(f"{target}: {parity}")


@pytest.mark.timeout(900)
async def test_the_browser_shows_what_the_model_makes_of_it(real_training, monkeypatch):
    home, _, _ = real_training
    monkeypatch.chdir(home)
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "next")
        await pilot.press("5")
        await shows(pilot, "Press n for all samples")  # evaluate has read the test split
        await pilot.press("n")
        await until(pilot, lambda: app.screen.query_one("#bars").content_size.height == 5)
        shown = text_of(pilot)
        assert "お" in shown
        assert "ETL9G_01" in shown
