"""The command line that starts what a form or a run describes, to copy and to keep."""

import shlex
from dataclasses import replace

from kanji_tui.jobs import train
from kanji_tui.paths import DATA_DIR
from kanji_tui.runs.about import About
from kanji_tui.training.config import SETTINGS, configure
from kanji_tui.training.recipes import default_recipe


def train_command(spec: train.Spec, about: About | None = None) -> str:
    """`kanji-tui train ...`, quoted for a shell, with what is given of the run."""
    if spec.resume is not None:
        return shlex.join(["kanji-tui", "train", "--resume", spec.resume.name])
    given = (("--name", about.name), ("--note", about.note)) if about else ()
    options = [part for option, text in given if text for part in (option, text)]
    return shlex.join(["kanji-tui", "train", *train_arguments(spec), *options])


def train_arguments(spec: train.Spec) -> list[str]:
    """The arguments that say what differs from the network's own recipe."""
    config = spec.config
    recipe = configure(config.network, config.recipe)
    differ = [name for name in ("epochs", "batch_size") if getattr(config, name) != getattr(recipe, name)]
    implied = configure(config.network, config.recipe, **{name: getattr(config, name) for name in differ})
    usual = replace(implied, **{name: getattr(recipe, name) for name in differ})
    arguments = ["--network", config.network]
    if config.recipe != default_recipe(config.network):
        arguments += ["--recipe", config.recipe]
    if spec.data_dir != DATA_DIR:
        arguments += ["--data-dir", str(spec.data_dir)]
    if spec.init is not None:
        arguments += ["--init", str(spec.init)]
    for setting in SETTINGS:
        value = getattr(config, setting.name)
        if value == getattr(usual, setting.name):
            continue
        if setting.option:
            arguments += [setting.option, "/".join(map(str, value)) if isinstance(value, tuple) else str(value)]
        else:
            arguments += ["--set", f"{setting.name}={_yaml(value)}"]
    return arguments


def _yaml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
