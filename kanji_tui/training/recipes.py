"""The recipes: every number of a training, by name, network and device. Free of torch.

standard      the default
quick         a first look in minutes: a quarter of the epochs
best          three times the epochs of standard, for much data: on 4,000 pictures 64 epochs were no better than 32
original      the original scripts' numbers, exactly
kuzushiji     the numbers published with the network kuzushiji; its epochs and batch size are ours
transformer   for networks that attend: AdamW, a warm-up, cosine

Optimiser and learning rate of `standard` were chosen on drawn samples with hands kept apart and on KMNIST test
pictures with files kept apart; the other numbers are a first choice.
"""

from typing import Any

NAMES: tuple[str, ...] = ("quick", "standard", "best", "original", "kuzushiji", "transformer")

STANDARD: dict[str, Any] = {
    "epochs": 32,
    "batch_size": 128,
    "pieces": 1,
    "optimiser": "muon",
    "learning_rate": 4e-3,
    "schedule": "one-cycle",
    "warmup": 0.2,
    "final_learning_rate": 0.002,
    "weight_decay": 0.02,
    "decay_everything": False,
    "betas": (0.9, 0.99),
    "momentum": 0.9,
    "clip_norm": 2.0,
    "label_smoothing": 0.05,
    "ema": 0.02,
    "patience": 0,
    "best_by": "top1",
    "precision": "auto",
    "rotation": 8.0,
    "shear": 0.15,
    "scale": 0.12,
    "shift": 0.06,
    "elastic": 0.02,
    "stroke_width": 1.0,
    "erase": 0.0,
    "noise": 0.0,
    "noise_share": 0.0,
    "fade": 0.05,
}
QUICK: dict[str, Any] = {**STANDARD, "epochs": 8}
BEST: dict[str, Any] = {**STANDARD, "epochs": 96}

# The numbers of the original scripts.
ORIGINAL: dict[str, Any] = {
    "epochs": 30,
    "batch_size": 64,
    "pieces": 1,
    "optimiser": "adamw",
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "warmup": 0.0,
    "final_learning_rate": 1e-3,
    "weight_decay": 1e-4,
    "decay_everything": True,
    "betas": (0.9, 0.999),
    "momentum": 0.9,
    "clip_norm": 1.0,
    "label_smoothing": 0.1,
    "ema": 0.0,
    "patience": 15,
    "best_by": "top1",
    "precision": "float32",
    "rotation": 0.0,
    "shear": 0.0,
    "scale": 0.0,
    "shift": 0.0,
    "elastic": 0.0,
    "stroke_width": 0.0,
    "erase": 0.0,
    "noise": 0.05,
    "noise_share": 0.3,
    "fade": 0.0,
}

# The weight decay is Adam's own (L2, added to the gradient) and reaches every parameter.
KUZUSHIJI: dict[str, Any] = {
    **ORIGINAL,
    "optimiser": "adam",
    "final_learning_rate": 0.01,
    "clip_norm": 0.0,
    "patience": 0,
    "best_by": "balanced",
    "rotation": 15.0,
    "shift": 0.05,
    "scale": 0.05,
    "noise": 0.0,
    "noise_share": 0.0,
}

TRANSFORMER: dict[str, Any] = {
    **STANDARD,
    "epochs": 48,
    "optimiser": "adamw",
    "learning_rate": 1e-3,
    "warmup": 0.1,
    "weight_decay": 0.05,
    "betas": (0.9, 0.98),
    "clip_norm": 1.0,
}

# A GPU wants larger batches, and these a higher rate (by the square root, for AdamW). Not measured on one yet.
ON_GPU: dict[str, Any] = {"batch_size": 256, "learning_rate": 5.6e-3}

WIDER_ON_GPU = ("quick", "standard", "best")

ALL: dict[str, dict[str, Any]] = {
    "quick": QUICK,
    "standard": STANDARD,
    "best": BEST,
    "original": ORIGINAL,
    "kuzushiji": KUZUSHIJI,
    "transformer": TRANSFORMER,
}

OWN: dict[str, str] = {
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
    """The recipe of a network where none is named: its own where it has one, else `standard`."""
    return OWN.get(network, "standard")


def recipe(name: str, on_gpu: bool) -> dict[str, Any]:
    """Every number of the recipe with this name, on a GPU or not; KeyError for an unknown name."""
    return {**ALL[name], **ON_GPU} if on_gpu and name in WIDER_ON_GPU else dict(ALL[name])
