"""The command for the web: serve. `export web` is among the exports."""

from argparse import Namespace
from pathlib import Path

from kanji_tui.cli.options import AddCommand, Parser, add_model_path
from kanji_tui.cli.render import show
from kanji_tui.cli.running import run_here
from kanji_tui.jobs.serve import Spec as ServeSpec


def add(command: AddCommand) -> None:
    """Add this file's command."""
    add_serve(command("serve", serve, "recognise characters over HTTP, and serve the page that reads handwriting"))


def add_serve(parser: Parser) -> None:
    parser.add_argument(
        "folder", nargs="?", type=Path, metavar="DIR", help="a page and its model, as export web writes them"
    )
    add_model_path(parser)
    parser.add_argument(
        "--host", default=ServeSpec.host, help=f"the address to listen on (default {ServeSpec.host})"
    )
    parser.add_argument(
        "--port", type=int, default=ServeSpec.port, metavar="N", help=f"0: a free one (default {ServeSpec.port})"
    )


def serve(args: Namespace) -> int:
    show(run_here("serve", ServeSpec(args.folder, args.model_path, args.host, args.port)), args.json)
    return 0
