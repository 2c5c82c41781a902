"""The Inspector: marking and comparing, every option of an export, tables of results, filters."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from kanji_tui.export.options import POOLING_TYPES, QUANTISATIONS
from kanji_tui.inspection.results import Support
from kanji_tui.jobs import export_mapping, export_onnx, export_safetensors
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.export.form import contradiction, export_job
from kanji_tui.tui.inspector.results import ResultsScreen
from kanji_tui.tui.inspector.screen import ModelInspected
from kanji_tui.tui.shell.form import FormScreen
from kanji_tui.tui.widgets.choice import Choice
from kanji_tui.tui.widgets.list_table import ListTable
from tests.inspection import graphs
from tests.inspection.strange_files import HIDDEN, hidden_size
from tests.tui.conftest import press_and_say_yes, shows, text_of, until
from tests.tui.inspector_results import write_results
from tests.tui.recorded import INSPECTED, inspected, write_run
from tests.tui.test_tour import fill

pytestmark = pytest.mark.usefixtures("forked_children")
MODELS = {"the published model": Path("models/best_kanji_model.pth")}
ASKED = {"target": "tract", "model": "the published model", "pooling": "as trained", "precision": "float32",
         "size": None, "parity": "1,000 samples", "file": ""}  # fmt: skip


async def test_mark_compare_and_read_the_engines_message(home: Path) -> None:
    (home / "models").mkdir()
    graphs.image_network(home / "models" / "net_plain.onnx")
    graphs.with_unsupported(home / "models" / "net_odd.onnx")
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4")
        await shows(pilot, "press enter to inspect")
        app.screen.query_one("#models", ListTable).select("models/net_plain.onnx")
        await pilot.press("m", "c")
        await shows(pilot, "1 marked: press m to mark another")
        assert not app.state.of("compare"), "one file is no comparison"
        app.screen.query_one("#models", ListTable).select("models/net_odd.onnx")
        await pilot.press("space")
        await shows(pilot, "2 marked: press c to compare them")
        await pilot.press("c")
        await shows(pilot, "compare finished")
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        await shows(pilot, "Det")
        shown = text_of(pilot)
        assert "1 plain" in shown
        assert "1 (+1)" in shown
        assert "- (-1)" in shown
        app.screen.query_one(ListTable).select("tract batch 1")
        await shows(pilot, "Unimplemented(Det)")
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert "compare finished" not in text_of(pilot).split("\n")[1]


async def test_a_fifth_mark_is_refused_and_a_mark_can_be_removed(home: Path) -> None:
    (home / "models").mkdir()
    for number in range(5):
        (home / "models" / f"{number}.onnx").write_bytes(b"x")
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await shows(pilot, "press enter to inspect")
        for _ in range(5):
            await pilot.press("space", "down")
        await shows(pilot, "4 marked, 4 at most")
        await pilot.press("home", "space")
        await shows(pilot, "3 marked")


async def test_any_file_is_opened_by_its_path_also_a_broken_one(home: Path) -> None:
    path = graphs.control_flow(home / "elsewhere.onnx")
    (home / "broken.onnx").write_bytes(path.read_bytes()[:50])
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4", "n")
        await fill(pilot, path="elsewhere.onnx")
        await pilot.press("enter")
        await shows(pilot, "ms on 4")
        assert "If" in text_of(pilot)
        await pilot.press("n")
        await fill(pilot, path="broken.onnx")
        await pilot.press("enter")
        await shows(pilot, "not an ONNX file, or a truncated one")


async def test_inputs_can_be_given_where_no_made_up_one_fits(home: Path) -> None:
    hidden_size(home / "hidden.onnx")
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4", "n")
        await fill(pilot, path="hidden.onnx")
        await pilot.press("enter")
        await shows(pilot, "no made-up input fits: press n to give inputs")
        assert "not tried" in text_of(pilot)
        await pilot.press("n")
        await fill(pilot, shapes=f"x={HIDDEN}")
        assert app.screen.query_one("#path", Input).value == "hidden.onnx"
        await pilot.press("enter")
        await shows(pilot, "4 nodes tested")
        assert text_of(pilot).count("runs") >= 2


async def test_nodes_are_filtered_by_every_property(recorded: Path) -> None:
    path = Path(INSPECTED.path)
    path.write_bytes(b"x")
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4")
        await shows(pilot, "press enter to inspect")
        app.screen.post_message(ModelInspected(inspected(), str(path)))
        await shows(pilot, "nodes  5")
        for text, found in (
            ("conv", 2),
            ("1x64x4x4", 1),
            ("strides=[2,", 2),
            ("head", 1),
            ("not for this shape", 1),
        ):
            await pilot.press("slash")
            app.screen.query_one("#filter", Input).value = text
            await shows(pilot, f"nodes  {found} of 5")
        await pilot.press("escape")
        await shows(pilot, "nodes  5")
        engines = app.screen.query_one("#engines", ListTable)
        engines.focus()
        engines.select("tract")
        await pilot.press("enter")
        await shows(pilot, "nodes  1 of 5")
        await pilot.press("escape", "l")
        await shows(pilot, "3 layers hold 76.6 KiB")
        assert "93.94 %" in text_of(pilot)


async def test_the_message_of_an_engine_is_shown_unchanged(recorded: Path) -> None:
    path = Path(INSPECTED.path)
    path.write_bytes(b"x")
    engines = {"onnxruntime": Support(True), "tract": Support(False, reason="no rule for [batch, 1] in [/pool]")}
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4")
        await shows(pilot, "press enter to inspect")
        names = app.screen.query_one("#models", ListTable)
        quiet = names.current
        app.screen.post_message(ModelInspected(inspected(replace(INSPECTED, backends=engines)), str(path)))
        await shows(pilot, "nodes  5")
        assert names.current != quiet, "an inspected file is no longer grey"
        app.screen.query_one("#engines", ListTable).focus()
        await pilot.press("down")
        await until(pilot, lambda: "[batch, 1] in [/pool]" in text_of(pilot).split("params")[1])


async def test_every_kept_result_has_its_table(recorded: Path) -> None:
    write_results(recorded)
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: len(app.state.of("export_onnx")) == 2)
        await pilot.press("r")
        await shows(pilot, "1 of 4")
        assert "2 int8_static" in text_of(pilot)
        await pilot.press("left")
        await shows(pilot, "adaptive_avg *")
        await pilot.press("down")
        await shows(pilot, "avg_2x2 needs training again")
        await pilot.press("left")
        await shows(pilot, "top-1          96.98 % (93.97-98.51), as trained 97.12 % (94.15-98.60)")
        assert "ranges from    drawn sample, train split" in text_of(pilot)
        await pilot.press("left", "left")
        await shows(pilot, "choose one of: fixed_avg")
        await pilot.press("right")
        await shows(pilot, "3 of 4")


async def test_a_job_that_measures_runs_alone_and_can_be_stopped(recorded: Path) -> None:
    from kanji_tui.events import State

    run = write_run(recorded, "20260102T050000-pooling-1", {}, "running", [State("running")])
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await shows(pilot, "pooling is running: press s to stop it")
        await pilot.press("e", "V")
        assert len(app.screen_stack) == 1
        await press_and_say_yes(pilot, "s")
        await until(pilot, run.stop_file.exists)


async def test_an_export_that_is_refused_and_one_that_is_verified(home: Path, trained) -> None:
    shutil.copytree(trained.models_dir, home / "models")
    (home / "dataset").symlink_to(trained.data_dir)
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4")
        await shows(pilot, "press e to export a model")
        await pilot.press("e")
        await fill(pilot, pooling="avg_2x2")
        await shows(pilot, "weights for four values.")
        await pilot.press("enter")
        await shows(pilot, "export onnx failed")
        await pilot.press("r")
        await shows(pilot, "avg_2x2 needs retraining: kanjinet was trained with adaptive_avg")
        await pilot.press("escape", "e")
        await fill(pilot, target="safetensors")
        await until(pilot, lambda: not app.screen.query_one("#pooling").region)
        assert app.screen.query_one("#verify").region
        await pilot.press("enter")
        await shows(pilot, "export safetensors finished")
        await pilot.press("r")
        await shows(pilot, "equal to the model bit by bit")
        assert list(Path("models").glob("*.safetensors"))


async def test_the_form_shows_what_would_fail(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await shows(pilot, "press e to export a model")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, FormScreen))
        assert app.screen.query_one("#pooling", Choice).values == ("as trained", *POOLING_TYPES)
        assert app.screen.query_one("#precision", Choice).values == ("float32", *QUANTISATIONS)
        await fill(pilot, precision="int8-static")
        await shows(pilot, "times slower")
        await fill(pilot, precision="float32", pooling="adaptive_max", target="strict")
        await shows(pilot, "strict has no global pooling: fixed_max computes the same")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, FormScreen), "it must not start"
        assert not app.state.of("export_onnx")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, ""),
        ({"target": "ort-tract", "pooling": "adaptive_avg"}, "fixed_avg computes the same"),
        ({"precision": "int8-static"}, "there is no dataset"),
        ({"size": 48}, "there is no dataset"),
        ({"file": "model.bin"}, "does not end in .onnx"),
        ({"target": "safetensors", "file": "model.onnx"}, "does not end in .safetensors"),
    ],
)
def test_contradictions(changes: dict, message: str) -> None:
    output = contradiction(ASKED | changes, measurable=False)
    assert message in output if message else output == ""


def test_the_form_has_every_option_of_the_command() -> None:
    data = Path("dataset")
    asked = ASKED | {"target": "strict", "pooling": "fixed_max", "precision": "fp16", "size": 48,
                     "parity": "all samples", "file": "out.onnx"}  # fmt: skip
    spec = export_onnx.Spec(
        MODELS["the published model"], data, "strict", Path("out.onnx"), True, "fixed_max", "fp16", 48
    )
    assert export_job(asked, MODELS, data) == ("export_onnx", spec)
    assert export_job(ASKED, MODELS, data) == ("export_onnx", export_onnx.Spec(MODELS["the published model"], data))
    tensors = {
        "target": "safetensors",
        "model": "the published model",
        "metadata": "without",
        "verify": "no",
        "file": "",
    }
    assert export_job(tensors, MODELS, data) == (
        "export_safetensors",
        export_safetensors.Spec(MODELS["the published model"], None, False, False),
    )
    assert export_job({"target": "full mapping", "file": ""}, {}, data) == ("export_mapping", export_mapping.Spec())
