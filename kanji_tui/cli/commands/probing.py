"""The command that estimates a training: probe."""

from argparse import Namespace

from kanji_tui.cli.commands.training import add_settings, train_spec
from kanji_tui.cli.options import AddCommand
from kanji_tui.cli.render import show
from kanji_tui.cli.running import run_here
from kanji_tui.jobs.probe import Spec


def add(command: AddCommand) -> None:
    """Add this file's command; its options are the training settings of `train`."""
    parser = command("probe", probe, "estimate a training's duration and memory from a few real steps")
    add_settings(parser)
    parser.set_defaults(track=[], profile=False, resume=None, init=None)  # options of a run; a probe makes none


def probe(args: Namespace) -> int:
    spec = train_spec(args)
    show(run_here("probe", Spec(spec.data_dir, spec.config)), args.json)
    return 0
