"""--home and --json, before and behind the command."""

import json
import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("before", [True, False])
def test_home_and_json_mean_the_same_before_and_behind_the_command(kanji_tui, tmp_path, before):
    common = ("--home", tmp_path / "elsewhere", "--json")
    arguments = (*common, "export", "mapping") if before else ("export", "mapping", *common)

    done = kanji_tui(*arguments)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["classes"] == 3036
    assert list((tmp_path / "elsewhere").rglob("*_mapping.json"))
    assert not list(tmp_path.glob("*_mapping.json")), "written to the current folder, not to --home"


STARTS_ANOTHER = """
import subprocess, sys
from pathlib import Path
from kanji_tui.cli import enter_home
enter_home(Path(sys.argv[1]) if sys.argv[1:] else None)
subprocess.run([sys.executable, "-m", "kanji_tui", "export", "mapping"], check=True, stdout=subprocess.DEVNULL)
"""


@pytest.mark.parametrize(("home", "given"), [("work", ()), ("other", ("work",))])
def test_a_command_that_another_starts_works_in_the_same_folder(tmp_path, home, given):
    """As the workbench starts them. KANJI_TUI_HOME is relative; --home goes before it."""
    subprocess.run(
        [sys.executable, "-c", STARTS_ANOTHER, *given],
        cwd=tmp_path,
        env={**os.environ, "KANJI_TUI_HOME": home},
        check=True,
    )
    (made,) = tmp_path.rglob("*_mapping.json")
    assert made.relative_to(tmp_path).parts[:2] == ("work", "models")
