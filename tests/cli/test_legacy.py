"""The four commands of the original scripts, with the flags these had."""

import sys

import pytest

from kanji_tui.cli import legacy
from tests.conftest import Ended


@pytest.fixture
def original(tmp_path, monkeypatch, capsys, forked_jobs):
    """Call the function that an installed command of the original's name calls, in a folder of the test's own."""

    def call(function: str, *arguments: object) -> Ended:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [function, *map(str, arguments)])
        return Ended(getattr(legacy, function)(), *capsys.readouterr())

    return call


def test_from_record_files_to_both_exports(original, forked_children, sample_dir, tmp_path):
    models = tmp_path / "models"
    weights = models / "best_kanji_model.pth"
    for function, *arguments in (
        ("prepare_dataset", "--etl-dir", sample_dir, "--output-dir", "dataset", "--size", 32),
        ("train_kanji", "--data-dir", "dataset", "--epochs", 1, "--image-size", 32),
        ("convert_to_onnx", "--model-path", weights, "--data-dir", "dataset"),
        ("convert_to_safetensors", "--model-path", weights, "--verify"),
    ):
        done = original(function, *arguments)
        assert done.returncode == 0, f"{function}: {done.stderr}"
    assert (tmp_path / "dataset" / "metadata.json").is_file()
    name = "kanji_model_etl9g-sample_32x32_12classes"
    assert {f"{name}_tract.onnx", f"{name}.safetensors"} <= {path.name for path in models.iterdir()}
    (log,) = models.glob("runs/*/config.yaml")
    assert "network: v2.1" in log.read_text()
    assert "split: random" in log.read_text()


def test_a_size_that_the_dataset_does_not_have_is_refused(original, sample_dataset, tmp_path):
    done = original("train_kanji", "--data-dir", sample_dataset)
    assert done.returncode == 2
    assert "32x32, not 64x64" in done.stderr
    assert not (tmp_path / "models").exists()
