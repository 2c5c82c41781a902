"""The form of a new training: what most trainings choose; everything else is the network's recipe."""

from typing import Any

from kanji_tui.errors import KanjiError
from kanji_tui.networks.registry import NETWORKS
from kanji_tui.training.config import DEFAULT_NETWORK, RECIPES, TrainConfig, help_of, resolve
from kanji_tui.tui.screens.form import Field, FormScreen, number, whole


def train_form() -> FormScreen:
    """Empty fields take the value of the chosen network's recipe, which stands in them in grey."""

    def recipe(name: str) -> Any:
        return lambda texts: f"{RECIPES[texts['network']][name]:g} (recipe)"

    return FormScreen(
        "Train a network",
        "",
        (
            Field(
                "network",
                "network",
                DEFAULT_NETWORK,
                {name: entry.description for name, entry in NETWORKS.items()},
                choices=tuple(NETWORKS),
            ),
            Field("epochs", "epochs", "", _help("epochs"), whole(1, empty=True), placeholder=recipe("epochs")),
            Field(
                "batch_size",
                "batch size",
                "",
                _help("batch_size"),
                whole(2, empty=True),
                placeholder=recipe("batch_size"),
            ),
            Field(
                "learning_rate",
                "learning rate",
                "",
                _help("learning_rate"),
                number(0, empty=True),
                placeholder=recipe("learning_rate"),
            ),
            Field("split", "split", TrainConfig.split, _help("split"), choices=("writer", "random")),
            Field("split_shares", "shares", "70/15/15", _help("split_shares"), shares),
            Field(
                "sample_limit", "sample limit", "", _help("sample_limit"), whole(2, empty=True), placeholder="all"
            ),
            Field("seed", "seed", "0", _help("seed"), whole(0)),
        ),
        "Train",
        check=problem_of,
    )


def read_config(values: dict[str, Any]) -> TrainConfig:
    """The config that the form's values make, resolved."""
    return resolve(TrainConfig(**values))


def problem_of(values: dict[str, Any]) -> str:
    """What the config itself says against the values; empty when nothing."""
    try:
        read_config(values)
    except KanjiError as error:
        return f"{error.message}; {error.remedy}"
    return ""


def shares(text: str) -> tuple[float, float, float]:
    """`70/15/15` as three numbers."""
    try:
        train, validation, test = (float(part) for part in text.split("/"))
    except ValueError:
        raise ValueError(f"'{text}' is not three numbers like 70/15/15") from None
    return train, validation, test


def _help(name: str) -> str:
    """The config's line of help as a sentence."""
    text = help_of(name)
    return f"{text[:1].upper()}{text[1:]}."
