"""Everything a training has earned so far, and the file that keeps it.

`last.ckpt` holds plain tensors, numbers and strings alone and is read with `weights_only=True`: opening a
checkpoint runs no code. A training that goes on from one ends, on a CPU with the same number of threads, with the
very weights it would have had undisturbed.
"""

import pickle
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from kanji_tui.errors import KanjiError
from kanji_tui.networks.registry import build
from kanji_tui.system.files import replacing
from kanji_tui.training.averaging import AveragedNetwork
from kanji_tui.training.config import Resolved, TrainConfig
from kanji_tui.training.measuring import RunningSums

CHECKPOINT = "last.ckpt"
VERSION = 1


@dataclass
class State:
    """A training between two steps: `epoch` (from 0) is at work, `batch` batches of it are done.

    `history` has one entry an epoch that ended, `best` is the entry of the best one. `seconds` counts the whole
    time over all resumptions, `epoch_seconds` that of this epoch's steps.
    """

    config: Resolved
    device: torch.device
    network: nn.Module
    average: AveragedNetwork | None
    optimiser: torch.optim.Optimizer
    generator: torch.Generator
    sums: RunningSums
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None

    @property
    def judged(self) -> nn.Module:
        """The network that is validated and kept: the averaged one where there is one."""
        return self.average.network if self.average else self.network


def begin(config: Resolved, classes: int, size: int, steps: int, device: torch.device) -> State:
    """A training of `steps` steps before its first; seeds torch's generator, which dropout draws from."""
    torch.manual_seed(config.seed)
    network = build(config.network, classes, size).to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(_groups(network, config), lr=config.learning_rate, betas=config.betas, fused=True)
    return State(
        config=config,
        device=device,
        network=network,
        average=AveragedNetwork(network, config.ema * steps) if config.ema else None,
        optimiser=optimiser,
        generator=torch.Generator(device).manual_seed(config.seed),
        sums=RunningSums(device),
    )


def _groups(network: nn.Module, config: Resolved) -> list[dict[str, Any]]:
    decayed = [p for p in network.parameters() if p.ndim > 1 or config.decay_everything]
    free = [p for p in network.parameters() if p.ndim <= 1 and not config.decay_everything]
    groups = [(decayed, config.weight_decay), (free, 0.0)]
    return [{"params": parameters, "weight_decay": decay} for parameters, decay in groups if parameters]


def save(state: State, dataset_digest: str, path: Path) -> None:
    """Write the checkpoint, whole or not at all."""
    content = {
        "version": VERSION,
        "config": asdict(state.config),
        "dataset_digest": dataset_digest,
        "network": state.network.state_dict(),
        "average": state.average.network.state_dict() if state.average else None,
        "optimiser": state.optimiser.state_dict(),
        "augmentation_random": state.generator.get_state(),
        "random": torch.get_rng_state(),
        "device_random": torch.cuda.get_rng_state(state.device) if state.device.type == "cuda" else None,
        "sums": state.sums.sums.cpu(),
        **{name: getattr(state, name) for name in COUNTED},
    }
    with replacing(path) as beside:
        torch.save(content, beside)


COUNTED = ("epoch", "batch", "seconds", "epoch_seconds", "history", "best")


def load(path: Path) -> dict[str, Any]:
    """The content that `save` wrote; KanjiError where the file is missing, unreadable or something else."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise KanjiError(
            f"there is no checkpoint {path}", "a run leaves one after its first epoch and when it is stopped"
        ) from None
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise _unreadable(path, str(error).splitlines()[0] if str(error) else type(error).__name__) from None
    if not isinstance(content, dict) or content.get("version") != VERSION or "optimiser" not in content:
        raise _unreadable(path, "it is no checkpoint of this program")
    return {**content, "path": path}


def config_of(content: dict[str, Any]) -> TrainConfig:
    """The config of a loaded checkpoint."""
    try:
        return TrainConfig(**content["config"])
    except (KeyError, TypeError) as error:
        raise _unreadable(content["path"], str(error)) from None


def restore(state: State, content: dict[str, Any]) -> None:
    """Put what `load` gave into a state made by `begin` with the same config."""
    try:
        state.network.load_state_dict(content["network"])
        if state.average:
            state.average.network.load_state_dict(content["average"])
        state.optimiser.load_state_dict(content["optimiser"])
        state.generator.set_state(content["augmentation_random"])
        torch.set_rng_state(content["random"])
        if state.device.type == "cuda" and content["device_random"] is not None:
            torch.cuda.set_rng_state(content["device_random"], state.device)
        state.sums.reset(content["sums"])
        for name in COUNTED:
            setattr(state, name, content[name])
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise _unreadable(content["path"], str(error).splitlines()[0]) from None


def _unreadable(path: Path, why: str) -> KanjiError:
    return KanjiError(
        f"the checkpoint {path} cannot be read: {why}",
        "begin a new training, or resume another run: kanji-tui runs",
    )
