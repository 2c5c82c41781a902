"""Feature maps, compared with the outputs that a hook of the test sees."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.jobs.feature_maps import Spec, run
from kanji_tui.networks import registry
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.recognition.feature_maps import known_layers, outputs_of, strongest
from kanji_tui.recognition.shown_layers import LayerOutput, as_maps
from kanji_tui.recognition.weights import load_recogniser
from tests.recognition.test_saliency import random_image, random_network

SIZE = 32
KANJINET = """stem body.2 body.3.attention body.3 body.6 body.7.attention body.7 body.10 body.11.attention body.11
    body.12.attention body.12 body.15"""
KUZUSHIJI = """blocks.{0}.branches.0 blocks.{0}.branches.1 blocks.{0}.channels blocks.{0}.places blocks.{0}"""
LAYERS = {
    "kanjinet": KANJINET,
    "kanjinet-2x2": f"{KANJINET} pool",
    "v1": "conv1 conv2 conv3 conv4",
    "v2": "conv1 conv2 conv3 conv4 conv5",
    "v2.1": "conv1 conv2 conv3 attention3 conv4 attention4 conv5 attention5",
    "kuzushiji": " ".join(["first", *(KUZUSHIJI.format(number) for number in range(3))]),
    "vit": "patches "
    + " ".join(f"encoder.blocks.{n}.attention encoder.blocks.{n}" for n in range(6))
    + " encoder.norm",
    "hybrid": "body.2 body.5 body.6 body.9 body.10 body.13 "
    + " ".join(f"encoder.blocks.{n}.attention encoder.blocks.{n}" for n in range(3))
    + " encoder.norm",
}


@pytest.mark.parametrize("name", [name for name, entry in registry.NETWORKS.items() if not entry.needs])
def test_the_layers_of_each_network_in_the_order_in_which_they_run(name: str) -> None:
    recogniser = Recogniser(registry.build(name, 7, 64)).eval()
    layers = known_layers(recogniser, 64)
    assert [layer.name for layer in layers] == LAYERS[name].split()
    ran: list[str] = []
    for own, module in recogniser.network.named_modules():
        module.register_forward_hook(lambda *_, own=own: ran.append(own))
    recogniser(torch.zeros(1, 1, 64, 64))
    assert [layer.name for layer in layers] == [own for own in ran if own in LAYERS[name].split()]
    attentions = {layer.name for layer in layers if layer.kind == "attention"}
    assert attentions == {own for own in LAYERS[name].split() if own.split(".")[-1].startswith(("att", "ch", "pl"))}


def test_layers_of_networks_of_transformers() -> None:
    pytest.importorskip("transformers")
    for name, first, last, some in (
        ("zoo-resnet", "embedder.activation", "stages.2.layers.1", "encoder.stages.0.layers.0"),
        ("zoo-efficientnet", "embeddings.activation", "top_activation", "blocks.3.squeeze_excite"),
        ("zoo-vit", "projection", "layernorm", "layers.2.attention"),
        ("zoo-swin", "projection", "layers.2.blocks.1", "layers.1.blocks.0"),
    ):
        layers = [layer.name for layer in known_layers(Recogniser(registry.build(name, 7, 64)).eval(), 64)]
        assert layers[0].endswith(first)
        assert layers[-1].endswith(last)
        assert any(layer.endswith(some) for layer in layers)
        assert len(set(layers)) == len(layers)


@pytest.mark.parametrize("name", LAYERS)
def test_the_maps_are_the_outputs_of_the_layers(name: str) -> None:
    recogniser, image = random_network(name), random_image()
    seen: dict[str, Tensor] = {}
    handles = [
        module.register_forward_hook(lambda _module, _inputs, output, own=own: seen.update({own: output.clone()}))
        for own, module in recogniser.network.named_modules()
        if own in LAYERS[name].split()
    ]
    with torch.inference_mode():
        recogniser(torch.from_numpy(image)[None, None].float() / 255)
    for handle in handles:
        handle.remove()
    outputs = outputs_of(recogniser, image)
    assert outputs
    for output in outputs:
        expected = seen[output.name][0]
        if expected.dim() == 2:  # tokens, row by row
            side = output.maps.shape[1]
            expected = torch.stack([expected[row * side : (row + 1) * side] for row in range(side)]).permute(
                2, 0, 1
            )
        torch.testing.assert_close(output.maps, expected)
        for one in strongest(output, 3, True):
            channel = expected[one.channel].numpy()
            np.testing.assert_allclose(one.values, channel, rtol=1e-4, atol=1e-7)
            levels = np.frombuffer(bytes.fromhex(one.levels), np.uint8).reshape(channel.shape) / 255
            atol = (one.highest - one.lowest) / 500
            np.testing.assert_allclose(one.lowest + levels * (one.highest - one.lowest), channel, atol=atol)


def test_the_channels_that_vary_most_come_first() -> None:
    maps = torch.zeros(5, 4, 4)
    maps[0] = 100.0  # high, and the same everywhere
    maps[1, 0, 0] = 1.0
    maps[2, :2] = -3.0
    maps[4, 0, 0] = 1.0
    found = strongest(LayerOutput("layer", "block", maps), 4, False)
    assert [one.channel for one in found] == [2, 1, 4, 0]
    assert [one.deviation for one in found] == pytest.approx([1.5, maps[1].numpy().std(), maps[1].numpy().std(), 0])
    assert (found[0].lowest, found[0].highest, found[0].mean) == (-3.0, 0.0, -1.5)
    assert found[0].levels == "00" * 8 + "ff" * 8
    assert found[3].levels == "00" * 16
    assert found[0].values == ()


def test_values_that_are_no_numbers_give_an_empty_map() -> None:
    maps = torch.full((1, 2, 2), torch.nan)
    (found,) = strongest(LayerOutput("layer", "block", maps), 4, False)
    assert found.levels == "00" * 4


def test_what_counts_as_a_map() -> None:
    tokens = torch.arange(18.0).reshape(1, 9, 2)
    assert as_maps(tokens)[1].tolist() == [[1, 3, 5], [7, 9, 11], [13, 15, 17]]
    with_class_token = torch.cat([torch.full((1, 1, 2), 99.0), tokens], 1)
    assert torch.equal(as_maps((with_class_token, None)), as_maps(tokens))
    for other in (
        torch.zeros(2, 3, 4, 4),
        torch.zeros(1, 3, 1, 1),
        torch.zeros(1, 7, 2),
        torch.zeros(1, 7),
        None,
        (),
    ):
        assert as_maps(other) is None


def test_a_network_without_feature_maps_is_refused() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(SIZE**2, 2))
    with pytest.raises(KanjiError, match="no feature maps"):
        known_layers(Recogniser(network).eval(), SIZE)


def test_a_plain_row_of_layers_gives_its_activations() -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    assert [layer.name for layer in known_layers(Recogniser(network).eval(), SIZE)] == ["1", "3"]


def test_an_output_is_copied_before_the_next_layer_works_in_place_on_it() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Hardtanh(0, 0.01, inplace=True))
    image = random_image()
    (output,) = outputs_of(Recogniser(network).eval(), image)
    expected = network[1](network[0](torch.from_numpy(image)[None, None].float() / 255))[0]
    assert expected.max() > 0.01
    torch.testing.assert_close(output.maps, expected)


def test_the_job_gives_the_maps_of_samples(trained, report) -> None:
    found = run(Spec(trained.model_path, trained.data_dir, samples=(3, 17), channels=5), report)
    recogniser, _ = load_recogniser(trained.model_path)
    dataset = open_dataset(trained.data_dir)
    assert [layer.name for layer in found.layers] == KANJINET.split()
    for image, number in zip(found.images, (3, 17), strict=True):
        assert image.sample == number
        outputs = outputs_of(recogniser, dataset.images([number])[0])
        assert [one.layer for one in image.layers] == [output.name for output in outputs]
        for one, output in zip(image.layers, outputs, strict=True):
            assert one.maps == strongest(output, 5, False)


def test_one_layer_of_an_image_is_written(trained, tmp_path: Path, report) -> None:
    image = np.full((60, 60), 255, np.uint8)
    image[10:50, 28:32] = image[28:32, 10:50] = 0
    Image.fromarray(image).save(tmp_path / "ten.png")
    spec = Spec(
        trained.model_path, image=tmp_path / "ten.png", layer="body.2", channels=6, output_path=tmp_path / "out.png"
    )
    found = run(spec, report)
    (one,) = found.images
    assert (one.sample, one.truth, [maps.layer for maps in one.layers]) == (None, "", ["body.2"])
    array = np.load(found.array_path)
    assert (array.dtype, array.shape) == (np.float32, (64, 8, 8))
    for channel in one.layers[0].maps:
        np.testing.assert_allclose(channel.values, array[channel.channel], rtol=1e-4, atol=1e-7)
    with Image.open(found.image_path) as drawn:
        assert drawn.size == (4 * 136 - 8, 2 * 136 - 8)
    json.dumps(dataclasses.asdict(found))


def test_wrong_usage_is_refused_and_nothing_written(trained, tmp_path: Path, report) -> None:
    spec = Spec(trained.model_path, trained.data_dir, samples=(0,), layer="stem", output_path=tmp_path / "out.png")
    for wrong, message in (
        ({"layer": "body.99"}, "kanjinet has no layer 'body.99'"),
        ({"samples": ()}, "either samples or an image file"),
        ({"image": tmp_path / "a.png"}, "either samples or an image file"),
        ({"samples": (0, 1)}, "only one image can be written"),
        ({"layer": ""}, "only the maps of one layer can be written"),
        ({"channels": 0}, "0 channels cannot be shown"),
        ({"samples": (100000,)}, "no sample 100000"),
        ({"output_path": tmp_path / "out.jpg"}, r"does not end in \.png"),
    ):
        with pytest.raises(UsageError, match=message):
            run(dataclasses.replace(spec, **wrong), report)
    assert not list(tmp_path.iterdir())


def test_the_command_lists_layers_and_shows_maps(trained, kanji_tui) -> None:
    where = ("--home", trained.home, "--model-path", trained.model_path, "--data-dir", trained.data_dir)
    listed = kanji_tui("saliency", *where, "--layers")
    assert listed.returncode == 0, listed.stderr
    assert "kanjinet: 13 layers with feature maps" in listed.stdout
    assert ["body.3.attention", "attention", "64", "8x8"] in [line.split() for line in listed.stdout.splitlines()]
    shown = kanji_tui("saliency", *where, "--sample", 3, "--layer", "body.3", "--channels", 2)
    assert "body.3, 64 x 8x8, the 2 that vary most, each on its own scale" in shown.stdout
    assert len(shown.stdout.splitlines()) == 10
    found = json.loads(kanji_tui("saliency", *where, "--sample", 3, "--layer", "body.3", "--json").stdout)
    (layer,) = found["images"][0]["layers"]
    assert {len(one["values"]) for one in layer["maps"]} == {8}
    assert found["layers"][3] == {"name": "body.3", "kind": "block", "channels": 64, "height": 8, "width": 8}
    both = kanji_tui("saliency", *where, "--sample", 3, "--layer", "body.3", "--character", "田")
    assert both.returncode == 2
    assert "the same for every character" in both.stderr


def test_the_built_in_model_has_feature_maps(kanji_tui) -> None:
    found = json.loads(kanji_tui("saliency", "--model-path", "built-in", "--layers", "--json").stdout)
    assert (found["model_path"], found["network"]) == ("built-in", "kanjinet")
    assert [layer["name"] for layer in found["layers"]] == KANJINET.split()
