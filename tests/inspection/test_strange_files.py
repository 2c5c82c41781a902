"""Verdicts on files of strangers: what runs is said to run, and a made-up input that does not fit is no verdict."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from kanji_tui.cli import main
from kanji_tui.cli.render import plain_lines
from kanji_tui.engines.loading import load_onnx, serialised
from kanji_tui.engines.results import AS_IT_IS, SIZED, WITHOUT_SHAPES
from kanji_tui.inspection import probing, tracing
from kanji_tui.inspection.inspect import inspect_models
from kanji_tui.inspection.whole_run import WholeRun
from kanji_tui.presentation.inspection import inspector_screen
from kanji_tui.workspace.snapshot import read_workspace
from kanji_tui.workspace.state import State
from tests.inspection import graphs
from tests.inspection import strange_files as strange


def run_inspect(*arguments: object) -> tuple[int, dict[str, Any]]:
    """`kanji-tui inspect --json ARGUMENTS` in this process: the exit code and what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = main(["inspect", "--json", *map(str, arguments)])
    return code, json.loads(printed.getvalue())


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code of one `inspect` of all these files, and their entries by name."""
    folder = tmp_path_factory.mktemp("strange")
    files = {
        "negative": strange.negative_batch,
        "window": strange.wide_window,
        "frames": strange.frames_of_512,
        "shape": strange.shape_as_input,
        "names": strange.contradicting_names,
        "ir": lambda path: strange.of_version(path, ir_version=99),
        "opset": lambda path: strange.of_version(path, opset=99),
        "mask": strange.unread_mask,
        "state": strange.with_state,
        "pads": strange.folded_pads,
        "hidden": strange.hidden_size,
        "dropping": strange.dropping,
        "huge": strange.huge_input,
        "minus": strange.negative_weight,
        "type": strange.unknown_type,
        "pointer": lambda path: path.write_text(
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n"
        ),
    }
    for name, make in files.items():
        make(folder / f"{name}.onnx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kanji_tui.engines.engine.LATENCY_RUNS", 2)
        code, printed = run_inspect(*(folder / f"{name}.onnx" for name in files))
    assert "error" not in printed
    return code, {Path(entry["path"]).stem: entry for entry in printed["models"]}


@pytest.fixture
def backends(answers):
    return lambda name: answers[1][name]["backends"]


@pytest.mark.parametrize("name", ["negative", "window", "frames", "names", "mask", "state", "pads"])
def test_files_that_run_are_said_to_run_in_both_engines(backends, name: str) -> None:
    for engine in ("onnxruntime", "tract"):
        backend = backends(name)[engine]
        assert (backend["runs"], backend["reason"], backend["refused"]) == (True, None, []), engine
        assert backend["tried"][-1]["message"] is None
    assert backends(name)["tract"]["difference"] < 1e-4


def test_a_size_that_only_the_graph_names_is_found(answers, backends) -> None:
    assert answers[1]["frames"]["ran_on"] == {"x": [1, 512]}
    assert answers[1]["window"]["ran_on"] == {"x": [1, 400]}
    first = backends("frames")["onnxruntime"]["tried"][0]
    assert first["inputs"] == {"x": [1, 64]}
    assert "requested shape:{-1,512}" in first["message"]


def test_the_free_size_of_a_state_is_the_batch(answers) -> None:
    assert answers[1]["state"]["ran_on"] == {"x": [1, 224], "state": [2, 1, 8], "rate": []}


def test_a_node_that_runs_only_within_the_model_is_not_unsupported(backends) -> None:
    (pad,) = [node for node in backends("pads")["tract"]["not_probed"] if node["node"] == "pad"]
    assert pad["reason"].startswith("runs in the model, not alone: ")


def test_a_shape_that_is_an_input_gets_values_that_fit(backends) -> None:
    assert backends("shape")["onnxruntime"]["runs"] is True
    assert backends("shape")["tract"]["runs"] is False
    assert "shape input is variable" in backends("shape")["tract"]["reason"]


def test_names_that_contradict_each_other_are_dropped_for_tract(backends) -> None:
    tract = backends("names")["tract"]
    assert tract["opening"] == WITHOUT_SHAPES
    assert tract["difference"] == 0
    assert [attempt["opening"] for attempt in tract["tried"]] == [AS_IT_IS, SIZED, WITHOUT_SHAPES]
    assert "height" in tract["tried"][0]["message"]
    assert backends("negative")["tract"]["opening"] == SIZED
    assert backends("window")["tract"]["opening"] == AS_IT_IS


def test_a_random_node_is_not_compared_with_itself(backends) -> None:
    assert backends("dropping")["onnxruntime"]["runs"] is True
    assert backends("dropping")["onnxruntime"]["refused"] == []


def test_an_input_that_cannot_be_made_up_is_named(answers, backends) -> None:
    for engine in ("onnxruntime", "tract"):
        assert backends("huge")[engine]["runs"] is None
        assert backends("huge")[engine]["reason"] == (
            "its input 'x' of 8589934592x1048576 is too large to be made up"
        )
    assert backends("type")["onnxruntime"]["reason"].endswith("Invalid tensor data type 99.")
    assert answers[1]["type"]["inputs"] == [{"name": "x", "type": "type 99", "shape": [4]}]


def test_a_negative_size_is_no_negative_number_of_parameters(answers) -> None:
    assert (answers[1]["minus"]["parameters"], answers[1]["minus"]["weight_bytes"]) == (0, 0)


@pytest.mark.parametrize(("name", "begins"), [("ir", "IR version 99; "), ("opset", "opset 99; ")])
def test_a_version_that_is_too_new_is_a_sentence_about_the_file(backends, name: str, begins: str) -> None:
    found = backends(name)["onnxruntime"]
    assert found["runs"] is False
    assert found["reason"].startswith(begins + "this ONNX Runtime reads up to ")
    assert found["reason"].removeprefix(begins + "this ONNX Runtime reads up to ").isdigit()
    assert found["refused"] == found["not_probed"] == []


def test_where_no_made_up_input_fits_nothing_is_blamed(backends) -> None:
    for engine in ("onnxruntime", "tract"):
        found = backends("hidden")[engine]
        assert found["runs"] is None
        assert found["reason"].startswith("no made-up input fits; ")
        assert found["refused"] == []
        assert found["not_probed"][0]["node"] == "frames"
    tried = backends("hidden")["onnxruntime"]["tried"]
    assert len(tried) > 5
    assert all(attempt["message"] for attempt in tried)


def test_a_bad_file_has_an_error_as_its_entry_and_the_others_have_their_answers(answers) -> None:
    code, entries = answers
    assert code == 1
    assert entries["pointer"].keys() == {"path", "error"}
    assert "Git LFS pointer" in entries["pointer"]["error"]["message"]
    assert sum("backends" in entry for entry in entries.values()) == len(entries) - 1


def test_if_no_file_could_be_answered_the_error_stands_beside_the_entries(tmp_path: Path) -> None:
    code, printed = run_inspect(tmp_path / "none.onnx", tmp_path)
    assert code == 1
    assert [entry.keys() for entry in printed["models"]] == [{"path", "error"}] * 2
    assert printed["error"] == printed["models"][0]["error"]
    assert printed["error"]["code"] == 1


def test_as_text_the_error_goes_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.onnx"
    page.write_text("<!doctype html><html></html>")
    assert main(["inspect", str(page)]) == 1
    printed = capsys.readouterr()
    assert printed.out.strip() == ""
    assert f"{page} is not an ONNX file but a web page (HTML)" in printed.err
    assert "download the file itself" in printed.err


def test_the_inspector_as_text_names_a_file_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "page.onnx").write_text("<!doctype html><html></html>")
    text = "\n".join(plain_lines(inspector_screen(State({}, read_workspace(), ()))))
    assert "cannot be inspected: models/page.onnx is not an ONNX file but a web page" in " ".join(text.split())


def test_a_fault_of_this_program_costs_one_answer(tmp_path: Path, report, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path):
        raise ZeroDivisionError("no sentence for this")

    monkeypatch.setattr("kanji_tui.inspection.inspect.load_onnx", broken)
    (failed,) = inspect_models((graphs.empty(tmp_path / "m.onnx"),), report).failed
    assert "ZeroDivisionError: no sentence for this" in failed.error.message
    assert "report this" in failed.error.remedy


def test_sizes_that_do_not_fit_are_no_verdict_on_either_engine(tmp_path: Path) -> None:
    """tract crashes in the mean of nothing, and cannot unify the sizes of a state that is made up."""
    path = strange.nameless_sizes(tmp_path / "nameless.onnx")
    for given in ([], ["--input", "sound=1x512"]):
        code, printed = run_inspect(path, *given)
        assert code == 0
        for engine in ("onnxruntime", "tract"):
            found = printed["models"][0]["backends"][engine]
            assert (found["runs"], found["refused"]) == (None, []), (engine, given)
            assert "no made-up input fits" in found["reason"]
    _, printed = run_inspect(path, "--input", "sound=1x512", "--input", "state=2x1x16")
    assert all(printed["models"][0]["backends"][engine]["runs"] for engine in ("onnxruntime", "tract"))


def test_given_inputs_decide(tmp_path: Path) -> None:
    path = strange.hidden_size(tmp_path / "hidden.onnx")
    code, printed = run_inspect("--input", f"x={2 * strange.HIDDEN},float32", path)
    assert code == 0
    (model,) = printed["models"]
    assert model["ran_on"] == {"x": [2 * strange.HIDDEN]}
    assert all(model["backends"][engine]["runs"] is True for engine in ("onnxruntime", "tract"))

    np.savez(tmp_path / "inputs.npz", x=np.ones(64, np.float32))
    _, printed = run_inspect("--inputs", tmp_path / "inputs.npz", path)
    found = printed["models"][0]["backends"]["onnxruntime"]
    assert found["runs"] is False, "the person's own input does not run"
    assert found["reason"].endswith("Input shape:{64}, requested shape:{-1,707}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--input", "z=1x4"), "no input 'z'"),
        (("--input", "x=1x5"), "does not fit the input 'x'"),
        (("--input", "x=1x4,float33"), "'float33' is not a type"),
        (("--input", "x"), "NAME=SHAPE,TYPE"),
        (("--inputs", "doubles.npz"), "float64, the model takes float32"),
        (("--inputs", "missing.npz"), "does not exist"),
        (("--inputs", "model.onnx"), "cannot be read as arrays"),
    ],
)
def test_given_inputs_that_make_no_sense_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    strange.of_version(tmp_path / "model.onnx")
    np.savez(tmp_path / "doubles.npz", x=np.ones((1, 4)))
    code, printed = run_inspect(*arguments, "model.onnx")
    assert code == 2
    assert words in printed["error"]["message"] + printed["error"]["remedy"]


def test_a_model_too_large_for_one_file_is_answered(
    tmp_path: Path, report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With protobuf's limit set below the size of these weights, as it is for real ones of over 2 GiB."""
    for module in (probing, tracing):
        monkeypatch.setattr(module, "LARGEST", 100_000)
    path = strange.weights_beside(tmp_path / "big.onnx")
    (model,) = inspect_models((path,), report).inspected
    assert model.parameters == 160 * 160
    for engine in ("onnxruntime", "tract"):
        found = model.backends[engine]
        assert (found.runs, found.refused, found.probed) == (True, (), 1)
        assert [(node.node, "larger than" in node.reason) for node in found.not_probed] == [("wide", True)]
    assert model.nodes[0].output_shapes == ((1, 160),)


def test_weights_of_over_two_gigabytes_are_described_without_being_read(tmp_path: Path) -> None:
    path = strange.weights_beside(tmp_path / "big.onnx", values=False, side=24_000)  # a hole of 2.3 GB
    model = load_onnx(path)
    assert len(serialised(model)) < 1000
    values = tracing.trace(path, model, WholeRun(), None, tmp_path)
    assert values.shapes["w"] == (24_000, 24_000)
    with pytest.raises(probing.NotProbed, match="larger than an ONNX file"):
        values.get("w")


def test_a_dropout_is_not_blamed_for_its_mask(tmp_path: Path) -> None:
    model = load_onnx(strange.unread_mask(tmp_path / "mask.onnx"))
    read = probing.read_names(model.graph)
    assert probing.outputs_of(model.graph.node[0], read) == ["d"]
    assert probing.outputs_of(helper.make_node("Dropout", ["x"], ["a", "b"]), set()) == ["a", "b"], (
        "nobody reads any"
    )
