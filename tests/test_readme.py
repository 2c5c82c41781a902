"""What the README names exists. Its script runs in tests/cli/test_all_steps.py."""

import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_every_command_in_the_readme_exists():
    from kanji_tui.cli.parser import parser

    output = parser().format_help()
    for command in set(re.findall(r"^kanji-tui ([a-z]+)", README.read_text(encoding="utf-8"), re.MULTILINE)):
        assert re.search(rf"^ +{command}\b", output, re.MULTILINE), command


def test_every_image_in_the_readme_exists():
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / path).is_file(), path
