"""Recognition on the simulated GPU: evaluation runs there with the CPU's results; single images do not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from kanji_tui.data.dataset import open_dataset
from kanji_tui.events import Notice
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.networks.registry import NETWORKS, build
from kanji_tui.recognition.ensemble import evaluate_ensemble
from kanji_tui.recognition.evaluation import evaluate, predict_split
from kanji_tui.recognition.layers import last_feature_map, last_pooling
from kanji_tui.recognition.models import Model, open_model
from kanji_tui.recognition.predictor import predict
from kanji_tui.recognition.saliency import explain, saliency
from kanji_tui.recognition.suspects import find_suspects
from tests.simulated_gpu import GPU, OnGpu, Waits, machine_with_gpu

OURS = [name for name, known in NETWORKS.items() if not known.needs]


@pytest.fixture
def computed_on(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The device of each forward pass, in order."""
    devices: list[str] = []
    forward = Recogniser.forward

    def recording(self: Recogniser, images: torch.Tensor) -> torch.Tensor:
        devices.append(images.device.type)
        return forward(self, images)

    monkeypatch.setattr(Recogniser, "forward", recording)
    return devices


def test_an_evaluation_on_the_gpu_has_the_cpus_results(trained, report, computed_on: list[str]) -> None:
    expected = evaluate(trained.model_path, trained.data_dir, "all", None, report)
    assert set(computed_on) == {"cpu"}
    computed_on.clear()
    with machine_with_gpu():
        found = evaluate(trained.model_path, trained.data_dir, "all", None, report)
    assert set(computed_on) == {"cuda"}
    assert found.loss == pytest.approx(expected.loss, rel=1e-5)
    assert replace(found, seconds=0.0, loss=0.0) == replace(expected, seconds=0.0, loss=0.0)


def test_an_evaluation_halves_its_batches_if_memory_runs_out(
    trained, report, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = evaluate(trained.model_path, trained.data_dir, "all", None, report)
    forward = Recogniser.forward

    def out_of_memory(self: Recogniser, images: torch.Tensor) -> torch.Tensor:
        if isinstance(images, OnGpu) and len(images) > 50:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, images)

    monkeypatch.setattr(Recogniser, "forward", out_of_memory)
    with machine_with_gpu():
        found = evaluate(trained.model_path, trained.data_dir, "all", None, report)
    assert (found.top1, found.confusions) == (expected.top1, expected.confusions)


def test_if_the_gpu_fails_the_evaluation_runs_on_the_cpu(trained, report, monkeypatch) -> None:
    forward = Recogniser.forward

    def broken(self: Recogniser, images: torch.Tensor) -> torch.Tensor:
        if isinstance(images, OnGpu):
            raise RuntimeError("CUDA error: no kernel image is available")
        return forward(self, images)

    monkeypatch.setattr(Recogniser, "forward", broken)
    with machine_with_gpu():
        assert evaluate(trained.model_path, trained.data_dir, "test", None, report).samples
    assert any(
        "so the CPU is used instead: CUDA error: no kernel" in notice.message for notice in report.of(Notice)
    )


def test_an_ensemble_runs_on_the_gpu(trained, report, computed_on: list[str]) -> None:
    paths = (trained.model_path, trained.model_path)
    expected = evaluate_ensemble(paths, trained.data_dir, "test", report)
    computed_on.clear()
    with machine_with_gpu():
        found = evaluate_ensemble(paths, trained.data_dir, "test", report)
    assert set(computed_on) == {"cuda"}
    assert (found.top1, found.top5, found.confusions) == (expected.top1, expected.top5, expected.confusions)


def test_suspects_are_computed_on_the_gpu(trained, report, computed_on: list[str]) -> None:
    dataset = open_dataset(trained.data_dir)

    def suspects(model: Model):
        return find_suspects(
            dataset, predict_split(model, dataset, "all", None, report).predictions, None, model.path
        )

    expected = suspects(open_model(trained.model_path))
    computed_on.clear()
    with machine_with_gpu():
        found = suspects(open_model(trained.model_path))
    assert set(computed_on) == {"cuda"}
    assert [one.sample for one in found.suspects] == [one.sample for one in expected.suspects]


@pytest.mark.parametrize("name", OURS)
def test_saliency_on_the_gpu_matches_the_cpu(name: str) -> None:
    torch.manual_seed(0)
    recogniser = Recogniser(build(name, 7, 32), mean=0.2, std=0.5).eval()
    image = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    expected = saliency(recogniser, image, 3)
    layers = last_pooling(recogniser.network, 32), last_feature_map(recogniser.network, 32)
    with machine_with_gpu():
        recogniser.to(GPU)
        found = saliency(recogniser, image, 3)
        assert (last_pooling(recogniser.network, 32), last_feature_map(recogniser.network, 32)) == layers
        assert Waits.count > 0
    assert (found.method, found.output) == (expected.method, expected.output)
    assert found.probability == pytest.approx(expected.probability, rel=1e-4)
    assert np.allclose(found.map, expected.map, atol=1e-3)


def test_single_images_stay_on_the_cpu(trained, tmp_path: Path, report, computed_on: list[str]) -> None:
    """Initialising a GPU would take longer."""
    image = open_dataset(trained.data_dir).images([5])[0]
    Image.fromarray(255 - image).resize((96, 96)).save(tmp_path / "one.png")
    with machine_with_gpu():
        predict((tmp_path / "one.png",), trained.model_path, False, False, report)
        explain(trained.model_path, trained.data_dir, report, samples=(5,))
    assert set(computed_on) == {"cpu"}
