"""JavaScript of the page run in Node, and the real runtime for a real browser."""

import json
import shutil
import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from kanji_tui.errors import KanjiError

PAGE = Path(str(files("kanji_tui.web") / "page"))
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
def runtime() -> Path:
    """ONNX Runtime Web in the user's cache, fetched by npm where it is not there. Skips where that fails."""
    from kanji_tui.web.runtime import find_runtime

    try:
        return find_runtime("npm")
    except KanjiError as error:
        pytest.skip(f"ONNX Runtime Web is not to be had: {error.message}")
