"""Running a job in this process, with its progress on stderr."""

import importlib
from typing import Any

from kanji_tui.cli.console import ConsoleReport
from kanji_tui.runs.litter import remove_litter


def run_here(name: str, spec: Any) -> Any:
    """Run the job `name` in this process, with progress on stderr; returns its result."""
    from kanji_tui.system.threads import prepare_process

    prepare_process()
    remove_litter()
    job = importlib.import_module(f"kanji_tui.jobs.{name}")
    with ConsoleReport() as report:
        return job.run(spec, report)


def code_of(result: Any) -> int:
    """The exit code of a finished job: 1 if one of its checks failed."""
    return 1 if any(check.verdict == "failed" for check in getattr(result, "checks", ())) else 0
