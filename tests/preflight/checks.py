"""Finds a check in a list, and asserts what holds for every check."""

import subprocess

from kanji_tui.system.check import Check


def find(checks: list[Check], name: str, group: str = "") -> Check:
    """The only check of this name; asserts that its remedy is a valid shell command."""
    found = [check for check in checks if check.name == name and group in ("", check.group)]
    assert len(found) == 1, [check.name for check in checks]
    assert_pasteable(found[0])
    return found[0]


def assert_pasteable(check: Check) -> None:
    parsed = subprocess.run(["bash", "-n", "-c", check.remedy], capture_output=True, text=True, check=False)
    assert parsed.returncode == 0, f"{check.name}: {check.remedy}: {parsed.stderr}"
    assert check.remedy or check.verdict in ("ok", "not applicable"), check
