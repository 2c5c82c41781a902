"""The parser of all commands; each command's options are in its file in commands/."""

import argparse
from pathlib import Path

from kanji_tui import __version__
from kanji_tui.cli.commands import (
    data,
    emissions,
    inspection,
    models,
    probing,
    recognition,
    runs,
    search,
    training,
    web,
)
from kanji_tui.cli.demo import add_demo, demo
from kanji_tui.cli.options import Command, Parser
from kanji_tui.cli.workbench import workbench
from kanji_tui.presentation.tabs import SCREENS


def parser() -> Parser:
    """The parser of `kanji-tui`; each command sets `command` to its function."""
    common = common_options()
    top = Parser(
        prog="kanji-tui",
        parents=[common_options()],  # separate: the defaults below must not override those of the commands
        description="A terminal workbench for Japanese handwritten character recognition. "
        "Without a command it opens the workbench.",
    )
    top.add_argument("--version", action="version", version=f"kanji-tui {__version__}")
    top.add_argument(
        "--once",
        nargs="?",
        const="all",
        choices=(*SCREENS, "all"),
        metavar="SCREEN",
        help=f"print all screens as plain text, or one of {', '.join(SCREENS)}",
    )
    top.set_defaults(command=workbench, json=False, home=None)
    subcommands = top.add_subparsers(metavar="COMMAND", title="commands")

    def command(name: str, function: Command, help: str) -> Parser:
        made = subcommands.add_parser(
            name, parents=[common], help=help, description=help[0].upper() + help[1:] + "."
        )
        made.set_defaults(command=function)
        return made

    add_demo(command("demo", demo, "run all steps on a synthetic sample, without screens"))
    data.add(command)
    training.add(command)
    probing.add(command)
    runs.add(command)
    emissions.add(command)
    search.add(command)
    models.add(command, common)
    recognition.add(command)
    inspection.add(command)
    web.add(command)
    return top


def common_options() -> Parser:
    """The options that may come before or after every command."""
    common = Parser(add_help=False)
    common.add_argument(
        "--home",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="the folder of all relative paths (default: KANJI_TUI_HOME, else the current one)",
    )
    common.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print the result as one JSON object"
    )
    return common
