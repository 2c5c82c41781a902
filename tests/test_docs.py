"""The commands on the pages in docs/ run as written, with smaller settings; MANY_GPUS.md: cli/test_torchrun.py.

Those of `kanji-tui` run in the tests' own process: that each is a program is shown by tests/cli/test_all_steps.py.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kanji_tui.cli.parser import parser
from kanji_tui.data.dataset import open_dataset
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.strokes import render
from kanji_tui.runs.run_directory import find_run, list_runs
from tests.drawn import DRAWN

DOCS = Path(__file__).parent.parent / "docs"
SMALL = "--network v1 --epochs 1 --batch-size 16"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def run(home: Path, *command: str) -> str:
    binaries = Path(sys.executable).parent
    process = subprocess.run(
        command,
        cwd=home,
        env={**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.fixture
def follow(kanji_tui, tmp_path: Path):
    """Runs a page's sh blocks one after the other; what each printed. `shorter`: what is replaced by what."""

    def lines(block: str) -> Iterator[str]:
        for line in block.splitlines():
            program, *arguments = shlex.split(line)
            if program != "kanji-tui":
                yield run(tmp_path, program, *arguments)
                continue
            ended = kanji_tui(*arguments)
            assert ended.returncode == 0, ended.stdout + ended.stderr
            yield ended.stdout

    def follow(page: str, **shorter: str) -> list[str]:
        output = []
        for block in blocks(page, "sh"):
            for pattern, smaller in shorter.items():
                block = block.replace(pattern, smaller)
            block = re.sub(r"(kanji[-_]tui train|kanji-tui folds \d+)(?! --network)", rf"\1 {SMALL}", block)
            block = block.replace("--network v1\n", f"{SMALL}\n")
            output.append("".join(lines(block)))
        return output

    return follow


@pytest.fixture
def home(tmp_path: Path, sample_dataset: Path) -> Path:
    """A folder with a dataset, as the pages ask for."""
    shutil.copytree(sample_dataset, tmp_path / "dataset")
    return tmp_path


def test_synthetic_writers(follow, tmp_path: Path) -> None:
    follow("SYNTHETIC_WRITERS.md", **{"--sets 8": "--sets 2"})
    assert len(open_dataset(tmp_path / "dataset")) == 2 * 148
    assert (tmp_path / "samples.png").is_file()
    page = (DOCS / "SYNTHETIC_WRITERS.md").read_text(encoding="utf-8")
    assert [name for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", page) if not (DOCS / name).is_file()] == []


def test_built_in_model(follow, tmp_path: Path) -> None:
    Image.fromarray(render(DRAWN["田"], StrokeStyle())).save(tmp_path / "image.png")
    (output,) = follow("BUILT_IN_MODEL.md")
    assert output.count("read by the built-in model") == 2
    assert len(list((tmp_path / "models").glob("kanji_model_built-in_*"))) == 2


def test_energy(follow, home: Path) -> None:
    first, regions, beside = follow("ENERGY.md")
    assert "CO2" in first or "not measured" in first
    account = json.loads(regions.splitlines()[-1])
    assert account["carbon_intensity"]["g_per_kwh"] == 50
    assert (account["kwh"] is None) == bool(account["reason"])
    assert "CodeCarbon (FIN) reports" in beside


def test_cross_validation(follow, home: Path) -> None:
    one, all_folds, again = follow("CROSS_VALIDATION.md", **{"1/5": "1/2", "folds 5": "folds 2"})
    assert "test top-1" in one
    assert "2/2" in all_folds
    result = json.loads(again)
    assert [fold["fold"] for fold in result["folds"]] == ["1/2", "2/2"]
    tests = [fold["test"]["top1"] for fold in result["folds"]]
    assert result["mean"]["test"]["top1"] == pytest.approx(np.mean(tests))
    assert result["std"]["test"]["top1"] == pytest.approx(np.std(tests, ddof=1))
    assert sum(fold["test"]["samples"] for fold in result["folds"]) == 12 * 16  # each sample is tested once
    runs = home / "models" / "runs"
    for fold in result["folds"]:
        assert find_run(fold["run"], runs).config().spec["config"]["fold"] == fold["fold"]
    assert len([found for found in list_runs(runs) if "-train-" in found.name]) == 2, "no fold is trained twice"


def test_safetensors(follow, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page's own program, which imports nothing of this project, prints what the recogniser says."""
    from kanji_tui.recognition.weights import load_recogniser

    follow("SAFETENSORS.md")
    (program,) = blocks("SAFETENSORS.md", "python")
    assert "kanji_tui" not in program
    picture = open_dataset(home / "dataset").images(np.array([5]))[0]
    Image.fromarray(picture).save(home / "image.png")
    exec(program, {})
    character, probability = capsys.readouterr().out.split()
    recogniser, card = load_recogniser(home / "models" / "best_kanji_model.pth")
    import torch

    with torch.inference_mode():
        logits = recogniser.eval()(torch.from_numpy(picture)[None, None].float() / 255)
    best = int(logits.argmax())
    assert character == card.characters[best]
    assert float(probability) == pytest.approx(float(logits.softmax(1)[0, best]), abs=2e-4)


def test_every_page_is_named_in_the_readme() -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    for page in ("ENERGY.md", "CROSS_VALIDATION.md", "MANY_GPUS.md", "SAFETENSORS.md", "BUILT_IN_MODEL.md"):
        assert f"docs/{page}" in readme


def test_beside_leet(trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script writes every step, epoch and load of a run where LEET reads them."""
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    (script,) = blocks("BESIDE_LEET.md", "python")
    shutil.copytree(trained.run, tmp_path / "run")
    (tmp_path / "run" / "about.json").write_text('{"name": "baseline", "note": "recipe as it is"}')
    output = run(tmp_path, sys.executable, "-c", script, "run", ".", "0")
    assert output.count("epoch") >= 8
    (written,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    for text in (b"baseline", b"recipe as it is", b"epoch/val_loss", b"learning_rate"):
        assert text in written.read_bytes()


def test_the_commands_beside_leet_exist() -> None:
    (block,) = blocks("BESIDE_LEET.md", "sh")
    for line in block.splitlines()[1:]:
        assert parser().parse_args(shlex.split(line)[1:]).command
