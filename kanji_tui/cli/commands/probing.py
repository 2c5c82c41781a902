"""The command that measures before one trains: probe."""

from argparse import Namespace

from kanji_tui.cli import show
from kanji_tui.cli.commands.training import add_train, train_spec
from kanji_tui.cli.options import AddCommand
from kanji_tui.cli.running import run_here
from kanji_tui.jobs.probe import Spec


def add(command: AddCommand) -> None:
    """Add this file's command; its options are those of `train`."""
    add_train(command("probe", probe, "how long a training would take, and how much memory: a few real steps"))


def probe(args: Namespace) -> int:
    spec = train_spec(args)
    show.result("probe", run_here("probe", Spec(spec.data_dir, spec.config)), args.json)
    return 0
