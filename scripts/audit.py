"""Look up every installed package in the database of known vulnerabilities of PyPI, by pip-audit.

Ends with 0 where all were looked up and none has one, else with 1. A package that could not be looked up is "not
audited": pip-audit itself calls that "no known vulnerabilities".
"""

import json
import subprocess
import sys
from typing import Any

OWN = "kanji-tui"
COMMAND = (sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off")
SECONDS = 600


def audit(command: tuple[str, ...] = COMMAND) -> tuple[list[str], int]:
    """Run pip-audit; the lines to print, and the exit code."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        packages = json.loads(ended.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return [f"not audited: no answer within {SECONDS} s"], 1
    except (json.JSONDecodeError, LookupError, TypeError):
        said = ended.stderr.strip().splitlines() or ["pip-audit said nothing"]
        return [f"not audited: {said[-1]}"], 1
    return judge([package for package in packages if package["name"] != OWN])


def judge(packages: list[dict[str, Any]]) -> tuple[list[str], int]:
    """What was found of each package but our own."""
    lines, looked_up = [], 0
    for package in packages:
        if "skip_reason" in package:
            lines.append(f"not audited: {package['skip_reason']}")
            continue
        looked_up += 1
        for known in package["vulns"]:
            mended = ", ".join(known["fix_versions"]) or "no release"
            lines.append(f"{package['name']} {package['version']}: {known['id']}, mended in {mended}")
    if not looked_up:
        return [f"not audited: the service does not answer; {len(packages)} packages were not looked up"], 1
    lines.append(f"{looked_up} of {len(packages)} packages were looked up")
    return lines, 1 if len(lines) > 1 else 0


def main() -> int:
    lines, code = audit()
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
