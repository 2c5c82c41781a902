"""Every number of a training in one place: frozen, YAML-able, free of torch.

A field that is None takes the value of the recipe; `resolve` fills them in. What stands in a run's
config.yaml is always resolved. `help_of` gives a field's one line of help, as a form shows it.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeAlias

from kanji_tui.data.folds import parse_fold
from kanji_tui.errors import UsageError
from kanji_tui.networks.registry import available
from kanji_tui.system.gpu import torch_uses_gpu
from kanji_tui.training import recipes

DEFAULT_NETWORK = "kanjinet"

PRECISIONS = ("auto", "float32", "bfloat16", "float16")

# A TrainConfig that `resolve` has filled: only `fold` and `sample_limit` may be None. Known to readers, not to the
# checker.
Resolved: TypeAlias = Any


def _setting(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class TrainConfig:
    """What a training does. Shares and probabilities are 0-1 unless a field says otherwise."""

    network: str = _setting(DEFAULT_NETWORK, "the network to train: kanji-tui networks lists them")
    recipe: Literal["quick", "standard", "best", "original", "kuzushiji", "transformer"] | None = _setting(
        None, f"where empty fields come from: {', '.join(recipes.NAMES)}; empty: the network's own"
    )
    epochs: int | None = _setting(None, "how often the whole train split is gone through")
    batch_size: int | None = _setting(None, "samples a step, at least 2")
    pieces: int | None = _setting(None, "work each batch off in so many pieces: less memory, the same step")
    optimiser: Literal["muon", "adamw", "adam", "sgd"] | None = _setting(
        None, "muon for convolutions and adamw for the rest; adamw; adam; or sgd with Nesterov's momentum"
    )
    learning_rate: float | None = _setting(None, "the highest learning rate of the schedule")
    seed: int = _setting(0, "decides the split, the first weights, the order of samples and the augmentation")

    split: Literal["writer", "random"] = _setting("writer", "writer keeps the hands apart, random does not")
    split_shares: tuple[float, float, float] = _setting(
        (70.0, 15.0, 15.0), "samples to train, to validate and to test; their ratio counts"
    )
    fold: str | None = _setting(None, "cross-validation: 2/5 tests on the second of five folds; empty: no folds")
    sample_limit: int | None = _setting(None, "take only so many samples of the dataset; empty: all")

    schedule: Literal["one-cycle", "cosine"] | None = _setting(
        None,
        "one-cycle: up, then down to almost nothing; cosine: down by epoch",
    )
    warmup: float | None = _setting(None, "share of all steps in which one-cycle raises the learning rate")
    final_learning_rate: float | None = _setting(None, "the learning rate at the end, as a share of the highest")
    weight_decay: float | None = _setting(
        None, "decay of the weights (adam: L2 in the gradient); biases and BatchNorm have none"
    )
    decay_everything: bool | None = _setting(None, "let the weight decay reach biases and BatchNorm too")
    betas: tuple[float, float] | None = _setting(None, "AdamW's memory of gradients and of their squares")
    momentum: float | None = _setting(None, "Muon's and SGD's memory of gradients")
    clip_norm: float | None = _setting(None, "gradients longer than this are cut back to it; 0: never")
    label_smoothing: float | None = _setting(None, "share of the target that all classes have in common")
    ema: float | None = _setting(None, "averaged weights remember this share of all steps; 0: no averaging")
    patience: int | None = _setting(None, "stop after so many epochs without a better validation; 0: never")
    best_by: Literal["top1", "balanced"] | None = _setting(
        None, "the validation figure that says which epoch is the best: top1, or balanced: the mean over classes"
    )

    precision: Literal["auto", "float32", "bfloat16", "float16"] | None = _setting(
        None, "what networks compute in while they learn; auto: bfloat16 where the device has instructions for it"
    )
    sync_batchnorm: bool = _setting(
        False, "BatchNorm measures each batch over all GPUs of a training together, not on each of them"
    )
    detect_anomaly: bool = _setting(False, "look for the operation that first gave no number; several times slower")

    rotation: float | None = _setting(None, "augmentation: turn by up to so many degrees either way")
    shear: float | None = _setting(None, "augmentation: slant by up to this tangent either way")
    scale: float | None = _setting(None, "augmentation: widen and heighten by up to this share either way")
    shift: float | None = _setting(None, "augmentation: move by up to this share of the side")
    elastic: float | None = _setting(None, "augmentation: bend by about this share of the side")
    stroke_width: float | None = _setting(
        None, "augmentation: thicken or thin strokes by up to so many pixels of 64"
    )
    erase: float | None = _setting(None, "augmentation: share of the samples that have a small patch rubbed out")
    noise: float | None = _setting(None, "augmentation: Gaussian noise of this deviation")
    noise_share: float | None = _setting(None, "share of the samples that get noise")
    fade: float | None = _setting(None, "share of all steps, at the end, over which the augmentation fades out")


def resolve(config: TrainConfig) -> TrainConfig:
    """The config with every None but `fold` and `sample_limit` filled from its recipe, and checked.

    Raises UsageError for an unknown network or recipe, listing the known, and for a value that makes no sense.
    """
    available(config.network)
    named = config.recipe or recipes.default_recipe(config.network)
    if named not in recipes.NAMES:
        raise UsageError(f"there is no recipe '{named}'", f"choose one of: {', '.join(recipes.NAMES)}")
    values = {"recipe": named, **recipes.recipe(named, on_gpu=torch_uses_gpu())}
    missing = {name: value for name, value in values.items() if getattr(config, name) is None}
    resolved = replace(config, **missing)
    if resolved.fold is not None:
        parse_fold(resolved.fold)
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
    amounts = (
        "weight_decay",
        "clip_norm",
        "rotation",
        "shear",
        "shift",
        "elastic",
        "stroke_width",
        "noise",
    )
    rules = [(name, getattr(config, name) >= least, f"{least} or more") for name, least in whole]
    rules += [(name, 0 <= getattr(config, name) < float("inf"), "0 or more") for name in amounts]
    rules += [
        (name, 0 <= getattr(config, name) < 1, "from 0 to less than 1")
        for name in ("label_smoothing", "ema", "warmup", "fade", "noise_share", "scale", "erase", "momentum")
    ]
    return [
        *rules,
        ("learning_rate", 0 < config.learning_rate < float("inf"), "more than 0"),
        ("final_learning_rate", 0 <= config.final_learning_rate <= 1, "from 0 to 1"),
        ("betas", all(0 <= beta < 1 for beta in config.betas), "two numbers from 0 to less than 1"),
        ("split", config.split in ("writer", "random"), "writer or random"),
        ("optimiser", config.optimiser in ("muon", "adamw", "adam", "sgd"), "muon, adamw, adam or sgd"),
        ("best_by", config.best_by in ("top1", "balanced"), "top1 or balanced"),
        ("precision", config.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}"),
        ("pieces", 1 <= config.pieces <= config.batch_size // 2, "from 1 to half the batch size"),
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
