"""Nothing of others reaches the terminal raw: one list of hostile texts, through every command and screen."""

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from kanji_tui.cli.parser import parser
from kanji_tui.events import Epoch, Failure, Notice, Outcome, Progress, State, to_json
from kanji_tui.presentation.tabs import SCREENS
from kanji_tui.runs.run_directory import create
from kanji_tui.system.files import strict_json
from kanji_tui.system.visible import HIDDEN, visible, visible_cells, visible_json
from kanji_tui.tui.app import Workbench
from tests.tui.conftest import painted, settled, until

HOSTILE = "a\x1b[31m\x1b]0;title\x07\x9b1m\x90q\x85\u202e\u2066\u200f\u2028\x7f\r\nb"
REST = ("demo", "search", "folds", "probe", "saliency", "suspects", "compare", "pooling", "networks", "preflight")


def raw(text: str) -> set[str]:
    """What hidden characters a printed text has; its own line feeds are none."""
    return set(HIDDEN.findall(text)) - {"\n"}


def test_hidden_characters_become_visible_text():
    assert visible("字 é ÷ \u3000 A") == "字 é ÷ \u3000 A"
    assert visible("a\x1b[0m\n\t\u202e\udce9\U000e0041") == r"a\x1b[0m\n\t\u202e\udce9\U000e0041"
    assert visible("a\nb\x9b", lines=True) == "a\nb\\x9b"
    assert visible_cells("a\x1b\tb\u202ec") == "a bc"
    assert visible("葛\U000e0100") == "葛\U000e0100"  # a variant of the character


def test_json_says_the_same_without_hidden_characters():
    value = {HOSTILE: [HOSTILE, "字\U000e0041"]}
    assert not raw(visible_json(strict_json(value)))
    assert json.loads(visible_json(strict_json(value))) == value


@pytest.fixture
def hostile_home(tmp_path, trained, sample_dataset) -> Path:
    """A home whose files are named and filled by somebody hostile."""
    home = tmp_path / "home"
    shutil.copytree(sample_dataset, home / "dataset")
    shutil.copytree(trained.models_dir, home / "models", ignore=shutil.ignore_patterns("runs"))
    for path in (home / "dataset" / "metadata.json", home / "models" / "best_model_info.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"source": HOSTILE}))
    metadata = json.loads((home / "dataset" / "metadata.json").read_text())
    metadata["files"] = [f"{number}{HOSTILE}" for number in range(len(metadata["files"]))]
    metadata["quarantine"] = [{"file": HOSTILE, "record": 1, "reason": HOSTILE}]
    (home / "dataset" / "metadata.json").write_text(json.dumps(metadata))
    Image.fromarray(np.full((40, 40), 255, np.uint8)).save(home / f"{HOSTILE}.png")
    (home / "ETL9G").mkdir()
    (home / "ETL9G" / f"ETL9G_01{HOSTILE}").write_bytes(b"x")
    write_onnx(home / f"{HOSTILE}.onnx")
    shutil.copy(home / f"{HOSTILE}.onnx", home / "models")
    write_run(home / "models" / "runs", f"{HOSTILE}")
    write_run(home / "models" / "runs", "plain")
    return home


def write_onnx(path: Path) -> None:
    helper = onnx.helper
    values = [helper.make_tensor_value_info(HOSTILE + end, 1, [1, HOSTILE]) for end in "xy"]
    node = helper.make_node("Relu", [values[0].name], [values[1].name], name=HOSTILE)
    model = helper.make_model(helper.make_graph([node], HOSTILE, values[:1], values[1:]), producer_name=HOSTILE)
    helper.set_model_props(model, {HOSTILE: HOSTILE})
    onnx.save(model, str(path))


def write_run(runs: Path, name: str) -> None:
    run = create("train", "kanji_tui.jobs.train:run", {"config": {"network": HOSTILE}}, runs)
    events = (
        State("running", HOSTILE),
        Progress("training", 1, 2, HOSTILE, HOSTILE),
        Progress(HOSTILE, 1, 2, HOSTILE, HOSTILE),
        Epoch(1, 2, 1.0, 0.5, 1.0, 0.5, 0.6, 0.7, 0.01, 2.0, 100.0, True),
        Notice(HOSTILE),
        Outcome({HOSTILE: HOSTILE}),
        Failure(HOSTILE, HOSTILE),
        State("failed", HOSTILE),
    )
    run.events.write_text("".join(json.dumps(to_json(event, 1000.0)) + "\n" for event in events))
    run.log.write_text(HOSTILE)
    status = json.loads((run.path / "status.json").read_text())
    (run.path / "status.json").write_text(json.dumps(status | {"state": "failed"}))
    run.path.rename(runs / f"20261127T000000-{name}-train-1")


def command_lines() -> list[list[str]]:
    """Every command of the parser, with hostile arguments."""
    run, picture, model = f"20261127T000000-{HOSTILE}-train-1", f"{HOSTILE}.png", f"{HOSTILE}.onnx"
    lines = [
        *(
            ["runs"],
            ["attach", run],
            ["attach", "20261127T000000-plain"],
            ["stop", run],
            ["publish", run],
            ["emissions", run],
        ),
        *(["verify"], ["verify", "--data-dir", HOSTILE], ["prepare"], ["prepare", "--etl-dir", HOSTILE]),
        *(
            ["sample"],
            ["sample", "--classes", HOSTILE],
            ["train", "--network", HOSTILE],
            ["train", "--resume", HOSTILE],
        ),
        *(["train", "--config", HOSTILE], ["train", "--set", HOSTILE], ["evaluate", "--data-dir", HOSTILE]),
        *(
            ["evaluate", "--split", "all"],
            ["predict", picture],
            ["predict", HOSTILE],
            ["--once"],
            ["--home", f"{model}/x"],
        ),
        *(
            ["export", "mapping", "--model-path", HOSTILE],
            ["export", "mapping", "--output-path", f"{HOSTILE}.json"],
        ),
        *(
            ["export", "safetensors", "--output-path", f"{HOSTILE}.safetensors"],
            ["export", "onnx", "--model-path", HOSTILE],
        ),
        *(["inspect", model], ["inspect", "--nodes", model], ["inspect", HOSTILE], [HOSTILE], ["delete", run]),
        *(["describe", "20261127T000000-plain", "--note", HOSTILE], ["describe", run, "--name", HOSTILE]),
        *(["saliency", picture, "--layer", HOSTILE], ["saliency", "--layers", "--model-path", HOSTILE]),
        *(["runs"], ["runs", "--csv"], ["runs", "--columns", "note,network"], ["runs", "--columns", HOSTILE]),
        *(["runs", "--sort", HOSTILE], ["runs", HOSTILE], ["runs", "note:" + HOSTILE]),
        *(["publish", "--undo"], ["attach", "20261127T000000-plain"]),
        *(["serve", HOSTILE], ["serve", "--model-path", HOSTILE], ["export", "web", "--model-path", HOSTILE]),
    ]
    return [*lines, *([command, f"--{HOSTILE}"] for command in REST)]


def test_no_command_prints_anything_raw(kanji_tui, hostile_home, forked_children):
    lines = command_lines()
    known = next(
        action.choices for action in parser()._actions if action.dest not in ("help",) and action.nargs == "A..."
    )
    assert set(known) <= {line[0] for line in lines}  # a new command gets its line
    for line in lines:
        for json_too in ([], ["--json"]):
            if line[0] in ("delete", "sample") and json_too:
                continue
            ended = kanji_tui("--home", hostile_home, *line, *json_too)
            printed = ended.stdout + ended.stderr
            assert printed, line
            assert not raw(printed), (line, ended)


FORMULAS = ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", " =1", "=cmd|' /C calc'!A0", '=1",\n"x')


@pytest.mark.parametrize("text", FORMULAS)
def test_a_spreadsheet_computes_nothing_of_what_others_wrote(kanji_tui, hostile_home, text):
    for option in ("--name", "--note"):
        ended = kanji_tui("--home", hostile_home, "describe", "20261127T000000-plain", option, text)
        assert ended.returncode == 0 or (option == "--name" and "\n" in text)
    ended = kanji_tui("--home", hostile_home, "runs", "--csv")
    rows = list(csv.DictReader(io.StringIO(ended.stdout)))
    (row,) = [row for row in rows if row["note"]]
    assert row["note"] == f"'{text.strip()}"
    numbers = [float(row["val_loss"]) for row in rows]  # what is measured stays a number
    assert len(numbers) == 2
    cells = [cell for row in rows for cell in row.values() if cell.lstrip().startswith(("=", "+", "@"))]
    assert not cells


def test_a_filter_that_no_run_fits_says_so(kanji_tui, hostile_home):
    assert kanji_tui("--home", hostile_home, "runs", "nothing").stdout == "none of 2 runs fits these words\n"


async def test_no_screen_paints_anything_raw(hostile_home, monkeypatch, no_children):
    monkeypatch.chdir(hostile_home)
    async with Workbench().run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: pilot.app.state.runs)
        for digit, _ in enumerate(SCREENS, start=1):
            await pilot.press(str(digit))
            await settled(pilot)
            assert not {character for strip in painted(pilot) for character in raw(strip.text)}


@pytest.fixture
def no_children(monkeypatch):
    """What the screens ask children for never comes."""
    from kanji_tui.recognition.drawing.client import RecogniserClient
    from kanji_tui.tui.shell.worker import Worker

    monkeypatch.setattr(Worker, "ask_child", lambda *arguments, **key: None)
    for name in ("find_model", "recognise", "save"):
        monkeypatch.setattr(RecogniserClient, name, lambda *arguments: None)
