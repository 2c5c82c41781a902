"""What is loaded when: the workbench and the command line start without torch."""

import json
import os
import subprocess
import sys

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
