"""The commands that train: train, folds, networks."""

import os
import sys
from argparse import Namespace
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kanji_tui.cli.console import ConsoleReport
from kanji_tui.cli.follow import follow, print_run_name, result_of
from kanji_tui.cli.options import AddCommand, Parser, positive, shares
from kanji_tui.cli.render import show
from kanji_tui.cli.running import run_here
from kanji_tui.errors import Stopped, UsageError
from kanji_tui.jobs.folds import Spec as FoldsSpec
from kanji_tui.jobs.networks import Spec as NetworksSpec
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.paths import BUILT_IN
from kanji_tui.runs.about import About, about_from, about_of_resumed
from kanji_tui.runs.process import start
from kanji_tui.runs.run_directory import ACTIVE, find_run
from kanji_tui.runs.run_summary import RunState
from kanji_tui.runs.torchrun import run_distributed
from kanji_tui.runs.trackers import check_trackers
from kanji_tui.system.files import read_yaml
from kanji_tui.system.plain_data import from_plain, read_plain
from kanji_tui.training.config import SETTINGS, TrainConfig
from kanji_tui.training.recipes import Recipe
from kanji_tui.training.settings import Setting


def add(command: AddCommand) -> None:
    """Add this file's commands."""
    add_train(command("train", train, "train a network; continues when this terminal is closed"))
    add_folds(command("folds", folds, "cross-validate: train every fold, show mean and deviation"))
    add_networks(command("networks", networks, "list the networks: parameters, MACs, file size"))


def add_settings(parser: Parser) -> None:
    """The training settings: the dataset and every hyperparameter of the recipe."""
    parser.add_argument("--data-dir", type=Path, default=TrainSpec.data_dir, metavar="DIR")
    for setting in SETTINGS:
        if setting.option:
            parser.add_argument(
                setting.option,
                type=converter_of(setting),
                default=None,
                metavar=setting.metavar,
                choices=None if setting.metavar else setting.choices or None,
                help=f"{setting.help} {default_of(setting)}".rstrip(),
            )
    parser.add_argument("--config", type=Path, default=None, metavar="FILE.yaml", help="any settings")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="one setting; may be given often"
    )


def converter_of(setting: Setting) -> Any:
    """What argparse calls on a setting's text: the first of its types, or str where that is a Literal."""
    if setting.name == "split_shares":
        return shares
    kind = setting.kinds[0]
    return kind if isinstance(kind, type) else str


def default_of(setting: Setting) -> str:
    """The default of a setting as help shows it; "" where there is none."""
    if setting.name == "recipe":
        return "(default: the network's own)"
    if setting.name in Recipe.__annotations__:
        return "(default: the recipe's)"
    return f"(default: {setting.text(setting.default)})" if setting.default is not None else ""


def add_train(parser: Parser) -> None:
    add_settings(parser)
    parser.add_argument(
        "--track",
        action="append",
        default=[],
        metavar="TRACKER",
        help="also log to tensorboard, wandb or codecarbon:COUNTRY; may be repeated",
    )
    parser.add_argument(
        "--init",
        type=Path,
        default=None,
        metavar="MODEL",
        help="begin from the weights of this model, a file or built-in, not from random ones",
    )
    parser.add_argument("--profile", action="store_true", help="trace some steps and show their time by phase")
    parser.add_argument("--resume", default=None, metavar="RUN", help="resume this run from its last checkpoint")
    add_about(parser)
    parser.add_argument(
        "--detach", action="store_true", help="start it and return; follow with: kanji-tui attach RUN"
    )


def add_about(parser: Parser) -> None:
    """The options for what a person says of a run."""
    parser.add_argument("--name", default=None, metavar="TEXT", help="what to call the run")
    parser.add_argument("--note", default=None, metavar="TEXT", help="what the run is for, or what came of it")


def about_of(args: Namespace, spec: Any) -> About:
    """What the arguments say of the run of `spec`, else what is said of the run that it resumes."""
    return about_from(args.name, args.note, about_of_resumed(spec))


def train(args: Namespace) -> int:
    """Train in a child process, or under torchrun in this process."""
    if "WORLD_SIZE" in os.environ:
        return train_under_torchrun(args)
    return start_and_follow("train", train_spec(args), args)


def train_under_torchrun(args: Namespace) -> int:
    """Train in this process, one of several; rank 0 prints progress and result."""
    if args.detach:
        raise UsageError("under torchrun a training cannot be detached", "omit --detach; to detach: torchrun ... &")
    with ConsoleReport() as console:
        run, code = run_distributed("train", lambda: train_spec(args), console, about=partial(about_of, args))
    if run is not None and code in (0, Stopped.exit_code):
        show(result_of(run), args.json)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # with an orderly end PyTorch's threads of the group now and then abort the process


def start_and_follow(job: str, spec: Any, args: Namespace) -> int:
    """Start the job as a child in its own session, and follow it unless --detach is given."""
    run = start(job, spec, about=about_of(args, spec))
    if args.detach:
        show(RunState(run.name, run.state()), args.json)
        return 0
    print_run_name(run)
    show(follow(run, stop_on_interrupt=True), args.json)
    return 0


def refuse_torchrun(instead: str) -> None:
    """UsageError under torchrun, where each process would start the job again."""
    if "WORLD_SIZE" in os.environ:
        raise UsageError("under torchrun one training runs at a time", instead)


def add_folds(parser: Parser) -> None:
    parser.add_argument("count", type=positive, metavar="N", help="number of folds; each is tested once")
    add_train(parser)


def folds(args: Namespace) -> int:
    refuse_torchrun("torchrun ... -m kanji_tui train --fold 1/5, then 2/5 ...")
    if args.fold or args.resume:
        raise UsageError(
            "folds trains all folds, and resumes interrupted ones by itself",
            "omit --fold and --resume",
        )
    return start_and_follow("folds", FoldsSpec(args.count, train_spec(args)), args)


def train_spec(args: Namespace) -> TrainSpec:
    """The spec for the arguments, which override --config; checked before a child starts."""
    check_trackers(tuple(args.track))
    options = {setting.name: getattr(args, setting.name) for setting in SETTINGS if setting.option}
    given = {name: value for name, value in options.items() if value is not None}
    if args.resume:
        run = find_run(args.resume)
        if args.config or args.set or given or args.init:
            raise UsageError(
                f"run {run.name} resumes with its own settings",
                "omit the other options; for a new training omit --resume",
            )
        if run.state() in ACTIVE:
            raise UsageError(f"run {run.name} is still running", f"follow it: kanji-tui attach {run.name}")
        old = read_plain(TrainSpec, run.config().spec, run.path / "config.yaml")
        return replace(old, resume=run.path, track=tuple(args.track) or old.track, profile=args.profile)
    plain = read_yaml(args.config) if args.config else {}
    if isinstance(plain, dict):
        plain = {**plain, **settings(args.set), **given}
    config = from_plain(TrainConfig, plain, str(args.config or "--set"))
    if args.split == "writer":  # asked for in so many words; as a default it gives way, and says so
        from kanji_tui.data.dataset import open_dataset
        from kanji_tui.data.splits import require_writers

        require_writers(open_dataset(args.data_dir))
    if args.init and args.init != BUILT_IN and not args.init.is_file():
        raise UsageError(
            f"there is no model {args.init} to begin from",
            "name a file that exists, or --init built-in; or omit --init",
        )
    return TrainSpec(
        data_dir=args.data_dir, config=config, init=args.init, track=tuple(args.track), profile=args.profile
    )


def settings(texts: list[str]) -> dict[str, Any]:
    """`["noise=0.1"]` as fields with their values, each read as YAML."""
    import yaml

    pairs = [text.partition("=") for text in texts]
    try:
        if all(sign for _, sign, _ in pairs):
            return {name.strip(): yaml.safe_load(value) for name, _, value in pairs}
    except yaml.YAMLError:
        pass
    raise UsageError(f"--set {' '.join(texts)} is not FIELD=VALUE", "write for example: --set noise=0.05")


def add_networks(parser: Parser) -> None:
    parser.add_argument("--size", type=positive, default=64, metavar="N", help="image side in pixels (default 64)")
    parser.add_argument("--classes", type=positive, default=3036, metavar="N", help="outputs (default 3036)")


def networks(args: Namespace) -> int:
    show(run_here("networks", NetworksSpec(args.size, args.classes)), args.json)
    return 0
