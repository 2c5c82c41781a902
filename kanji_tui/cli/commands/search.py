"""The command for a hyperparameter search: search."""

from argparse import Namespace
from dataclasses import replace

from kanji_tui.cli.commands.training import add_train, refuse_torchrun, start_and_follow, train_spec
from kanji_tui.cli.options import AddCommand, Parser, positive
from kanji_tui.errors import UsageError
from kanji_tui.jobs.search import Spec as SearchSpec
from kanji_tui.jobs.search import check_search
from kanji_tui.runs.run_directory import ACTIVE, find_run
from kanji_tui.system.plain_data import read_plain
from kanji_tui.training.search_space import parse_ranges


def add(command: AddCommand) -> None:
    """Add this file's command."""
    add_search(command("search", search, "search for better hyperparameters; each trial is a run"))


def add_search(parser: Parser) -> None:
    add_train(parser)
    parser.add_argument(
        "--trials", type=positive, default=None, metavar="N", help=f"number of trials (default {SearchSpec.trials})"
    )
    parser.add_argument(
        "--over",
        default=None,
        metavar="FIELDS",
        help="fields: learning_rate,weight_decay ... or ranges: learning_rate=1e-4..1e-2,optimiser=muon|sgd",
    )


def search(args: Namespace) -> int:
    refuse_torchrun("without torchrun: kanji-tui search ...")
    check_search()
    return start_and_follow("search", search_spec(args), args)


def search_spec(args: Namespace) -> SearchSpec:
    """The spec for the arguments; --resume takes everything but the number of trials from the named search."""
    if args.resume:
        run = find_run(args.resume)
        if run.config().job != "search":
            raise UsageError(f"run {run.name} is not a search", "list the runs: kanji-tui runs")
        if run.state() in ACTIVE:
            raise UsageError(f"run {run.name} is still running", f"follow it: kanji-tui attach {run.name}")
        old = read_plain(SearchSpec, run.config().spec, run.path / "config.yaml")
        return replace(old, resume=run.path, trials=args.trials or old.trials)
    if not args.over:
        raise UsageError("no hyperparameters to search over", "for example: --over learning_rate,weight_decay")
    train = train_spec(args)
    return SearchSpec(train, parse_ranges(args.over, train.config), args.trials or SearchSpec.trials)
