"""The command that measures before one trains: probe."""

from argparse import Namespace

from kanji_tui.cli.commands.training import add_settings, train_spec
from kanji_tui.cli.options import AddCommand
from kanji_tui.cli.render import show
from kanji_tui.cli.running import run_here
from kanji_tui.jobs.probe import Spec


def add(command: AddCommand) -> None:
    """Add this file's command; its options are those of `train` that say what is trained."""
    parser = command("probe", probe, "how long a training would take, and how much memory: a few real steps")
    add_settings(parser)
    parser.set_defaults(track=[], profile=False, resume=None)  # what belongs to a run, which this makes none of


def probe(args: Namespace) -> int:
    spec = train_spec(args)
    show(run_here("probe", Spec(spec.data_dir, spec.config)), args.json)
    return 0
