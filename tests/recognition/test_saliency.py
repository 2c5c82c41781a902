"""What speaks for a character: held against the network itself."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from kanji_tui.characters.jis import name_jis
from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.jobs.process import run_in
from kanji_tui.jobs.run_directory import create
from kanji_tui.jobs.saliency import Spec, run
from kanji_tui.jobs.specs import to_plain
from kanji_tui.networks import registry
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.recognition.layers import last_pooling, layers_run
from kanji_tui.recognition.models import load_recogniser
from kanji_tui.recognition.saliency import ACTIVATION, GRADIENT, draw, linear_weights, run_to, saliency

SIZE = 32


def random_network(name: str) -> Recogniser:
    torch.manual_seed(3)
    network = registry.build(name, 7, SIZE)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    return Recogniser(network, 0.1, 0.3).eval()


def a_picture() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (SIZE, SIZE), np.uint8)


class TopLeft(nn.Module):
    """Its first output is the mean of the light in the upper left quarter, the second of the lower right one."""

    def __init__(self, linear: bool) -> None:
        super().__init__()
        self.body = nn.Conv2d(1, 2, 1, bias=False)
        nn.init.ones_(self.body.weight)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Sequential(*([] if linear else [nn.ReLU()]), nn.Linear(2, 2))
        with torch.no_grad():
            self.head[-1].weight.copy_(torch.eye(2))
            self.head[-1].bias.zero_()
        mask = torch.zeros(1, 2, SIZE, SIZE)
        mask[0, 0, : SIZE // 2, : SIZE // 2] = mask[0, 1, SIZE // 2 :, SIZE // 2 :] = 1
        self.register_buffer("mask", mask)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.head(self.pool(self.body(pictures) * self.mask).flatten(1))


@pytest.mark.parametrize("linear", [True, False])
def test_it_lies_where_the_network_looks(linear: bool) -> None:
    recogniser = Recogniser(TopLeft(linear)).eval()
    picture = np.full((SIZE, SIZE), 200, np.uint8)
    for output, (here, there) in enumerate([((4, 4), (28, 28)), ((28, 28), (4, 4))]):
        found = saliency(recogniser, picture, output)
        assert found.method == (ACTIVATION if linear else GRADIENT)
        assert found.output == output
        assert found.map[here] == pytest.approx(1)
        assert found.map[there] == 0


def test_the_map_of_a_linear_head_is_the_logit() -> None:
    """The mean of the unclipped map and a constant make the logit: so for kanjinet, whatever the class."""
    recogniser = random_network("kanjinet")
    inputs = torch.from_numpy(a_picture().astype(np.float32) / 255)[None, None]
    features, logits = run_to(recogniser, "pool", inputs)
    black, dark = run_to(recogniser, "pool", torch.zeros_like(inputs))
    for output in range(7):
        weights = linear_weights(recogniser.network, "pool", SIZE, output, features, logits)
        assert weights is not None
        means = [values[0].mean(dim=(1, 2)) @ weights for values in (features, black)]
        change = logits[0, output] - dark[0, output]
        torch.testing.assert_close(means[0] - means[1], change, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("name", "method"), [("kanjinet", ACTIVATION), ("v2.1", GRADIENT), ("v1", GRADIENT)])
def test_method(name: str, method: str) -> None:
    recogniser = random_network(name)
    found = saliency(recogniser, a_picture())
    assert found.method == method
    assert found.map.dtype == np.float32
    assert found.map.shape == (SIZE, SIZE)
    assert found.map.min() >= 0
    assert found.map.max() in (0, pytest.approx(1))
    with torch.inference_mode():
        logits = recogniser(torch.from_numpy(a_picture())[None, None].float() / 255)[0]
    assert found.output == int(logits.argmax())
    assert found.probability == pytest.approx(float(logits.softmax(0).max()), rel=1e-4)


def test_gradients_find_the_weights_of_a_linear_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a network where both ways can be gone they must end at the same map."""
    recogniser = random_network("kanjinet")
    by_weights = saliency(recogniser, a_picture(), 2)
    monkeypatch.setattr("kanji_tui.recognition.saliency.linear_weights", lambda *arguments: None)
    by_gradient = saliency(recogniser, a_picture(), 2)
    assert (by_weights.method, by_gradient.method) == (ACTIVATION, GRADIENT)
    np.testing.assert_allclose(by_weights.map, by_gradient.map, atol=1e-4)


def test_what_is_between_the_layers_is_noticed() -> None:
    """A function that is no layer, hidden in `forward`, makes the head not linear."""

    class Hidden(TopLeft):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return torch.tanh(4 * super().forward(pictures))

    assert saliency(Recogniser(Hidden(True)).eval(), np.full((SIZE, SIZE), 200, np.uint8), 0).method == GRADIENT


def test_layers() -> None:
    network = registry.build("v2.1", 5, SIZE).eval()
    assert last_pooling(network, SIZE) == "global_pool"
    assert [name for name, _ in layers_run(network, SIZE)][-3:] == ["classifier.2", "classifier.3", "classifier.4"]
    assert last_pooling(nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 2)), SIZE) == ""
    with pytest.raises(KanjiError, match="no pooling layer"):
        saliency(Recogniser(nn.Sequential(nn.Flatten(), nn.Linear(SIZE**2, 2))), a_picture())


def test_picture() -> None:
    picture = np.zeros((8, 8), np.uint8)
    picture[:, 4] = 255
    heat = np.zeros((8, 8), np.float32)
    heat[0] = 1
    drawn = np.asarray(draw(picture, heat))
    assert drawn.shape == (32, 32, 3)
    assert drawn[31, 0].tolist() == [255, 255, 255]
    assert drawn[0, 0].tolist() == [255, 90, 0]
    assert drawn[31, 17].max() < 50


def test_job_in_a_run_directory(trained, tmp_path: Path) -> None:
    spec = Spec(model_path=trained.model_path, data_dir=trained.data_dir, sample=3)
    made = create("saliency", "kanji_tui.jobs.saliency:run", to_plain(spec), tmp_path / "runs")
    assert run_in(made) == 0, made.events.read_text()
    array = np.load(made.path / "saliency.npy")
    recogniser, card = load_recogniser(trained.model_path)
    dataset = open_dataset(trained.data_dir)
    found = saliency(recogniser, dataset.images([3])[0])
    np.testing.assert_allclose(array, found.map, atol=1e-5)
    with Image.open(made.path / "saliency.png") as picture:
        assert picture.size == (128, 128)
    result = json.loads(made.events.read_text().splitlines()[-2])["result"]
    assert result["jis"] == name_jis(card.classes[found.output])
    assert result["method"] == ACTIVATION
    assert len(result["truth"]) == 1


def test_job_for_an_image_and_a_character(trained, tmp_path: Path, report) -> None:
    picture = np.full((60, 60), 255, np.uint8)
    picture[10:50, 28:32] = picture[28:32, 10:50] = 0
    Image.fromarray(picture).save(tmp_path / "ten.png")
    spec = Spec(
        model_path=trained.model_path, image=tmp_path / "ten.png", character="田", output_path=tmp_path / "out.png"
    )
    found = run(spec, report)
    assert (found.character, found.jis, found.truth) == ("田", "4544", "")
    assert Path(found.picture_path).is_file()
    assert np.load(found.array_path).shape == (32, 32)
    json.dumps(dataclasses.asdict(found))


def test_wrong_usage(trained, tmp_path: Path, report) -> None:
    spec = Spec(model_path=trained.model_path, data_dir=trained.data_dir, output_path=tmp_path / "out.png")
    with pytest.raises(UsageError, match="one picture"):
        run(spec, report)
    with pytest.raises(UsageError, match="no sample 100000"):
        run(dataclasses.replace(spec, sample=100000), report)
    with pytest.raises(UsageError, match="does not know '鬱'"):
        run(dataclasses.replace(spec, sample=0, character="鬱"), report)
    with pytest.raises(UsageError, match=r"does not end in \.png"):
        run(dataclasses.replace(spec, sample=0, output_path=tmp_path / "out.jpg"), report)
    with pytest.raises(UsageError, match="no run directory"):
        run(dataclasses.replace(spec, sample=0, output_path=None), report)
    assert not list(tmp_path.iterdir())
