"""The command for the energy and CO2 of a run: emissions."""

import argparse
import math
from argparse import Namespace

from kanji_tui.cli.options import AddCommand, Parser
from kanji_tui.cli.render import show
from kanji_tui.runs.emissions import WORLD, carbon_intensity, emissions, given_intensity
from kanji_tui.runs.run_directory import find_run


def add(command: AddCommand) -> None:
    """Add this file's command."""
    add_emissions(command("emissions", run_emissions, "show the energy and CO2 of a run"))


def add_emissions(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run's name, the beginning of it, or 'latest'")
    parser.add_argument(
        "--region",
        default=WORLD,
        metavar="COUNTRY",
        help="the country of the electricity: JPN, FIN ... (default: the world's mean)",
    )
    parser.add_argument(
        "--carbon-intensity", type=grams, default=None, metavar="G_PER_KWH", help="grams of CO2 per kilowatt-hour"
    )


def grams(text: str) -> float:
    """A number of at least 0."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number") from None
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text} is not a carbon intensity: 0 or more")
    return value


def run_emissions(args: Namespace) -> int:
    given = args.carbon_intensity
    intensity = carbon_intensity(args.region) if given is None else given_intensity(given)
    show(emissions(find_run(args.run), intensity), args.json)
    return 0
