"""Saliency maps, compared with what the network itself computes."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from kanji_tui.characters.jis import jis_to_character, name_jis
from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.jobs.saliency import Spec, run
from kanji_tui.networks import registry
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.recognition.layers import last_feature_map, last_pooling, layers_run
from kanji_tui.recognition.saliency import (
    ACTIVATION,
    ATTENTION,
    GRADIENT,
    linear_weights,
    overlay,
    run_up_to,
    saliency,
)
from kanji_tui.recognition.weights import load_recogniser

SIZE = 32
OWN_ATTENTION = [name for name in ("kuzushiji", "vit", "hybrid") if name in registry.NETWORKS]


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


def random_image() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (SIZE, SIZE), np.uint8)


class TopLeft(nn.Module):
    """Its first output is the mean level of the upper left quarter, its second that of the lower right one."""

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

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.pool(self.body(images) * self.mask).flatten(1))


@pytest.mark.parametrize("linear", [True, False])
def test_the_map_is_high_in_the_quarter_that_the_output_depends_on(linear: bool) -> None:
    recogniser = Recogniser(TopLeft(linear)).eval()
    image = np.full((SIZE, SIZE), 200, np.uint8)
    for output, (inside, outside) in enumerate([((4, 4), (28, 28)), ((28, 28), (4, 4))]):
        found = saliency(recogniser, image, output)
        assert found.method == (ACTIVATION if linear else GRADIENT)
        assert found.output == output
        assert found.map[inside] == pytest.approx(1)
        assert found.map[outside] == 0


def test_the_mean_of_a_linear_heads_map_is_the_logit() -> None:
    """For kanjinet the logit of every class is the mean of the unclipped map plus a constant."""
    recogniser = random_network("kanjinet")
    inputs = torch.from_numpy(random_image().astype(np.float32) / 255)[None, None]
    features, logits = run_up_to(recogniser, "pool", inputs)
    black, dark = run_up_to(recogniser, "pool", torch.zeros_like(inputs))
    for output in range(7):
        weights = linear_weights(recogniser.network, "pool", SIZE, output, features, logits)
        assert weights is not None
        means = [values[0].mean(dim=(1, 2)) @ weights for values in (features, black)]
        change = logits[0, output] - dark[0, output]
        torch.testing.assert_close(means[0] - means[1], change, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("name", "method"), [("kanjinet", ACTIVATION), ("v2.1", GRADIENT), ("v1", GRADIENT)])
def test_the_method_and_the_map_of_each_network(name: str, method: str) -> None:
    recogniser = random_network(name)
    found = saliency(recogniser, random_image())
    assert found.method == method
    assert found.map.dtype == np.float32
    assert found.map.shape == (SIZE, SIZE)
    assert found.map.min() >= 0
    assert found.map.max() in (0, pytest.approx(1))
    with torch.inference_mode():
        logits = recogniser(torch.from_numpy(random_image())[None, None].float() / 255)[0]
    assert found.output == int(logits.argmax())
    assert found.probability == pytest.approx(float(logits.softmax(0).max()), rel=1e-4)


def test_grad_cam_gives_the_class_activation_map_of_a_linear_head(monkeypatch: pytest.MonkeyPatch) -> None:
    recogniser = random_network("kanjinet")
    by_weights = saliency(recogniser, random_image(), 2)
    monkeypatch.setattr("kanji_tui.recognition.saliency.linear_weights", lambda *arguments: None)
    by_gradient = saliency(recogniser, random_image(), 2)
    assert (by_weights.method, by_gradient.method) == (ACTIVATION, GRADIENT)
    np.testing.assert_allclose(by_weights.map, by_gradient.map, atol=1e-4)


def test_a_function_between_the_layers_makes_the_head_not_linear() -> None:

    class Hidden(TopLeft):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.tanh(4 * super().forward(images))

    assert saliency(Recogniser(Hidden(True)).eval(), np.full((SIZE, SIZE), 200, np.uint8), 0).method == GRADIENT


def test_the_last_pooling_is_found_or_the_network_refused() -> None:
    network = registry.build("v2.1", 5, SIZE).eval()
    assert last_pooling(network, SIZE) == "global_pool"
    assert [name for name, _ in layers_run(network, SIZE)][-3:] == ["classifier.2", "classifier.3", "classifier.4"]
    assert last_pooling(nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 2)), SIZE) == ""
    with pytest.raises(KanjiError, match="no feature maps"):
        saliency(Recogniser(nn.Sequential(nn.Flatten(), nn.Linear(SIZE**2, 2))), random_image())


def test_the_overlay_has_dark_ink_on_white_and_orange() -> None:
    image = np.zeros((8, 8), np.uint8)
    image[:, 4] = 255
    heat = np.zeros((8, 8), np.float32)
    heat[0] = 1
    drawn = np.asarray(overlay(image, heat))
    assert drawn.shape == (32, 32, 3)
    assert drawn[31, 0].tolist() == [255, 255, 255]
    assert drawn[0, 0].tolist() == [255, 90, 0]
    assert drawn[31, 17].max() < 50


class WithAttention(TopLeft):
    """Its attention map is 4x4 and not 0 only in the middle."""

    def attention(self, images: torch.Tensor) -> torch.Tensor:
        bright = nn.functional.adaptive_avg_pool2d(images, 4)[:, 0]
        mask = torch.zeros(4, 4)
        mask[1:3, 1:3] = 1
        return bright.clamp(min=0) * mask


def test_a_networks_own_attention_is_used_on_normalised_images() -> None:
    image = np.full((SIZE, SIZE), 100, np.uint8)
    image[8:16, 8:16] = 250
    found = saliency(Recogniser(WithAttention(True), 0.1, 0.3).eval(), image)
    assert found.method == ATTENTION
    assert np.unravel_index(found.map.argmax(), found.map.shape) in [(y, x) for y in (11, 12) for x in (11, 12)]
    assert found.map[20, 20] == pytest.approx((100 / 255 - 0.1) / (250 / 255 - 0.1), abs=0.03)  # normalised levels
    assert found.map[2, 2] == 0


def test_attention_of_a_wrong_shape_is_refused() -> None:
    class Flat(TopLeft):
        def attention(self, images: torch.Tensor) -> torch.Tensor:
            return images.flatten(1)

    with pytest.raises(KanjiError, match="not a map of weights"):
        saliency(Recogniser(Flat(True)).eval(), random_image())


@pytest.mark.parametrize("name", OWN_ATTENTION)
def test_the_attention_of_our_networks_is_used(name: str) -> None:
    recogniser = random_network(name)
    found = saliency(recogniser, random_image())
    assert found.method == ATTENTION
    assert found.map.max() == pytest.approx(1)
    assert np.isfinite(found.map).all()


def test_without_a_pooling_layer_the_last_feature_maps_are_used() -> None:
    class Mean(TopLeft):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.head((self.keep(self.body(images) * self.mask)).mean((2, 3)))

    network = Mean(True)
    network.pool, network.keep = nn.Identity(), nn.Identity()
    assert last_feature_map(network, SIZE) == "keep"
    found = saliency(Recogniser(network).eval(), np.full((SIZE, SIZE), 200, np.uint8), 1)
    assert found.method == GRADIENT
    assert found.map[28, 28] == pytest.approx(1)
    assert found.map[4, 4] == 0


def test_the_job_explains_samples(trained, report) -> None:
    found = run(Spec(model_path=trained.model_path, data_dir=trained.data_dir, samples=(3, 17)), report)
    recogniser, card = load_recogniser(trained.model_path)
    dataset = open_dataset(trained.data_dir)
    for one, number in zip(found.explained, (3, 17), strict=True):
        alone = saliency(recogniser, dataset.images([number])[0])
        np.testing.assert_allclose(one.map, alone.map, atol=1e-3)
        assert (one.sample, one.method, one.size) == (number, ACTIVATION, 32)
        assert one.jis == name_jis(card.classes[alone.output])
        assert one.truth == jis_to_character(int(dataset.jis[number]))
    assert found.picture_path == found.array_path == ""


def test_the_command_prints_a_map_or_refuses_two_inputs(trained, kanji_tui) -> None:
    where = ("--home", trained.home, "--model-path", trained.model_path, "--data-dir", trained.data_dir)
    plain = kanji_tui("saliency", *where, "--sample", 3)
    assert plain.returncode == 0, plain.stderr
    assert "class activation map" in plain.stdout
    assert len([line for line in plain.stdout.splitlines() if line.startswith("  ")]) == 16
    both = kanji_tui("saliency", "image.png", *where, "--sample", 3)
    assert both.returncode == 2
    assert "one image file" in both.stderr


def test_the_job_explains_an_image_for_a_character(trained, tmp_path: Path, report) -> None:
    image = np.full((60, 60), 255, np.uint8)
    image[10:50, 28:32] = image[28:32, 10:50] = 0
    Image.fromarray(image).save(tmp_path / "ten.png")
    spec = Spec(
        model_path=trained.model_path, image=tmp_path / "ten.png", character="田", output_path=tmp_path / "out.png"
    )
    found = run(spec, report)
    (one,) = found.explained
    assert (one.character, one.jis, one.truth, one.sample) == ("田", "4544", "", None)
    with Image.open(found.picture_path) as drawn:
        assert drawn.size == (128, 128)
    np.testing.assert_allclose(np.load(found.array_path), one.map, atol=1e-3)
    json.dumps(dataclasses.asdict(found))


def test_wrong_usage_is_refused_and_nothing_written(trained, tmp_path: Path, report) -> None:
    spec = Spec(model_path=trained.model_path, data_dir=trained.data_dir, output_path=tmp_path / "out.png")
    with pytest.raises(UsageError, match="needs either samples or an image file"):
        run(spec, report)
    with pytest.raises(UsageError, match="only one image can be written"):
        run(dataclasses.replace(spec, samples=(0, 1)), report)
    with pytest.raises(UsageError, match="no sample 100000"):
        run(dataclasses.replace(spec, samples=(100000,)), report)
    with pytest.raises(UsageError, match="does not know '鬱'"):
        run(dataclasses.replace(spec, samples=(0,), character="鬱"), report)
    with pytest.raises(UsageError, match=r"does not end in \.png"):
        run(dataclasses.replace(spec, samples=(0,), output_path=tmp_path / "out.jpg"), report)
    assert not list(tmp_path.iterdir())
