"""The command line that starts what a form or a run describes, to copy and to keep."""

import shlex
from dataclasses import fields

from kanji_tui.jobs import train
from kanji_tui.paths import DATA_DIR
from kanji_tui.training.config import TrainConfig, resolve
from kanji_tui.training.recipes import default_recipe

OPTIONS = (
    "epochs",
    "batch_size",
    "learning_rate",
    "sample_limit",
    "split",
    "split_shares",
    "fold",
    "seed",
)  # fields with an option of their own; all others go through --set


def train_command(spec: train.Spec) -> str:
    """`kanji-tui train ...`, quoted for a shell; UsageError where the config makes no sense."""
    if spec.resume is not None:
        return shlex.join(["kanji-tui", "train", "--resume", spec.resume.name])
    return shlex.join(["kanji-tui", "train", *train_arguments(spec)])


def train_arguments(spec: train.Spec) -> list[str]:
    """The arguments that say what differs from the network's own recipe."""
    config = resolve(spec.config)
    usual = resolve(TrainConfig(network=config.network, recipe=config.recipe))
    arguments = ["--network", config.network]
    if config.recipe != default_recipe(config.network):
        arguments += ["--recipe", str(config.recipe)]
    if spec.data_dir != DATA_DIR:
        arguments += ["--data-dir", str(spec.data_dir)]
    for f in fields(TrainConfig):
        value = getattr(config, f.name)
        if value == getattr(usual, f.name):
            continue
        if f.name in OPTIONS:
            arguments += [f"--{f.name.replace('_', '-')}", _text(value, "/")]
        else:
            arguments += ["--set", f"{f.name}={_plain(value)}"]
    return arguments


def _text(value: object, between: str) -> str:
    return between.join(f"{part:g}" for part in value) if isinstance(value, tuple) else str(value)


def _plain(value: object) -> str:
    """The value as YAML reads it back."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_plain, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
