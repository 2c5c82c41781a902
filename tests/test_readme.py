"""The README's command-line script runs as it stands there, only on a smaller sample."""

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def script() -> str:
    section = README.read_text(encoding="utf-8").split("## The same from the command line")[1]
    return re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1]


def test_the_script_in_the_readme_runs(tmp_path):
    smaller = (
        script()
        .replace("sample --classes 120 --sets 40", "sample --classes 12 --sets 16")
        .replace("kanji-tui train", "kanji-tui train --epochs 6 --batch-size 16")
    )
    assert smaller != script()
    binaries = Path(sys.executable).parent
    process = subprocess.run(
        ["sh", "-e", "-c", smaller],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert re.search(r"^tract +runs", process.stdout, re.MULTILINE)
    assert (tmp_path / "models" / "kanji_etl9g_enhanced_mapping.json").is_file()


def test_every_command_in_the_readme_exists():
    from kanji_tui.cli.parser import parser

    output = parser().format_help()
    for command in set(re.findall(r"^kanji-tui ([a-z]+)", README.read_text(encoding="utf-8"), re.MULTILINE)):
        assert re.search(rf"^ +{command}\b", output, re.MULTILINE), command


def test_every_image_in_the_readme_exists():
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / path).is_file(), path
