"""The commands that train: train, networks."""

import os
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from kanji_tui.cli import show
from kanji_tui.cli.follow import follow, say_where
from kanji_tui.cli.options import AddCommand, Parser, positive, shares
from kanji_tui.cli.running import run_here
from kanji_tui.errors import UsageError
from kanji_tui.jobs.networks import Spec as NetworksSpec
from kanji_tui.jobs.process import start
from kanji_tui.jobs.run_directory import ACTIVE, find_run
from kanji_tui.jobs.specs import from_plain
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.training.config import TrainConfig, resolve
from kanji_tui.training.recipes import NAMES as RECIPES


def add(command: AddCommand) -> None:
    """Add this file's commands."""
    add_train(command("train", train, "train a network; goes on when this terminal is lost"))
    add_networks(command("networks", networks, "list the networks: parameters, MACs, file size"))


def add_train(parser: Parser) -> None:
    parser.add_argument("--data-dir", type=Path, default=TrainSpec.data_dir, metavar="DIR")
    parser.add_argument(
        "--network", default=None, metavar="NAME", help="see: kanji-tui networks (default kanjinet)"
    )
    parser.add_argument(
        "--recipe",
        choices=RECIPES,
        default=None,
        help="where all numbers come from: a first look, the usual, as accurate as can be, the original scripts' "
        "(default: standard for kanjinet, original for the others)",
    )
    parser.add_argument("--epochs", type=int, default=None, metavar="N", help="(default: the recipe's)")
    parser.add_argument("--batch-size", type=int, default=None, metavar="N", help="(default: the recipe's)")
    parser.add_argument("--learning-rate", type=float, default=None, metavar="X", help="(default: the recipe's)")
    parser.add_argument(
        "--sample-limit", type=int, default=None, metavar="N", help="train on N samples, stratified"
    )
    parser.add_argument(
        "--split",
        choices=("writer", "random"),
        default=None,
        help="writer: no data set is both trained on and tested (default)",
    )
    parser.add_argument(
        "--split-shares", type=shares, default=None, metavar="70/15/15", help="train/validation/test"
    )
    parser.add_argument("--fold", default=None, metavar="k/n", help="test on fold k of n, learn from the others")
    parser.add_argument("--seed", type=int, default=None, metavar="S")
    parser.add_argument("--config", type=Path, default=None, metavar="FILE.yaml", help="any field of the recipe")
    parser.add_argument("--resume", default=None, metavar="RUN", help="go on from this run's last checkpoint")
    parser.add_argument(
        "--detach", action="store_true", help="start it and return; follow with: kanji-tui attach RUN"
    )


def train(args: Namespace) -> int:
    """Start a training as a child of its own session, and follow it unless --detach."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            "training on several processes is not there yet", "start it without torchrun, on one device"
        )
    spec = train_spec(args)
    return train_and_follow(spec, args.detach, args.json)


def train_and_follow(spec: TrainSpec, detach: bool, json: bool) -> int:
    run = start("train", spec)
    if detach:
        show.result("started", {"run": run.name, "state": run.state()}, json)
        return 0
    say_where(run)
    show.result("train", follow(run, stop_on_interrupt=True), json)
    return 0


def train_spec(args: Namespace) -> TrainSpec:
    """The spec the arguments describe: --config first, single arguments over it; checked before a child starts."""
    if args.resume:
        run = find_run(args.resume)
        if run.state() in ACTIVE:
            raise UsageError(f"run {run.name} is still running", f"follow it: kanji-tui attach {run.name}")
        old = from_plain(TrainSpec, run.config()["spec"], f"{run.name}/config.yaml")
        return replace(old, resume=run.path)
    config = TrainConfig()
    if args.config:
        config = from_plain(TrainConfig, read_yaml(args.config), str(args.config))
    given = {
        "network": args.network,
        "recipe": args.recipe,
        "epochs": args.epochs,
        "batch_size": args.batch_size,
        "learning_rate": args.learning_rate,
        "sample_limit": args.sample_limit,
        "split": args.split,
        "split_shares": args.split_shares,
        "fold": args.fold,
        "seed": args.seed,
    }
    if args.split == "writer":  # asked for in so many words; as a default it gives way, and says so
        from kanji_tui.data.dataset import open_dataset
        from kanji_tui.data.splits import require_writers

        require_writers(open_dataset(args.data_dir))
    config = replace(config, **{name: value for name, value in given.items() if value is not None})
    return TrainSpec(data_dir=args.data_dir, config=resolve(config))


def read_yaml(path: Any) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read as YAML: {error}") from None


def add_networks(parser: Parser) -> None:
    parser.add_argument(
        "--size", type=positive, default=64, metavar="N", help="picture side in pixels (default 64)"
    )
    parser.add_argument("--classes", type=positive, default=3036, metavar="N", help="outputs (default 3036)")


def networks(args: Namespace) -> int:
    show.result("networks", run_here("networks", NetworksSpec(args.size, args.classes)), args.json)
    return 0
