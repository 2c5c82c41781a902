"""The variants that `export onnx` can make of a model, and those it refuses."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Notice
from kanji_tui.export import verification
from kanji_tui.export.conversion import convert
from kanji_tui.export.onnx_export import export_onnx
from kanji_tui.export.options import POOLING_TYPES, QUANTISATIONS
from kanji_tui.export.pooling_table import compare_pooling
from kanji_tui.export.results import ExportedOnnx
from kanji_tui.export.targets import TARGETS
from kanji_tui.export.variants import Variant, make_variant, trained_pooling
from kanji_tui.inspection.inspect import inspect_models
from kanji_tui.networks import registry
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.recognition.evaluation import evaluate
from kanji_tui.recognition.models import open_model
from kanji_tui.recognition.weights import load_recogniser
from tests.export.conftest import copy_of


@pytest.fixture
def model(models: dict[str, Path], tmp_path: Path) -> Path:
    return copy_of(models["v2.1"], tmp_path / "models")


@pytest.fixture
def export(model: Path, sample_dataset: Path, report):
    def run(target: str = "tract", data_dir: Path = sample_dataset, **variant: object) -> ExportedOnnx:
        made = export_onnx(model, data_dir, report, target=target, variant=Variant(**variant))  # type: ignore[arg-type]
        json.dumps(dataclasses.asdict(made))
        return made

    return run


class Quartered(nn.Module):
    """A network with 2x2 pooling before its classifier."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3, 4), nn.ReLU())
        self.pool = nn.AdaptiveMaxPool2d(2)
        self.head = nn.Linear(16, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.pool(self.body(images)).flatten(1))


@pytest.fixture
def quartered(tmp_path: Path, sample_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A .pth of such a network, which the registry knows during the test."""
    from kanji_tui.data.dataset import open_dataset

    monkeypatch.setattr("kanji_tui.networks.kanjinet.Quartered", Quartered, raising=False)
    entry = registry.NetworkEntry("kanjinet:Quartered", "for a test", "head.weight")
    monkeypatch.setitem(registry.NETWORKS, "quartered", entry)
    dataset = open_dataset(sample_dataset)
    card = ModelCard("quartered", dataset.classes, dataset.size, dataset=dataset.name)
    torch.manual_seed(1)
    network = Quartered(len(dataset.classes), dataset.size)
    nn.init.normal_(network.head.weight, 0, 5)
    path = tmp_path / "quartered" / "best_kanji_model.pth"
    path.parent.mkdir()
    torch.save(network.state_dict(), path)
    path.with_name("best_model_info.json").write_text(json.dumps(card.to_json()), encoding="utf-8")
    return path


def test_a_fixed_average_at_the_trained_size_is_the_same_network_and_not_measured(export) -> None:
    made = export(pooling_type="fixed_avg", image_size=32)
    assert Path(made.path).name == "kanji_model_etl9g-sample_32x32_12classes_tract_fixed_avg.onnx"
    assert (made.opset, made.pooling_type, made.changed, made.accuracy) == (12, "fixed_avg", "", None)
    assert "whole image" not in made.pooling
    assert all(parity.passed for parity in made.parity.values())


@pytest.mark.parametrize("kind", ["adaptive_max", "fixed_max"])
def test_a_maximum_is_another_network_and_its_accuracy_measured(
    export, model: Path, sample_dataset: Path, report, monkeypatch, kind: str
) -> None:
    monkeypatch.setattr(verification, "ACCURACY_LOSS", -1.0)
    made = export(pooling_type=kind)
    assert Path(made.path).stem.endswith(f"_tract_{kind}")
    assert made.changed == f"it pools by {kind}, but was trained with adaptive_avg"
    found = [evaluate(path, sample_dataset, "test", None, report).top1 for path in (model, Path(made.path))]
    assert made.accuracy is not None
    assert [made.accuracy.before, made.accuracy.top1] == found
    assert made.accuracy.samples == 24
    assert any("the network as trained" in notice.message for notice in report.of(Notice))
    assert all(parity.passed for parity in made.parity.values())
    assert ("ReduceMax whole image" in made.pooling) == (kind == "adaptive_max")
    assert ("whole image" in made.pooling) == (kind == "adaptive_max")
    assert {timing.batch for timing in made.latency["tract"]} == {1, 4}
    exported = open_model(Path(made.path))
    assert exported.card.metrics["changed"] == made.changed
    assert "test" not in exported.card.metrics
    recogniser, card = load_recogniser(model)
    recogniser.network.global_pool = nn.AdaptiveMaxPool2d(1)
    images = np.random.default_rng(0).integers(0, 256, (2, card.size, card.size), np.uint8)
    with torch.inference_mode():
        expected = recogniser(torch.from_numpy(images)[:, None].float() / 255).numpy()
    logits = exported.logits(images)
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-3)
    assert np.abs(logits - open_model(model).logits(images)).max() > 0.1


@pytest.mark.parametrize("kind", ["avg_2x2", "max_2x2"])
def test_a_grid_needs_retraining(export, model: Path, kind: str) -> None:
    with pytest.raises(UsageError, match=rf"{kind} needs retraining.*takes 1 value of each") as caught:
        export(pooling_type=kind)
    assert "adaptive_avg" in caught.value.remedy
    assert not list(model.parent.glob("*.onnx"))


def test_a_network_trained_with_a_grid_is_exported_with_it(quartered: Path, sample_dataset: Path, report) -> None:
    recogniser, card = load_recogniser(quartered)
    assert trained_pooling(recogniser, card.size) == "max_2x2"
    for variant in (Variant(), Variant(pooling_type="max_2x2")):
        made = export_onnx(quartered, sample_dataset, report, target="strict", variant=variant)
        assert made.pooling_type == "max_2x2"
        assert made.pooling == "MaxPool 4x4"
    with pytest.raises(UsageError, match=r"fixed_max needs retraining.*takes 4 values of each"):
        export_onnx(quartered, sample_dataset, report, target="strict", variant=Variant(pooling_type="fixed_max"))


def test_contradictory_and_unknown_options_are_refused(export, model: Path) -> None:
    with pytest.raises(
        UsageError, match="adaptive_avg is global pooling, which the target strict does not have"
    ) as caught:
        export(target="strict", pooling_type="adaptive_avg")
    assert "fixed_avg" in caught.value.remedy
    with pytest.raises(UsageError, match="no pooling type 'median'"):
        export(pooling_type="median")
    with pytest.raises(UsageError, match="no quantisation 'int4'"):
        export(quantize="int4")
    with pytest.raises(UsageError, match="32x32 to 128x128 pixels"):
        export(image_size=20)


def test_the_accuracy_at_another_image_size_is_measured(models, sample_dataset: Path, tmp_path, report) -> None:
    model = copy_of(models["kanjinet"], tmp_path / "models")
    made = export_onnx(model, sample_dataset, report, variant=Variant(image_size=48))
    assert Path(made.path).name == "kanji_model_etl9g-sample_48x48_12classes_tract.onnx"
    assert made.size == 48
    assert made.changed == "it takes 48x48 images, but was trained on 32x32"
    assert made.samples_source.endswith("resized to 48 pixels")
    assert made.accuracy is not None
    assert made.accuracy.before > 0.5
    assert made.accuracy.samples == 24
    file = onnx.load(made.path)
    assert [dim.dim_value for dim in file.graph.input[0].type.tensor_type.shape.dim[1:]] == [1, 48, 48]
    assert open_model(Path(made.path)).card.size == 48


def test_another_size_is_refused_if_the_weights_depend_on_it(models: dict[str, Path], monkeypatch) -> None:
    _, card = load_recogniser(models["kanjinet"])

    class Flat(nn.Module):
        def __init__(self, classes: int, size: int) -> None:
            super().__init__()
            self.head = nn.Linear(size * size, classes)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.head(images.flatten(1))

    monkeypatch.setattr("kanji_tui.networks.kanjinet.KanjiNet", Flat)
    flat = Recogniser(Flat(12, 32)).eval()
    with pytest.raises(UsageError, match="only fit 32x32 images") as caught:
        make_variant(flat, card, TARGETS["tract"], Variant(image_size=48))
    assert "prepare --size 48" in caught.value.remedy
    with pytest.raises(UsageError, match="has no pooling layer"):
        make_variant(flat, card, TARGETS["tract"], Variant(pooling_type="adaptive_max"))


@pytest.mark.parametrize("variant", [{"image_size": 48}, {"pooling_type": "fixed_max"}])
def test_a_variant_that_is_another_network_needs_a_dataset(export, tmp_path: Path, variant: dict) -> None:
    with pytest.raises(KanjiError, match="accuracy cannot be measured: there is no dataset"):
        export(data_dir=tmp_path / "nowhere", **variant)


def test_the_given_recogniser_is_not_modified(models: dict[str, Path]) -> None:
    recogniser, card = load_recogniser(models["kanjinet"])
    make_variant(recogniser, card, TARGETS["tract"], Variant(pooling_type="adaptive_max", image_size=48))
    assert trained_pooling(recogniser, card.size) == "adaptive_avg"


@pytest.mark.parametrize(
    ("network", "kind"),
    [("kanjinet", "int8-static"), ("v2.1", "int8-dynamic"), ("v2.1", "fp16")],
)
def test_a_quantised_file_is_smaller_and_runs_in_both_engines(
    models, sample_dataset: Path, tmp_path: Path, report, network: str, kind: str
) -> None:
    plain = convert(*load_recogniser(models[network]), TARGETS["tract"])
    path = tmp_path / "quantised.onnx"
    report.events.clear()
    made = export_onnx(models[network], sample_dataset, report, output_path=path, variant=Variant(quantize=kind))
    assert made.opset == (12 if kind == "fp16" else 13)
    assert made.quantization == kind
    assert made.bytes < plain.ByteSize() * (0.55 if kind == "fp16" else 0.4)
    assert report.events[0] == Notice(f"{kind}: {QUANTISATIONS[kind]}"), "reported before the export starts"
    assert made.accuracy is not None
    assert made.accuracy.top1 >= made.accuracy.before - 0.1
    for engine in ("onnxruntime", "tract"):
        assert made.parity[engine].samples >= 16
        assert made.parity[engine].max_logit_difference > 0
        assert made.parity[engine].top1_agreement > 0.8
        assert made.latency[engine][0].median is not None
    initializers = onnx.load(str(path)).graph.initializer
    types = {tensor.data_type for tensor in initializers}
    halves, integers = onnx.TensorProto.FLOAT16, {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}
    assert (halves in types) == (kind == "fp16")
    assert bool(integers & types) == (kind != "fp16")
    if kind == "fp16":  # no operator computes in half precision
        assert made.parity["tract"].max_logit_difference < 0.01 * made.parity["tract"].largest_logit
        assert {node.op_type for node in onnx.load(str(path)).graph.node} == {
            "Cast",
            *(node.op_type for node in plain.graph.node),
        }
    source = f"synthetic samples, not handwriting, train split of {sample_dataset}"
    assert made.calibration == (source if kind == "int8-static" else "")
    if kind == "int8-static":  # its ranges are per channel
        scales = [list(tensor.dims) for tensor in initializers if tensor.name.endswith("_scale")]
        assert any(dims not in ([], [1]) for dims in scales)
    if network == "v2.1":
        inspected = inspect_models((path,), report).models[0]
        assert inspected.backends["tract"].runs is True, inspected.backends["tract"].reason


def test_file_name_note_and_card_of_a_quantised_file(export) -> None:
    made = export(target="strict", quantize="int8-static", image_size=48)
    assert Path(made.path).name == "kanji_model_etl9g-sample_48x48_12classes_strict_int8_static.onnx"
    assert "opset 13 instead of 11, because its operators need that" in made.note
    assert open_model(Path(made.path)).card.metrics["changed"].endswith("; int8-static")
    assert made.latency["tract"][1].reason == "its batch is fixed at 1"


def test_static_quantisation_needs_a_dataset(export, tmp_path: Path, model: Path) -> None:
    with pytest.raises(KanjiError, match="calibration needs a dataset: there is no dataset") as caught:
        export(data_dir=tmp_path / "nowhere", quantize="int8-static")
    assert "--data-dir" in caught.value.remedy
    assert not list(model.parent.glob("*.onnx"))


def test_dynamic_quantisation_works_without_a_dataset(export, tmp_path: Path, report, monkeypatch) -> None:
    monkeypatch.setattr("kanji_tui.engines.samples.PARITY_SAMPLES", 48)
    made = export(data_dir=tmp_path / "nowhere", quantize="int8-dynamic")
    assert made.accuracy is None
    assert any("accuracy not measured" in notice.message for notice in report.of(Notice))


def test_a_quantised_file_with_nan_logits_is_not_kept(export, model: Path, monkeypatch) -> None:
    run_logits = verification.run_logits
    monkeypatch.setattr(verification, "run_logits", lambda *arguments: run_logits(*arguments) * np.nan)
    with pytest.raises(KanjiError, match="not kept: they differ by up to nan"):
        export(quantize="int8-dynamic")
    assert not list(model.parent.glob("*.onnx"))


def test_the_pooling_table_measures_every_type(models: dict[str, Path], sample_dataset: Path, report) -> None:
    table = compare_pooling(models["kanjinet"], sample_dataset, report)
    assert (table.trained, table.samples) == ("adaptive_avg", 24)
    rows = {row.type: row for row in table.poolings}
    assert list(rows) == list(POOLING_TYPES)
    assert rows["adaptive_avg"].trained
    assert rows["adaptive_avg"].top1 == rows["fixed_avg"].top1 > 0.5
    assert rows["adaptive_max"].top1 == rows["fixed_max"].top1
    assert rows["adaptive_avg"].operators["GlobalAveragePool"] == rows["fixed_avg"].operators["AveragePool"] == 5
    for kind in ("avg_2x2", "max_2x2"):
        assert "needs retraining" in rows[kind].refused
        assert rows[kind].latency is None
    assert rows["fixed_max"].bytes > 0
    assert rows["fixed_max"].latency["tract"][0].median > 0
    json.dumps(dataclasses.asdict(table))
