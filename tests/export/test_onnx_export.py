"""ONNX exports of trained networks: read back, run in both engines, and not kept if they fail."""

import dataclasses
import json
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from kanji_tui.data.dataset import open_dataset
from kanji_tui.engines.graph import GLOBAL_POOLS
from kanji_tui.engines.parity import Comparison
from kanji_tui.errors import KanjiError, Stopped, UsageError
from kanji_tui.events import Notice, Progress
from kanji_tui.export import conversion, onnx_export, verification
from kanji_tui.export.onnx_export import export_onnx
from kanji_tui.export.results import ExportedOnnx
from kanji_tui.inspection.inspect import inspect_models
from kanji_tui.networks import registry
from kanji_tui.networks.card import ModelCard
from tests.conftest import Remembered
from tests.export.conftest import copy_of
from tests.forking import Forks

TARGETS = {"tract": 12, "ort-tract": 11, "strict": 11}


@pytest.fixture
def model(models: dict[str, Path], tmp_path: Path) -> Path:
    """The smaller network, in a folder of its own."""
    return copy_of(models["v2.1"], tmp_path / "models")


@pytest.mark.parametrize(
    ("network", "target"), [*(("kanjinet", target) for target in TARGETS), ("v2.1", "strict"), ("v2.1", "tract")]
)
def test_the_file_has_the_properties_of_its_target(
    models, sample_dataset: Path, tmp_path: Path, report, network: str, target: str
) -> None:
    path = tmp_path / "out.onnx"
    made = export_onnx(models[network], sample_dataset, report, target=target, output_path=path, full_parity=True)
    assert made.path == str(path)
    assert made.opset == TARGETS[target]
    assert made.bytes == path.stat().st_size
    assert made.samples_source.startswith("synthetic samples, not handwriting, test split of")
    tested = 12 * 2  # 15 % of 16 writers
    for engine in ("onnxruntime", "tract"):
        parity = made.parity[engine]
        assert parity.samples == tested
        assert parity.passed
        assert parity.top1_agreement == 1.0
        assert parity.decided == tested
        assert 0 < parity.max_logit_difference <= parity.tolerance
        assert parity.largest_logit > 2, "an untrained network's logits would be near 0"
    file = onnx.load(str(path))
    assert {entry.domain: entry.version for entry in file.opset_import} == {"": TARGETS[target]}
    batch = file.graph.input[0].type.tensor_type.shape.dim[0]
    assert (batch.dim_value, batch.dim_param) == ((1, "") if target == "strict" else (0, "batch"))
    assert [value.name for value in (*file.graph.input, *file.graph.output)] == ["input", "logits"]
    pools = [node.op_type for node in file.graph.node if node.op_type in GLOBAL_POOLS]
    assert bool(pools) == (target == "tract")
    assert ("GlobalAveragePool" in made.pooling) == (target == "tract")
    assert any("Global" in node.name for node in file.graph.node) == (target == "tract")
    assert any(isinstance(event, Progress) and event.phase == "parity" for event in report.events)
    json.dumps(dataclasses.asdict(made))
    if network == "kanjinet":
        inspected = inspect_models((path,), report).models[0]
        for engine in ("onnxruntime", "tract"):
            assert inspected.backends[engine].runs is True
            assert inspected.backends[engine].refused == ()


@pytest.fixture(scope="module")
def exported(models, sample_dataset: Path, forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> ExportedOnnx:
    """A kanjinet exported beside its .pth, with no options. Read only."""
    model = copy_of(models["kanjinet"], tmp_path_factory.mktemp("exported") / "models")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("kanji_tui.system.child.subprocess", forks)
        return export_onnx(model, sample_dataset, Remembered())


def test_file_name_mapping_and_card(exported: ExportedOnnx) -> None:
    made, model = exported, Path(exported.path).with_name("best_kanji_model.pth")
    name = "kanji_model_etl9g-sample_32x32_12classes_tract"
    assert Path(made.path) == model.with_name(f"{name}.onnx")
    assert Path(made.mapping_path) == model.with_name(f"{name}_mapping.json")
    mapping = json.loads(Path(made.mapping_path).read_text(encoding="utf-8"))
    assert mapping["num_classes"] == 12
    assert "田" in {entry["character"] for entry in mapping["characters"].values()}
    kept = {entry.key: entry.value for entry in onnx.load(made.path).metadata_props}
    card = json.loads(model.with_name("best_model_info.json").read_text(encoding="utf-8"))
    assert json.loads(kept["card"])["classes"] == card["classes"]
    assert kept["version"]
    assert made.exporter == "TorchScript"


def test_the_file_takes_images_in_0_to_1(exported: ExportedOnnx, sample_dataset: Path) -> None:
    """Normalisation is inside the graph, and the file alone recognises most samples."""
    dataset = open_dataset(sample_dataset)
    session = onnxruntime.InferenceSession(exported.path)
    numbers = np.arange(0, len(dataset), 3)
    images = dataset.images(numbers)[:, None].astype(np.float32) / 255
    found = session.run(None, {"input": images})[0].argmax(1)
    assert np.mean(found == dataset.labels[numbers]) > 0.8


def test_without_a_dataset_synthetic_samples_are_used_and_reported(
    model: Path, tmp_path: Path, report, monkeypatch
) -> None:
    monkeypatch.setattr("kanji_tui.engines.samples.PARITY_SAMPLES", 48)
    made = export_onnx(model, tmp_path / "nowhere", report, target="ort-tract")
    assert made.samples_source == f"synthetic samples, because there is no dataset in {tmp_path / 'nowhere'}"
    assert made.parity["tract"].samples == 48
    assert any("synthetic samples" in notice.message for notice in report.of(Notice))


def test_without_a_dataset_and_a_font_the_export_fails(model: Path, tmp_path: Path, report, monkeypatch) -> None:
    def no_font(*arguments: object) -> None:
        raise KanjiError("no Japanese font was found", "install one")

    monkeypatch.setattr("kanji_tui.engines.samples.generate_sample", no_font)
    with pytest.raises(KanjiError, match=r"the model cannot be tested.*no Japanese font") as caught:
        export_onnx(model, tmp_path / "nowhere", report)
    assert caught.value.remedy == "install one"
    assert not list(model.parent.glob("*.onnx"))


def test_a_file_whose_logits_exceed_the_tolerance_is_not_kept(
    model: Path, sample_dataset: Path, report, monkeypatch
) -> None:
    def shifted_bias(*arguments):
        file = conversion.convert(*arguments)
        bias = next(tensor for tensor in file.graph.initializer if list(tensor.dims) == [12])
        shifted = onnx.numpy_helper.to_array(bias) + np.float32(0.01)
        bias.CopyFrom(onnx.numpy_helper.from_array(shifted, bias.name))
        return file

    monkeypatch.setattr(onnx_export, "convert", shifted_bias)
    before = set(model.parent.iterdir())
    with pytest.raises(KanjiError, match=r"not kept: they differ by up to 0\.01"):
        export_onnx(model, sample_dataset, report, target="ort-tract")
    assert set(model.parent.iterdir()) == before


def test_a_file_that_does_not_run_in_tract_is_not_kept(
    model: Path, sample_dataset: Path, report, monkeypatch
) -> None:
    def with_reversal(*arguments):
        file = conversion.convert(*arguments)
        file.graph.node[-1].output[0] = "before"
        lengths = onnx.numpy_helper.from_array(np.array([12]), "lengths")
        reverse = onnx.helper.make_node(
            "ReverseSequence", ["before", "lengths"], ["logits"], batch_axis=0, time_axis=1
        )
        file.graph.initializer.append(lengths)
        file.graph.node.append(reverse)
        return file

    monkeypatch.setattr(onnx_export, "convert", with_reversal)
    monkeypatch.setattr(verification.Comparison, "add", lambda *arguments: None)
    before = set(model.parent.iterdir())
    with pytest.raises(
        KanjiError, match=r"tract .* does not run the strict file.*Unimplemented\(ReverseSequence\)"
    ):
        export_onnx(model, sample_dataset, report, target="strict")
    assert set(model.parent.iterdir()) == before


def test_a_failed_export_keeps_the_older_file(model: Path, sample_dataset: Path, report, monkeypatch) -> None:
    older = model.with_name("older.onnx")
    older.write_bytes(b"an export of before")
    monkeypatch.setattr(verification, "Comparison", partial(Comparison, 0.0))  # no difference passes
    with pytest.raises(KanjiError, match="not kept"):
        export_onnx(model, sample_dataset, report, target="strict", output_path=older)
    assert older.read_bytes() == b"an export of before"


def test_an_unknown_target_and_a_wrong_ending_are_refused(
    model: Path, sample_dataset: Path, tmp_path: Path, report
) -> None:
    with pytest.raises(UsageError, match="no ONNX target 'coreml'"):
        export_onnx(model, sample_dataset, report, target="coreml")
    with pytest.raises(UsageError, match=r"does not end in \.onnx"):
        export_onnx(model, sample_dataset, report, output_path=tmp_path / "model.bin")


def test_a_stopped_export_leaves_no_file(model: Path, sample_dataset: Path, report) -> None:
    report.stop = True
    with pytest.raises(Stopped):
        export_onnx(model, sample_dataset, report, target="strict")
    assert not list(model.parent.glob("*.onnx*"))


class Attentive(nn.Module):
    """Attention between image rows, by an operator that can be exported from opset 14 on."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.head = nn.Linear(size, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        rows = images[:, 0]
        return self.head(nn.functional.scaled_dot_product_attention(rows, rows, rows).mean(1))


@pytest.mark.parametrize("target", TARGETS)
def test_an_operator_newer_than_the_opset_is_refused_by_name(
    tmp_path: Path, sample_dataset: Path, report, monkeypatch, capfd, target: str
) -> None:
    """Torch's C++ code prints the whole graph; none of that may reach the terminal or --json."""
    monkeypatch.setattr("kanji_tui.networks.kanjinet.Attentive", Attentive, raising=False)
    monkeypatch.setitem(
        registry.NETWORKS, "attentive", registry.NetworkEntry("kanjinet:Attentive", "for a test", "head.weight")
    )
    dataset = open_dataset(sample_dataset)
    card = ModelCard("attentive", dataset.classes, dataset.size, dataset=dataset.name)
    path = tmp_path / "best_kanji_model.pth"
    torch.save(Attentive(len(dataset.classes), dataset.size).state_dict(), path)
    path.with_name("best_model_info.json").write_text(json.dumps(card.to_json()), encoding="utf-8")
    with pytest.raises(KanjiError, match=f"attentive cannot be exported at opset {TARGETS[target]}") as caught:
        export_onnx(path, sample_dataset, report, target=target)
    assert "aten::scaled_dot_product_attention" in caught.value.message
    assert "train another network" in caught.value.remedy
    assert not list(tmp_path.glob("*.onnx*"))
    printed = capfd.readouterr()
    assert printed.out == printed.err == ""
