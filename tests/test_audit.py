"""`make audit`: what could not be looked up is not called sound."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PLACE = Path(__file__).parents[1] / "scripts" / "audit.py"
SOUND = {"name": "sound", "version": "1.0", "vulns": []}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found on PyPI and could not be audited: unknown (1.0)"}
OURS = {"name": "kanji-tui", "skip_reason": "distribution marked as editable"}
HOLED = {"name": "holed", "version": "1.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}]}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("audit", PLACE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answering(*packages) -> tuple[str, ...]:
    return sys.executable, "-c", f"print({json.dumps(json.dumps({'dependencies': packages, 'fixes': []}))})"


def test_make_audit_installs_pip_audit_and_runs_the_script_in_that_environment():
    makefile = (PLACE.parents[1] / "Makefile").read_text()
    assert re.search(r"^audit: \.venv/audit\n\t\$\(BIN\)/python scripts/audit\.py$", makefile, re.MULTILINE)
    assert re.search(r"^\.venv/audit: .+\n\t.+--group audit\n", makefile, re.MULTILINE)


def test_without_pip_audit_nothing_is_called_sound(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-S", str(PLACE)], capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": ""}
    )
    assert (ended.returncode, ended.stdout.count("not audited")) == (1, 1)


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (answering(SOUND, SOUND, OURS), 0, "2 of 2 packages were looked up"),
        (answering(SOUND, HOLED), 1, "holed 1.0: PYSEC-2026-1, mended in 1.1"),
        (answering(SOUND, UNKNOWN), 1, "not audited: Dependency not found"),
        (answering(UNKNOWN, UNKNOWN, OURS), 1, "not audited: the service does not answer; 2 packages"),
        (answering(), 1, "not audited"),
        ((sys.executable, "-c", "import sys; sys.exit('no route to host')"), 1, "not audited: no route to host"),
        ((sys.executable, "-c", "print('[]')"), 1, "not audited"),
    ],
)
def test_only_what_was_looked_up_is_sound(script, command, code, words):
    lines, found = script.audit(command)
    assert found == code
    assert words in "\n".join(lines)
