"""`kanji-tui` without a command: the workbench, or with --once its screens as text."""

import sys
from argparse import Namespace

from kanji_tui.errors import UsageError


def workbench(args: Namespace) -> int:
    """Open the workbench, or print its screens; UsageError without a terminal."""
    if args.once:
        from kanji_tui.cli.once import once

        return once(args)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "the workbench needs a terminal, and this is none",
            "kanji-tui --once prints the screens, kanji-tui demo runs all steps, --help lists the commands",
        )
    try:
        from kanji_tui.tui.app import run_workbench
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("kanji_tui"):
            raise
        raise UsageError(f"the workbench needs the package {error.name}", "pip install textual") from None
    return run_workbench()
