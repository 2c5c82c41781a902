"""Every number of a training in one place: frozen, YAML-able, free of torch.

A field that is None takes the value of the network's recipe; `resolve` fills them in. What stands in a run's
config.yaml is always resolved. `help_of` gives a field's one line of help, as a form shows it.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeAlias

from kanji_tui.errors import UsageError
from kanji_tui.networks.registry import entry

DEFAULT_NETWORK = "kanjinet"

# A TrainConfig that `resolve` has filled: nothing but `sample_limit` is None. Known to readers, not to the checker.
Resolved: TypeAlias = Any


def _setting(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class TrainConfig:
    """What a training does. Shares and probabilities are 0-1 unless a field says otherwise."""

    network: str = _setting(DEFAULT_NETWORK, "the network to train: kanji-tui networks lists them")
    epochs: int | None = _setting(None, "how often the whole train split is gone through")
    batch_size: int | None = _setting(None, "samples a step, at least 2")
    learning_rate: float | None = _setting(None, "the highest learning rate of the schedule")
    seed: int = _setting(0, "decides the split, the first weights, the order of samples and the augmentation")

    split: Literal["writer", "random"] = _setting("writer", "writer keeps the hands apart, random does not")
    split_shares: tuple[float, float, float] = _setting(
        (70.0, 15.0, 15.0), "samples to train, to validate and to test; their ratio counts"
    )
    sample_limit: int | None = _setting(None, "take only so many samples of the dataset; empty: all")

    schedule: Literal["one-cycle", "cosine"] | None = _setting(
        None, "one-cycle: up, then down to almost nothing; cosine: down by epoch"
    )
    warmup: float | None = _setting(None, "share of all steps in which one-cycle raises the learning rate")
    final_learning_rate: float | None = _setting(None, "the learning rate at the end, as a share of the highest")
    weight_decay: float | None = _setting(None, "AdamW's decay of the weights; biases and BatchNorm have none")
    decay_everything: bool | None = _setting(None, "let the weight decay reach biases and BatchNorm too")
    betas: tuple[float, float] | None = _setting(None, "AdamW's memory of gradients and of their squares")
    clip_norm: float | None = _setting(None, "gradients longer than this are cut back to it; 0: never")
    label_smoothing: float | None = _setting(None, "share of the target that all classes have in common")
    ema: float | None = _setting(None, "averaged weights remember this share of all steps; 0: no averaging")
    patience: int | None = _setting(None, "stop after so many epochs without a better validation; 0: never")

    rotation: float | None = _setting(None, "augmentation: turn by up to so many degrees either way")
    shear: float | None = _setting(None, "augmentation: slant by up to this tangent either way")
    scale: float | None = _setting(None, "augmentation: widen and heighten by up to this share either way")
    shift: float | None = _setting(None, "augmentation: move by up to this share of the side")
    elastic: float | None = _setting(None, "augmentation: bend by about this share of the side")
    stroke_width: float | None = _setting(
        None, "augmentation: thicken or thin strokes by up to so many pixels of 64"
    )
    noise: float | None = _setting(None, "augmentation: Gaussian noise of this deviation")
    noise_share: float | None = _setting(None, "share of the samples that get noise")
    fade: float | None = _setting(None, "share of all steps, at the end, over which the augmentation fades out")


# Settled on drawn samples and on the KMNIST test pictures with files kept apart.
KANJINET: dict[str, Any] = {
    "epochs": 16,
    "batch_size": 128,
    "learning_rate": 2e-3,
    "schedule": "one-cycle",
    "warmup": 0.2,
    "final_learning_rate": 0.002,
    "weight_decay": 0.02,
    "decay_everything": False,
    "betas": (0.9, 0.99),
    "clip_norm": 2.0,
    "label_smoothing": 0.05,
    "ema": 0.02,
    "patience": 0,
    "rotation": 8.0,
    "shear": 0.15,
    "scale": 0.12,
    "shift": 0.06,
    "elastic": 0.02,
    "stroke_width": 1.0,
    "noise": 0.0,
    "noise_share": 0.0,
    "fade": 0.05,
}

# The numbers of the original scripts.
ORIGINAL: dict[str, Any] = {
    "epochs": 30,
    "batch_size": 64,
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "warmup": 0.0,
    "final_learning_rate": 1e-3,
    "weight_decay": 1e-4,
    "decay_everything": True,
    "betas": (0.9, 0.999),
    "clip_norm": 1.0,
    "label_smoothing": 0.1,
    "ema": 0.0,
    "patience": 15,
    "rotation": 0.0,
    "shear": 0.0,
    "scale": 0.0,
    "shift": 0.0,
    "elastic": 0.0,
    "stroke_width": 0.0,
    "noise": 0.05,
    "noise_share": 0.3,
    "fade": 0.0,
}

RECIPES: dict[str, dict[str, Any]] = {
    "kanjinet": KANJINET,
    "v2.1": ORIGINAL,
    "v2": ORIGINAL,
    "v1": ORIGINAL,
}


def resolve(config: TrainConfig) -> TrainConfig:
    """The config with every None but `sample_limit` filled from the network's recipe, and checked.

    Raises UsageError for an unknown network, listing the known, and for a value that makes no sense.
    """
    entry(config.network)
    recipe = RECIPES[config.network]
    missing = {name: value for name, value in recipe.items() if getattr(config, name) is None}
    resolved = replace(config, **missing)
    for name, holds, wanted in _rules(resolved):
        if not holds:
            raise UsageError(
                f"{name.replace('_', ' ')} cannot be {getattr(resolved, name)}", f"it must be {wanted}"
            )
    return resolved


def _rules(config: Resolved) -> list[tuple[str, bool, str]]:
    """(field, whether it holds, what is wanted) of a resolved config."""
    shares = config.split_shares
    whole = [("epochs", 1), ("batch_size", 2), ("patience", 0), ("seed", 0)]
    amounts = ("weight_decay", "clip_norm", "rotation", "shear", "shift", "elastic", "stroke_width", "noise")
    rules = [(name, getattr(config, name) >= least, f"{least} or more") for name, least in whole]
    rules += [(name, 0 <= getattr(config, name) < float("inf"), "0 or more") for name in amounts]
    rules += [
        (name, 0 <= getattr(config, name) < 1, "from 0 to less than 1")
        for name in ("label_smoothing", "ema", "warmup", "fade", "noise_share", "scale")
    ]
    return [
        *rules,
        ("learning_rate", 0 < config.learning_rate < float("inf"), "more than 0"),
        ("final_learning_rate", 0 <= config.final_learning_rate <= 1, "from 0 to 1"),
        ("betas", all(0 <= beta < 1 for beta in config.betas), "two numbers from 0 to less than 1"),
        ("split", config.split in ("writer", "random"), "writer or random"),
        ("schedule", config.schedule in ("one-cycle", "cosine"), "one-cycle or cosine"),
        ("sample_limit", config.sample_limit is None or config.sample_limit >= 2, "2 or more"),
        (
            "split_shares",
            min(shares) >= 0 and min(shares[:2]) > 0 and sum(shares) < float("inf"),
            "like 70/15/15 or 85/15/0, with something to train and something to validate",
        ),
    ]


def help_of(name: str) -> str:
    """The line of help of a config field."""
    return next(str(f.metadata["help"]) for f in fields(TrainConfig) if f.name == name)
