"""Every number of a training in one place: frozen, YAML-able, free of torch.

A field that is None takes the value of the network's recipe; `resolve` fills them in. What stands in a run's
config.yaml is always resolved.
"""

from dataclasses import dataclass, fields, replace

from kanji_tui.errors import UsageError

DEFAULT_NETWORK = "kanjinet"


@dataclass(frozen=True)
class TrainConfig:
    """What a training does. Shares, rates and probabilities are 0-1 unless a field says otherwise."""

    network: str = DEFAULT_NETWORK
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    seed: int = 0
    split: str = "writer"
    split_shares: tuple[float, float, float] = (70.0, 15.0, 15.0)
    sample_limit: int | None = None


__all__ = ["DEFAULT_NETWORK", "TrainConfig", "UsageError", "fields", "replace"]
