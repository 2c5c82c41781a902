"""JavaScript of the page run in Node, and the real runtime and axe for a real browser."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest

from kanji_tui.errors import KanjiError
from tests.conftest import USERS_CACHE

PAGE = Path(str(files("kanji_tui.web") / "page"))
AXE = "axe-core@4.11.0"
STUB = "export const env = { wasm: {} }; export class Tensor {} export class InferenceSession {}"


@pytest.fixture(scope="session")
def in_node(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Any], Any]:
    """Run JavaScript beside the page's modules: `given` is its input, `answer(value)` its output."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed: the page's JavaScript is not tested")
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(PAGE, folder, dirs_exist_ok=True)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "ort.js").write_text(STUB)

    def run(code: str, given: Any) -> Any:
        (folder / "given.json").write_text(json.dumps(given))
        (folder / "test.js").write_text(
            'import fs from "node:fs";\n'
            'const given = JSON.parse(fs.readFileSync("given.json"));\n'
            "const answer = (value) => console.log(JSON.stringify(value));\n" + code
        )
        done = subprocess.run(["node", "test.js"], cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def runtime() -> dict[str, str]:
    """Variables of the environment that lead to ONNX Runtime Web, fetched by npm where the cache lacks it.

    Skips where that fails.
    """
    from kanji_tui.engines.web_runtime import find_runtime

    variables = {"XDG_CACHE_HOME": USERS_CACHE}
    with patch.dict(os.environ, variables):
        try:
            find_runtime("npm")
        except KanjiError as error:
            pytest.skip(f"ONNX Runtime Web is not to be had: {error.message}")
    return variables


def axe(npm: str) -> str:
    """The source of axe, from npm's cache or registry."""
    with TemporaryDirectory() as folder:
        done = subprocess.run(
            [npm, "install", "--prefer-offline", "--no-save", AXE], cwd=folder, capture_output=True
        )
        if done.returncode:
            pytest.skip(f"npm has no {AXE}: axe is not run")
        return (Path(folder) / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
