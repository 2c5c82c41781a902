"""What is loaded when: the workbench and the command line start without torch, the rest works without textual."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "onnx", "onnxruntime", "tract")


def loaded_after(code: str, **environment: str) -> list[str]:
    code += "\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return json.loads(output.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "code",
    [
        "import kanji_tui.tui.app",
        "import kanji_tui.tui.shell.worker",
        "import kanji_tui.cli.parser as a; a.parser()",
        "import kanji_tui.jobs.train, kanji_tui.jobs.export_onnx, kanji_tui.jobs.evaluate",
        "import kanji_tui.networks.registry, kanji_tui.training.config",
    ],
)
def test_the_faces_load_no_engine(code):
    assert not set(HEAVY) & set(loaded_after(code))


def test_the_command_line_works_where_textual_is_not_installed(tmp_path: Path, sample_dir, kanji_tui):
    """A textual that cannot be imported stands in the way of the real one, as if it were not installed."""
    (tmp_path / "textual").mkdir()
    (tmp_path / "textual" / "__init__.py").write_text("raise ModuleNotFoundError('no textual', name='textual')")
    without = {"PYTHONPATH": str(tmp_path)}
    for arguments in (
        ("prepare", "--etl-dir", sample_dir, "--size", 32),
        ("train", "--epochs", 1, "--batch-size", 16),
        ("evaluate",),
        ("export", "onnx"),
        ("preflight",),
    ):
        process = kanji_tui(*arguments, **without)
        assert process.returncode == 0 or arguments == ("preflight",), f"{arguments}: {process.stderr}"
        assert "Traceback" not in process.stderr
