"""The README's command-line script as it stands there, only on a smaller sample; each command's JSON as documented.

A textual that cannot be imported stands in the way of the real one: no command needs it.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Ended
from tests.forking import Forks

README = Path(__file__).parents[2] / "README.md"
CLASSES, SETS, EPOCHS = 12, 16, 5
SAMPLE = f"sample --classes {CLASSES} --sets {SETS} --seed 1 --source font"  # a font is learned in few steps
# An export and a training show that an interpreter of its own can load torch;
# tests/faults/test_output.py has `preflight` and `runs` as programs.
AS_FORKS = tuple(f"kanji-tui {name}" for name in ("preflight", "verify", "evaluate", "export s", "runs"))
SMALLER = {
    "sample --classes 120 --sets 40": SAMPLE,
    "kanji-tui prepare": "kanji-tui prepare --size 32 --workers 1",
    "kanji-tui verify": "kanji-tui verify --test-model",
    # The recipe's Muon takes five times as long a step; tests/training, and tests/conftest.py's `trained`, use it.
    "kanji-tui train": f"kanji-tui train --epochs {EPOCHS} --batch-size 16 --set optimiser=adamw",
}


def script() -> list[str]:
    """The commands of the README's script, made smaller."""
    section = README.read_text(encoding="utf-8").split("## The same from the command line")[1]
    text = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1]
    for command, smaller in SMALLER.items():
        assert command in text
        text = text.replace(command, smaller)
    return [line.partition("#")[0].strip() for line in text.splitlines()]


def ended(home: Path, command: str, environment: dict[str, str], forks: Forks) -> Ended:
    """The command, which has ended: a program, or a fork without textual."""
    command = command.replace(" || exit 1", "")
    if command.startswith(AS_FORKS):
        line = [sys.executable, "-m", "kanji_tui", *shlex.split(command)[1:], "--json"]
        streams = {"stdin": forks.DEVNULL, "stdout": forks.PIPE, "stderr": forks.PIPE, "text": True}
        fork = forks.Popen(line, cwd=home, **streams)
        output = fork.communicate()
        return Ended(fork.wait(), *output)
    process = subprocess.run(
        ["sh", "-e", "-c", f"{command} --json"],
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return Ended(process.returncode, process.stdout, process.stderr)


@pytest.fixture(scope="module")
def steps(tmp_path_factory, forks):
    """Everything from sample to runs in one home folder; what each command printed, by name or target."""
    home = tmp_path_factory.mktemp("steps")
    textual = tmp_path_factory.mktemp("packages") / "textual"
    textual.mkdir()
    (textual / "__init__.py").write_text("raise ModuleNotFoundError('no textual', name='textual')")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    packages = f"{textual.parent}:{os.environ.get('PYTHONPATH', '')}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": packages}
    results = {}
    for command in script():
        process = ended(home, command, environment, forks)
        assert process.returncode == 0, f"{command}: {process.stderr}"
        words = command.removeprefix("kanji-tui export ").removeprefix("kanji-tui ").split()
        results[words[2] if words[0] == "onnx" else words[0]] = json.loads(process.stdout)
    return home, results


def test_sample_and_prepare_count_the_same_records(steps):
    _, results = steps
    assert results["sample"]["records"] == CLASSES * SETS
    assert results["sample"]["classes"] == CLASSES
    assert results["sample"]["sets"] == SETS
    assert len(results["sample"]["files"]) == SETS // 4
    prepared = results["prepare"]
    assert (prepared["records"], prepared["quarantined"], prepared["classes"], prepared["size"]) == (192, 0, 12, 32)
    assert prepared["seconds"] > 0
    assert prepared["records_per_second"] > 0
    assert prepared["digest"]


def test_verify_finds_nothing_wrong(steps):
    home, results = steps
    assert (results["verify"]["samples"], results["verify"]["classes"]) == (192, 12)
    assert {check["verdict"] for check in results["verify"]["checks"]} <= {"ok", "warning", "not applicable"}
    assert (home / "samples.png").read_bytes().startswith(b"\x89PNG")


def test_training_learns_and_is_published(steps):
    home, results = steps
    trained = results["train"]
    assert trained["network"] == "kanjinet"
    assert trained["epochs"] == EPOCHS
    assert 1 <= trained["best_epoch"] <= EPOCHS
    assert trained["validation"]["top1"] > 0.5
    assert trained["test"]["top5"] >= trained["test"]["top1"] > 0.5
    assert trained["samples_per_second"] > 0
    run = home / "models" / "runs" / trained["run"]
    assert (home / "models" / "best_kanji_model.pth").read_bytes() == (run / "best_kanji_model.pth").read_bytes()
    assert (home / "models" / "kanji_etl9g_enhanced_mapping.json").is_file()
    for name in ("config.yaml", "events.jsonl", "status.json", "log.txt", "last.ckpt", "training_progress.json"):
        assert (run / name).is_file(), name


def test_evaluate_agrees_with_the_test_of_the_training(steps):
    _, results = steps
    assert results["evaluate"]["top1"] == pytest.approx(results["train"]["test"]["top1"])
    assert {"samples", "top1", "top3", "top5", "balanced", "loss", "confusions"} <= results["evaluate"].keys()


@pytest.mark.parametrize(("target", "opset"), [("tract", 12), ("ort-tract", 11), ("strict", 11)])
def test_exports_have_their_opset_and_agree_in_both_engines(steps, target, opset, kanji_tui, forked_children):
    home, results = steps
    if target not in results:  # the script's own
        process = kanji_tui("export", "onnx", "--target-backend", target, "--home", home, "--json")
        assert process.returncode == 0, process.stderr
        results[target] = json.loads(process.stdout)
    exported = results[target]
    assert exported["path"].endswith(f"kanji_model_etl9g-sample_32x32_12classes_{target}.onnx")
    assert exported["opset"] == opset
    assert exported["bytes"] == (home / exported["path"]).stat().st_size
    for engine in ("onnxruntime", "tract"):
        assert exported["parity"][engine]["top1_agreement"] == 1.0
        assert exported["parity"][engine]["samples"] > 0
    assert (home / exported["path"].replace(".onnx", "_mapping.json")).is_file()


def test_inspect_shows_that_both_engines_run_it(steps):
    _, results = steps
    for model in results["inspect"]["models"]:
        assert model["operators"]["Conv"] > 3
        assert model["backends"]["tract"]["runs"] is True
        assert model["backends"]["onnxruntime"]["runs"] is True


@pytest.mark.parametrize("model", ["best_kanji_model.pth", "safetensors", "tract"])
def test_predict_names_a_drawn_character_with_every_kind_of_model(steps, model, kanji_tui):
    from PIL import Image

    from kanji_tui.data.dataset import open_dataset

    home, results = steps
    path = "models/best_kanji_model.pth" if model.endswith("pth") else results[model]["path"]
    dataset = open_dataset(home / "dataset")
    right = 0
    names = []
    for number in range(0, len(dataset), 24):
        Image.fromarray(255 - dataset.images([number])[0]).save(home / f"{number}.png")
        names.append(f"{number}.png")
    process = kanji_tui("predict", "--home", home, "--model-path", path, *names, "--json")
    assert process.returncode == 0, process.stderr
    predictions = json.loads(process.stdout)["predictions"]
    for name, prediction in zip(names, predictions, strict=True):
        assert prediction["path"] == name
        best = prediction["candidates"][0]
        assert 0 <= best["probability"] <= 1
        right += best["jis"] == f"{dataset.jis[int(name[:-4])]:04X}"
    assert right >= len(names) - 2


def test_runs_lists_the_training(steps):
    _, results = steps
    (run,) = results["runs"]["runs"]
    assert (run["job"], run["state"], run["epoch"], run["epochs"]) == ("train", "finished", EPOCHS, EPOCHS)
    assert re.fullmatch(r"\d{8}T\d{6}-train-1", run["run"])
    assert run["validation"]["top1"] == pytest.approx(results["train"]["validation"]["top1"])


def test_the_same_is_printed_without_json(steps, kanji_tui, forked_children):
    home, results = steps
    assert "finished" in kanji_tui("runs", "--home", home).stdout
    assert "192" in kanji_tui("verify", "--home", home).stdout
    attached = kanji_tui("attach", "latest", "--home", home)
    assert f"epoch   {EPOCHS}/{EPOCHS}" in attached.stderr
    assert "top-1" in attached.stdout
    inspected = kanji_tui("inspect", "--home", home, results["tract"]["path"])
    assert re.search(r"^tract +runs", inspected.stdout, re.MULTILINE)
