"""The commands that account for runs: emissions, search."""

import argparse
import math
from argparse import Namespace
from dataclasses import replace

from kanji_tui.cli.commands.training import add_train, refuse_torchrun, start_and_follow, train_spec
from kanji_tui.cli.options import AddCommand, Parser, positive
from kanji_tui.cli.render import show
from kanji_tui.errors import UsageError
from kanji_tui.jobs.search import Spec as SearchSpec
from kanji_tui.jobs.search import check_search
from kanji_tui.runs.emissions import WORLD, carbon_intensity, emissions, given_intensity
from kanji_tui.runs.run_directory import ACTIVE, find_run
from kanji_tui.system.plain_data import from_plain
from kanji_tui.training.search_space import parse_ranges


def add(command: AddCommand) -> None:
    """Add this file's commands."""
    add_emissions(command("emissions", account, "energy and CO2 of a run"))
    add_search(command("search", search, "look for better numbers than a recipe's; each trial is a run of its own"))


def add_emissions(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="name of the run, or its beginning, or 'latest'")
    parser.add_argument(
        "--region",
        default=WORLD,
        metavar="COUNTRY",
        help="whose electricity: JPN, FIN ... (default: the world's mean)",
    )
    parser.add_argument(
        "--carbon-intensity", type=grams, default=None, metavar="G_PER_KWH", help="grams of CO2 for a kilowatt-hour"
    )


def grams(text: str) -> float:
    """A number of at least 0."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no number") from None
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text} is no carbon intensity: 0 or more")
    return value


def account(args: Namespace) -> int:
    given = args.carbon_intensity
    intensity = carbon_intensity(args.region) if given is None else given_intensity(given)
    show(emissions(find_run(args.run), intensity), args.json)
    return 0


def add_search(parser: Parser) -> None:
    add_train(parser)
    parser.add_argument(
        "--trials", type=positive, default=None, metavar="N", help=f"in all (default {SearchSpec.trials})"
    )
    parser.add_argument(
        "--over",
        default=None,
        metavar="FIELDS",
        help="what to vary: learning_rate,weight_decay ... or within: learning_rate=1e-4..1e-2,optimiser=muon|sgd",
    )


def search(args: Namespace) -> int:
    refuse_torchrun("without torchrun: kanji-tui search ...")
    check_search()
    return start_and_follow("search", search_spec(args), args)


def search_spec(args: Namespace) -> SearchSpec:
    """The spec the arguments describe; --resume takes all but the number of trials from the search it names."""
    if args.resume:
        run = find_run(args.resume)
        if run.config()["job"] != "search":
            raise UsageError(f"run {run.name} is no search", "list the runs: kanji-tui runs")
        if run.state() in ACTIVE:
            raise UsageError(f"run {run.name} is still running", f"follow it: kanji-tui attach {run.name}")
        old = from_plain(SearchSpec, run.config()["spec"], f"{run.name}/config.yaml")
        return replace(old, resume=run.path, trials=args.trials or old.trials)
    if not args.over:
        raise UsageError("a search must know what to vary", "for example: --over learning_rate,weight_decay")
    train = train_spec(args)
    return SearchSpec(train, parse_ranges(args.over, train.config), args.trials or SearchSpec.trials)
