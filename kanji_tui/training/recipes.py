"""The recipes: every hyper-parameter of a training, by name. Free of torch.

standard      the default
quick         a first model in minutes: a quarter of the epochs
best          three times the epochs of standard, for much data: on 4,000 samples 64 epochs were no better than 32
original      the original scripts' numbers, exactly
kuzushiji     the numbers published with the network kuzushiji; its epochs and batch size are ours
transformer   for networks with attention: AdamW, a warm-up, cosine

Optimiser and learning rate of `standard` were chosen on synthetic samples split by writer and on KMNIST test images
split by file, its least number of steps on 300 KMNIST images; the other numbers are a first choice. `original` has
no least number of steps: it is exact.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from kanji_tui.errors import UsageError
from kanji_tui.training.settings import (
    AMOUNT,
    AUGMENTATION,
    BETAS,
    MAIN,
    MEMORY,
    POSITIVE,
    SHARE,
    WHOLE_SHARE,
    Setting,
    at_least,
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Shares and probabilities are 0-1."""

    epochs: Annotated[
        int,
        Setting("passes over the train split", MAIN, at_least(1), "N", searched=False),
    ]
    batch_size: Annotated[int, Setting("samples a step, at least 2", MAIN, at_least(2), "N", factor=4)]
    learning_rate: Annotated[
        float, Setting("the highest learning rate of the schedule", MAIN, POSITIVE, "X", factor=10)
    ]

    min_steps: Annotated[
        int,
        Setting(
            "the least number of steps: few samples get smaller batches, then more epochs; 0 if epochs are given",
            allowed=at_least(0),
            searched=False,
        ),
    ]
    min_batch_size: Annotated[
        int,
        Setting(
            "the smallest batch size that few samples lead to; the batch size itself if that is given",
            allowed=at_least(2),
            searched=False,
        ),
    ]
    optimiser: Annotated[
        Literal["muon", "adamw", "adam", "sgd"],
        Setting("muon: for convolutions, with adamw for the rest; sgd: with Nesterov's momentum"),
    ]
    schedule: Annotated[
        Literal["one-cycle", "cosine"],
        Setting("one-cycle: up, then down to almost nothing; cosine: down by epoch"),
    ]
    warmup: Annotated[
        float,
        Setting("share of all steps in which one-cycle raises the learning rate", allowed=SHARE, highest=0.9),
    ]
    final_learning_rate: Annotated[
        float,
        Setting(
            "the learning rate at the end, as a share of the highest",
            allowed=WHOLE_SHARE,
            factor=10,
            highest=1.0,
        ),
    ]
    weight_decay: Annotated[
        float,
        Setting(
            "decay of the weights (adam: L2 in the gradient); biases and BatchNorm have none",
            allowed=AMOUNT,
            factor=10,
        ),
    ]
    decay_everything: Annotated[bool, Setting("let the weight decay reach biases and BatchNorm too")]
    betas: Annotated[
        tuple[float, float],
        Setting("AdamW's decay rates: of averaged gradients, of averaged squared gradients", allowed=BETAS),
    ]
    momentum: Annotated[float, Setting("the momentum of Muon and SGD", allowed=SHARE, highest=0.99)]
    clip_norm: Annotated[
        float, Setting("gradients of a larger norm are scaled down to it; 0: never", allowed=AMOUNT, factor=10)
    ]
    label_smoothing: Annotated[float, Setting("share of the target that is spread over all classes", allowed=SHARE)]
    ema: Annotated[
        float,
        Setting("weights are averaged over this share of all steps; 0: no averaging", allowed=SHARE, highest=0.5),
    ]
    patience: Annotated[
        int,
        Setting(
            "stop after so many epochs without a better validation; 0: never",
            allowed=at_least(0),
            searched=False,
        ),
    ]
    best_by: Annotated[
        Literal["top1", "balanced"],
        Setting(
            "the validation figure that chooses the best epoch: top1, or balanced: the mean over classes",
            searched=False,
        ),
    ]

    precision: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"],
        Setting(
            "the number format of the training; auto: bfloat16 where the device has instructions for it",
            MEMORY,
        ),
    ]
    accumulation_steps: Annotated[
        int,
        Setting(
            "compute each batch in so many micro-batches: less memory, the same step",
            MEMORY,
            at_least(1),
            searched=False,
        ),
    ]

    rotation: Annotated[float, Setting("rotate by up to this many degrees either way", AUGMENTATION, AMOUNT)]
    shear: Annotated[float, Setting("slant by up to this tangent either way", AUGMENTATION, AMOUNT)]
    scale: Annotated[
        float, Setting("change width and height by up to this share either way", AUGMENTATION, SHARE, highest=0.5)
    ]
    shift: Annotated[float, Setting("move by up to this share of the side", AUGMENTATION, AMOUNT)]
    elastic: Annotated[float, Setting("bend by about this share of the side", AUGMENTATION, AMOUNT)]
    stroke_width: Annotated[
        float, Setting("thicken or thin strokes by up to so many pixels of 64", AUGMENTATION, AMOUNT)
    ]
    erase: Annotated[float, Setting("share of the samples with a small patch erased", AUGMENTATION, SHARE)]
    noise: Annotated[float, Setting("Gaussian noise of this standard deviation", AUGMENTATION, AMOUNT)]
    noise_share: Annotated[float, Setting("share of the samples that get noise", AUGMENTATION, SHARE)]
    fade: Annotated[
        float,
        Setting(
            "share of all steps, at the end, over which the augmentation fades out",
            AUGMENTATION,
            SHARE,
            highest=0.9,
        ),
    ]


STANDARD = Recipe(
    epochs=32,
    batch_size=128,
    learning_rate=4e-3,
    min_steps=256,
    min_batch_size=32,
    optimiser="muon",
    schedule="one-cycle",
    warmup=0.2,
    final_learning_rate=0.002,
    weight_decay=0.02,
    decay_everything=False,
    betas=(0.9, 0.99),
    momentum=0.9,
    clip_norm=2.0,
    label_smoothing=0.05,
    ema=0.02,
    patience=0,
    best_by="top1",
    precision="auto",
    accumulation_steps=1,
    rotation=8.0,
    shear=0.15,
    scale=0.12,
    shift=0.06,
    elastic=0.02,
    stroke_width=1.0,
    erase=0.0,
    noise=0.0,
    noise_share=0.0,
    fade=0.05,
)
QUICK = replace(STANDARD, epochs=8, min_steps=64)
BEST = replace(STANDARD, epochs=96, min_steps=768)

ORIGINAL = Recipe(
    epochs=30,
    batch_size=64,
    learning_rate=1e-3,
    min_steps=0,
    min_batch_size=64,
    optimiser="adamw",
    schedule="cosine",
    warmup=0.0,
    final_learning_rate=1e-3,
    weight_decay=1e-4,
    decay_everything=True,
    betas=(0.9, 0.999),
    momentum=0.9,
    clip_norm=1.0,
    label_smoothing=0.1,
    ema=0.0,
    patience=15,
    best_by="top1",
    precision="float32",
    accumulation_steps=1,
    rotation=0.0,
    shear=0.0,
    scale=0.0,
    shift=0.0,
    elastic=0.0,
    stroke_width=0.0,
    erase=0.0,
    noise=0.05,
    noise_share=0.3,
    fade=0.0,
)

# The weight decay is Adam's own (L2, added to the gradient) and reaches every parameter.
KUZUSHIJI = replace(
    ORIGINAL,
    min_steps=STANDARD.min_steps,
    min_batch_size=STANDARD.min_batch_size,
    optimiser="adam",
    final_learning_rate=0.01,
    clip_norm=0.0,
    patience=0,
    best_by="balanced",
    rotation=15.0,
    shift=0.05,
    scale=0.05,
    noise=0.0,
    noise_share=0.0,
)

TRANSFORMER = replace(
    STANDARD,
    epochs=48,
    optimiser="adamw",
    learning_rate=1e-3,
    warmup=0.1,
    weight_decay=0.05,
    betas=(0.9, 0.98),
    clip_norm=1.0,
)

RECIPES: dict[str, Recipe] = {
    "quick": QUICK,
    "standard": STANDARD,
    "best": BEST,
    "original": ORIGINAL,
    "kuzushiji": KUZUSHIJI,
    "transformer": TRANSFORMER,
}
NAMES = tuple(RECIPES)
WIDER_ON_GPU = ("quick", "standard", "best")

OF_NETWORK: dict[str, str] = {
    "v1": "original",
    "v2": "original",
    "v2.1": "original",
    "kuzushiji": "kuzushiji",
    "hybrid": "transformer",
    "vit": "transformer",
    "zoo-vit": "transformer",
    "zoo-swin": "transformer",
}


def default_recipe(network: str) -> str:
    """The name of a network's recipe where none is asked for: its own where it has one, else `standard`."""
    return OF_NETWORK.get(network, "standard")


def find_recipe(name: str, on_gpu: bool) -> Recipe:
    """The recipe with this name, on a GPU or not; UsageError for an unknown name, listing the known."""
    if name not in RECIPES:
        raise UsageError(f"there is no recipe '{name}'", f"choose one of: {', '.join(NAMES)}")
    recipe = RECIPES[name]
    # A GPU wants larger batches, and these a higher rate (by the square root, for AdamW).
    return replace(recipe, batch_size=256, learning_rate=5.6e-3) if on_gpu and name in WIDER_ON_GPU else recipe
