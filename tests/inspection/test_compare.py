"""`compare`: operators, outputs and latency of several files."""

import dataclasses
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from kanji_tui.errors import Stopped, UsageError
from kanji_tui.events import Event, Progress
from kanji_tui.export.onnx_export import export_onnx
from kanji_tui.inspection import agreement
from kanji_tui.inspection.compare import compare_models
from kanji_tui.inspection.compared_file import ModelFile, read_model_file, shared_columns
from kanji_tui.inspection.given_inputs import InputShape
from kanji_tui.inspection.results import Compared
from tests.conftest import Remembered
from tests.forking import Forks
from tests.inspection import graphs
from tests.inspection import strange_files as strange


@pytest.fixture(scope="module")
def exports(trained, forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same network exported for two targets. Read only."""
    folder = tmp_path_factory.mktemp("exports")
    paths = {target: folder / f"{target}.onnx" for target in ("tract", "strict")}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("kanji_tui.system.child.subprocess", forks)
        for target, path in paths.items():
            export_onnx(trained.model_path, trained.data_dir, Remembered(), target=target, output_path=path)
    return paths


@pytest.fixture(autouse=True)
def untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """3 runs per timing instead of 30."""
    monkeypatch.setattr("kanji_tui.engines.engine.LATENCY_RUNS", 3)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timed at batch 1 only, where the timings are not what a test is about."""
    monkeypatch.setattr("kanji_tui.engines.latency.BATCHES", (1,))


def results(compared: Compared) -> dict[tuple[str, str], tuple]:
    return {(Path(r.model).stem, r.backend): (r.parity, r.reason) for r in compared.parity.results}


def test_one_network_exported_for_two_targets(exports, trained, report, monkeypatch) -> None:
    """Each model runs once on each sample in each engine."""
    outputs, runs = ModelFile.outputs, Counter()

    def counted(file, engine, images):
        runs[file.path.stem, engine.name] += len(images)
        return outputs(file, engine, images)

    monkeypatch.setattr(ModelFile, "outputs", counted)
    compared = compare_models((exports["tract"], exports["strict"]), trained.data_dir, report)
    assert runs == {(name, engine): 24 for name in exports for engine in ("onnxruntime", "tract")}
    first, second = compared.models
    assert (first.opset, second.opset) == (12, 11)
    assert first.bytes == exports["tract"].stat().st_size
    assert first.added == first.gone == {}
    assert second.gone["GlobalAveragePool"] == second.added["AveragePool"] == 5
    assert compared.operators["GlobalAveragePool"] == (5, 0)
    assert compared.operators["AveragePool"] == (0, 5)
    assert compared.operators["Conv"][0] == compared.operators["Conv"][1] > 10
    assert compared.parity.samples_source.startswith("synthetic samples, not handwriting, test split of")
    assert compared.parity.samples == 24
    found = results(compared)
    assert set(found) == {(name, engine) for name in exports for engine in ("onnxruntime", "tract")}
    assert all(parity.passed and parity.samples == 24 for parity, _ in found.values())
    assert found["tract", "onnxruntime"][0].max_logit_difference == 0
    assert found["strict", "tract"][0].max_logit_difference > 0
    assert first.top1 == second.top1 > 0.5
    for engine in ("onnxruntime", "tract"):
        one, many, fixed, refused = compared.latency[engine]
        assert [t.batch for t in (one, many, fixed, refused)] == [1, 32, 1, 32]
        assert 0 < one.median < many.median
        assert one.spread >= 0
        assert one.threads == 1
        assert refused.median is None
        assert refused.reason == "its batch is fixed at 1"
    json.dumps(dataclasses.asdict(compared))


@pytest.mark.usefixtures("alone")
def test_other_weights_fail_parity_and_lower_the_accuracy(exports, trained, tmp_path: Path, report) -> None:
    model = onnx.load(str(exports["tract"]))
    bias = next(tensor for tensor in model.graph.initializer if list(tensor.dims) == [12])
    bias.CopyFrom(numpy_helper.from_array(np.roll(numpy_helper.to_array(bias), 1) + 9 * np.eye(12)[3], bias.name))
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias).astype(np.float32), bias.name))
    onnx.save(model, str(tmp_path / "other.onnx"))
    compared = compare_models((exports["tract"], tmp_path / "other.onnx"), trained.data_dir, report)
    parity, _ = results(compared)["other", "onnxruntime"]
    assert not parity.passed
    assert parity.max_logit_difference == pytest.approx(9, abs=1)
    assert parity.top1_agreement < 1
    assert compared.models[1].top1 < compared.models[0].top1


@pytest.mark.usefixtures("alone")
def test_classes_are_matched_by_jis_code(exports, trained, tmp_path: Path, report) -> None:
    """The same network with its outputs and the classes in its card reversed passes parity."""
    model = onnx.load(str(exports["tract"]))
    order = np.arange(12)[::-1]
    for tensor in model.graph.initializer:
        if tensor.dims and tensor.dims[0] == 12:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[order].copy(), tensor.name))
    metadata = next(entry for entry in model.metadata_props if entry.key == "card")
    card = json.loads(metadata.value)
    metadata.value = json.dumps({**card, "classes": card["classes"][::-1]})
    onnx.save(model, str(tmp_path / "reversed.onnx"))
    compared = compare_models((exports["tract"], tmp_path / "reversed.onnx"), trained.data_dir, report)
    parity, reason = results(compared)["reversed", "onnxruntime"]
    assert parity is not None, reason
    assert parity.passed
    assert compared.models[1].top1 == compared.models[0].top1


def test_files_of_another_interface_are_not_compared_but_timed(exports, trained, tmp_path: Path, report) -> None:
    block = graphs.transformer_block(tmp_path / "block.onnx")
    det = graphs.with_unsupported(tmp_path / "det.onnx")
    compared = compare_models((exports["tract"], block, det), trained.data_dir, report)
    found = results(compared)
    assert found["tract", "tract"][0].passed
    for engine in ("onnxruntime", "tract"):
        reason = "its input is not a square grey image, that of the first file one of 32x32"
        assert found["block", engine] == (None, reason)
        assert found["det", engine] == (None, "its input is an image of 5x5, that of the first file one of 32x32")
    assert compared.operators["LayerNormalization"] == (0, 1, 0)
    timings = {(Path(t.model).stem, t.batch): t for t in compared.latency["tract"]}
    assert timings["block", 32].median > 0
    assert timings["block", 32].inputs == {"x": (32, 64, 16)}
    assert timings["tract", 1].inputs == {"input": (1, 1, 32, 32)}
    assert "Unimplemented(Det)" in timings["det", 1].reason
    assert timings["det", 32].median is None


@pytest.mark.usefixtures("alone")
def test_files_with_another_number_of_outputs_or_image_size_are_not_compared(
    exports, trained, tmp_path: Path, report
) -> None:
    outputs = graphs.image_network(tmp_path / "outputs.onnx", side=32)
    size = graphs.image_network(tmp_path / "size.onnx", side=16)
    compared = compare_models((exports["tract"], outputs, size), trained.data_dir, report)
    found = results(compared)
    assert found["tract", "tract"][0].passed
    assert found["outputs", "tract"] == (None, f"it has 5 outputs, {exports['tract']} has 12")
    assert compared.models[1].top1 is None
    reason = "its input is an image of 16x16, that of the first file one of 32x32"
    assert found["size", "onnxruntime"] == (None, reason)


@pytest.mark.usefixtures("alone")
def test_without_a_dataset_synthetic_samples_are_used(exports, tmp_path: Path, report, monkeypatch) -> None:
    monkeypatch.setattr("kanji_tui.engines.samples.PARITY_SAMPLES", 48)
    compared = compare_models((exports["tract"], exports["strict"]), tmp_path / "nowhere", report)
    assert compared.parity.samples_source.startswith("synthetic samples, because there is no dataset")
    assert compared.parity.samples == 48
    assert compared.models[0].top1 is None
    assert results(compared)["strict", "tract"][0].passed


@pytest.mark.usefixtures("alone")
def test_a_slow_engine_is_compared_on_fewer_samples(exports, trained, report, monkeypatch) -> None:
    monkeypatch.setattr(agreement, "BUDGET_SECONDS", 0.0)
    monkeypatch.setattr(agreement, "BATCH", 8)
    compared = compare_models((exports["tract"], exports["strict"]), trained.data_dir, report)
    parity, _ = results(compared)["strict", "tract"]
    assert parity.samples == 8
    assert parity.passed


def test_a_stop_is_noticed_while_the_first_model_runs(exports, trained, monkeypatch) -> None:
    @dataclasses.dataclass
    class StoppedAtParity(Remembered):
        def __call__(self, event: Event) -> None:
            super().__call__(event)
            self.stop |= isinstance(event, Progress) and event.phase == "parity"

    outputs, runs = ModelFile.outputs, []
    monkeypatch.setattr(agreement, "BATCH", 8)
    monkeypatch.setattr(ModelFile, "outputs", lambda *arguments: runs.append(arguments) or outputs(*arguments))
    with pytest.raises(Stopped):
        compare_models((exports["tract"], exports["strict"]), trained.data_dir, StoppedAtParity())
    assert len(runs) == 1


def test_too_few_and_too_many_files_are_refused(exports, trained, report) -> None:
    for count in (1, 5):
        with pytest.raises(UsageError, match=f"{count} files cannot be compared"):
            compare_models((exports["tract"],) * count, trained.data_dir, report)


def test_a_bad_file_does_not_lose_the_answers_about_the_others(kanji_tui, tmp_path: Path) -> None:
    """Its entry says why, the next file is the reference, and the command ends with 1."""
    (tmp_path / "page.onnx").write_text("<!DOCTYPE html><html>not here</html>")
    graphs.transformer_block(tmp_path / "first.onnx")
    shutil.copy(tmp_path / "first.onnx", tmp_path / "second.onnx")
    ended = kanji_tui("compare", "page.onnx", "first.onnx", "none.onnx", "second.onnx", "--json")
    assert ended.returncode == 1, ended.stderr
    printed = json.loads(ended.stdout)
    assert "error" not in printed
    page, first, none, second = printed["models"]
    assert page.keys() == none.keys() == {"path", "error"}
    assert page["error"].keys() == {"message", "remedy", "code"}
    assert none["error"]["message"] in ended.stderr
    assert (first["path"], second["path"]) == ("first.onnx", "second.onnx")
    assert printed["operators"]["MatMul"] == [5, 5]
    assert printed["parity"]["reference"] == "first.onnx in onnxruntime"
    assert {(one["model"], one["parity"]["passed"]) for one in printed["parity"]["results"]} == {
        ("first.onnx", True),
        ("second.onnx", True),
    }
    assert {timing["model"] for timing in printed["latency"]["tract"]} == {"first.onnx", "second.onnx"}


def test_one_good_file_is_described_and_timed(kanji_tui, tmp_path: Path) -> None:
    graphs.transformer_block(tmp_path / "good.onnx")
    ended = kanji_tui("compare", "none.onnx", "good.onnx")
    assert ended.returncode == 1
    assert "none.onnx does not exist" in ended.stderr
    assert "1 good  good.onnx" in ended.stdout
    assert "LayerNormalization" in ended.stdout


def test_without_a_good_file_every_error_is_printed(kanji_tui, tmp_path: Path) -> None:
    ended = kanji_tui("compare", "none.onnx", "nothing.onnx", "--json")
    printed = json.loads(ended.stdout)
    assert ended.returncode == printed["error"]["code"] == 1
    assert [model["error"]["message"] for model in printed["models"]] == [
        "none.onnx does not exist",
        "nothing.onnx does not exist",
    ]
    assert kanji_tui("compare", "none.onnx", "nothing.onnx").stdout == ""


def test_a_missing_file_is_said_to_be_sought_in_the_home(kanji_tui, tmp_path: Path) -> None:
    """A path that holds in the shell's folder may not hold in that of --home."""
    ended = kanji_tui("inspect", "none.onnx", "--home", str(tmp_path))
    assert f"paths start from {tmp_path}" in ended.stderr
    assert f"paths start from {tmp_path}" in kanji_tui("predict", "none.png", "--home", str(tmp_path)).stderr


def test_outputs_are_matched_by_the_classes_of_the_cards(exports) -> None:
    first = read_model_file(exports["tract"])
    half = dataclasses.replace(first, card=dataclasses.replace(first.card, classes=first.card.classes[6:]))
    left, right = shared_columns(first, half, (12, 6))
    assert left.tolist() == [6, 7, 8, 9, 10, 11]
    assert right.tolist() == [0, 1, 2, 3, 4, 5]
    other = dataclasses.replace(first, card=dataclasses.replace(first.card, classes=(1, 2)))
    with pytest.raises(ValueError, match="shares no classes"):
        shared_columns(first, other, (12, 2))


def same_with(path: Path, copy: Path, **sizes: dict[str, list]) -> Path:
    """A copy of the file with other sizes of inputs and outputs."""
    model = onnx.load(str(path))
    for value in (*model.graph.input, *model.graph.output):
        if value.name in sizes:
            shape = onnx.helper.make_tensor_type_proto(1, sizes[value.name])
            value.type.CopyFrom(shape)
    onnx.save(model, str(copy))
    return copy


def test_a_state_beside_the_input_is_compared_at_batch_1(tmp_path: Path, report) -> None:
    """Its batch is the second dimension, has no name, and is fixed in the third file."""
    first = graphs.state_beside_input(tmp_path / "first.onnx")
    second = shutil.copy(first, tmp_path / "second.onnx")
    fixed = graphs.state_beside_input(tmp_path / "fixed.onnx", batch=1)
    compared = compare_models((first, second, fixed), tmp_path, report)
    assert compared.parity.samples_source == "random inputs of x 1x128 and state 2x1x128"
    assert all(parity.passed and parity.samples == 8 for parity, _ in results(compared).values())
    assert results(compared)["second", "tract"][0].top1_agreement is None
    for engine in ("onnxruntime", "tract"):
        one, many, *_, fixed_one, refused = compared.latency[engine]
        assert one.inputs == fixed_one.inputs == {"x": (1, 128), "state": (2, 1, 128)}
        assert refused.reason.startswith("its sizes are fixed: x float32 1x128")
        assert many.inputs == {"x": (32, 128), "state": (2, 32, 128)}


@pytest.mark.usefixtures("alone")
def test_models_of_equal_interface_are_compared_whatever_their_shape(tmp_path: Path, report) -> None:
    """The second has its sizes under other names; the third has other weights."""
    block = graphs.transformer_block(tmp_path / "block.onnx")
    same = same_with(block, tmp_path / "same.onnx", x=["n", "tokens", 16], y=["n", "tokens", 16])
    model = onnx.load(str(block))
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.ones(16, np.float32), "scale"))
    onnx.save(model, str(tmp_path / "other.onnx"))
    compared = compare_models((block, same, tmp_path / "other.onnx"), tmp_path, report)
    found = results(compared)
    assert compared.parity.samples_source == "random inputs of 1x64x16"
    assert found["same", "tract"][0].passed
    for engine in ("onnxruntime", "tract"):
        assert not found["other", engine][0].passed
        assert found["other", engine][0].max_logit_difference > 0.01


def test_sizes_and_values_that_inspect_finds_are_found_here_too(tmp_path: Path, report) -> None:
    """One takes frames of 512 samples alone, the other a shape as its input."""
    for make, shapes in ((strange.frames_of_512, "1x512"), (strange.shape_as_input, "x 2x6 and s 2")):
        first = make(tmp_path / "first.onnx")
        second = shutil.copy(first, tmp_path / "second.onnx")
        compared = compare_models((first, second), tmp_path, report)
        assert compared.parity.samples_source == f"random inputs of {shapes}"
        assert results(compared)["second", "onnxruntime"][0].passed
        assert shapes != "1x512" or compared.latency["onnxruntime"][0].median


def test_a_file_that_no_made_up_input_fits_is_not_said_to_fail(tmp_path: Path, report) -> None:
    first = strange.nameless_sizes(tmp_path / "first.onnx")
    compared = compare_models((first, shutil.copy(first, tmp_path / "second.onnx")), tmp_path, report)
    for parity, reason in results(compared).values():
        assert parity is None
        assert reason.startswith(f"not compared: {first} was not run: no made-up input fits; ")
    assert all("no made-up input fits" in timing.reason for timing in compared.latency["onnxruntime"])


def test_a_fixed_batch_is_padded(tmp_path: Path) -> None:
    from kanji_tui.engines.engine import Engine

    path = graphs.image_network(tmp_path / "net.onnx")
    model = onnx.load(str(path))
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_value = 4
    onnx.save(model, str(tmp_path / "fixed.onnx"))
    images = np.random.default_rng(0).random((6, 1, 16, 16)).astype(np.float32)
    with Engine("onnxruntime") as engine:
        free = read_model_file(path).outputs(engine, images)
        fixed = read_model_file(tmp_path / "fixed.onnx").outputs(engine, images)
    np.testing.assert_allclose(fixed, free, atol=1e-6)


def test_the_command_prints_the_comparison(exports, trained, kanji_tui, tmp_path: Path) -> None:
    for path in exports.values():
        shutil.copy(path, tmp_path)
    ended = kanji_tui("compare", "tract.onnx", "strict.onnx", "--data-dir", trained.data_dir)
    assert ended.returncode == 0, ended.stderr
    assert "GlobalAveragePool" in ended.stdout
    assert "its batch is fixed at 1" in ended.stdout


def test_files_that_no_made_up_input_fits_are_compared_on_given_ones(tmp_path: Path, report) -> None:
    """They are given by the names of the first file; the other one calls its input z."""
    first, second = strange.hidden_size(tmp_path / "a.onnx"), tmp_path / "b.onnx"
    model = onnx.load(first)
    model.graph.input[0].name = "z"
    for node in model.graph.node:
        node.input[:] = ["z" if name == "x" else name for name in node.input]
    onnx.save(model, second)
    size = 2 * strange.HIDDEN

    def compared(**given) -> Compared:
        return compare_models((first, second), tmp_path, report, **given)

    assert all(parity is None for parity, _ in results(compared()).values())
    of_shape = compared(shapes=(InputShape("x", (size,), "float32"),))
    assert of_shape.parity.samples == agreement.RANDOM_RUNS
    assert of_shape.parity.samples_source == f"given inputs of {size}"
    assert all(parity and parity.passed for parity, _ in results(of_shape).values()), results(of_shape)

    np.savez(tmp_path / "inputs.npz", x=np.ones(size, np.float32))
    of_arrays = compared(arrays=tmp_path / "inputs.npz")
    assert of_arrays.parity.samples == 1
    assert all(parity and parity.passed for parity, _ in results(of_arrays).values()), results(of_arrays)
    wrong = compared(shapes=(InputShape("z", (size,)),))
    assert "no input 'z'" in wrong.failed[0].error.message


def test_the_command_takes_given_inputs(kanji_tui, tmp_path: Path) -> None:
    path = strange.hidden_size(tmp_path / "a.onnx")
    size = f"x={2 * strange.HIDDEN}"
    found = json.loads(kanji_tui("compare", path, path, "--input", size, "--json").stdout)
    assert found["parity"]["samples_source"].startswith("given inputs")
    assert kanji_tui("compare", path, path, "--input", "x").returncode == 2
