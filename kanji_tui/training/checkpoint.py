"""The file last.ckpt: a training's state, saved and loaded.

It holds plain tensors, numbers and strings alone and is read with `weights_only=True`: opening a checkpoint runs no
code. Resuming is bit-exact on a CPU with the same number of threads. With several processes, or on another kind of
device, a resumed training keeps the batches, their order and the schedule, but dropout and augmentation draw other
random numbers.
"""

import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch

from kanji_tui.allowed import COUNT, MEASURED, between
from kanji_tui.errors import KanjiError
from kanji_tui.networks.tensor_files import load_tensors
from kanji_tui.system.files import parsing, replacing
from kanji_tui.system.plain_data import read_plain
from kanji_tui.training.config import OLD_NAMES, TrainConfig
from kanji_tui.training.results import Metrics
from kanji_tui.training.state import TrainState

VERSION = 2
ANOTHER = "begin a new training, or resume another run: kanji-tui runs"
COUNTED = ("accumulation_steps", "epoch", "batch", "seconds", "epoch_seconds", "history", "best", "license")


@dataclass(frozen=True)
class _Entry:
    """An epoch in the history."""

    epoch: Annotated[int, COUNT]
    train_loss: Annotated[float, MEASURED]
    train_top1: Annotated[float, MEASURED]
    learning_rate: Annotated[float, MEASURED]
    seconds: Annotated[float, MEASURED]
    samples_per_second: Annotated[float, MEASURED]
    validation: Metrics
    train_clean_top1: Annotated[float, MEASURED] | None = None
    threads: Annotated[int, COUNT] | None = None


@dataclass(frozen=True)
class _Stored:
    """What is checked of a checkpoint when it is loaded. The rest is tensors, which must fit the training."""

    config: dict[str, Any]
    dataset_digest: str
    threads: Annotated[int, between(1, 4096)] | None = None
    accumulation_steps: Annotated[int, between(1, 2**20)] = 1
    epoch: Annotated[int, COUNT] = 0
    batch: Annotated[int, COUNT] = 0
    seconds: Annotated[float, MEASURED] = 0.0
    epoch_seconds: Annotated[float, MEASURED] = 0.0
    history: tuple[_Entry, ...] = ()
    best: _Entry | None = None
    license: str = ""


def save(state: TrainState, dataset_digest: str, path: Path) -> None:
    """Write the checkpoint, whole or not at all."""
    content = {
        "version": VERSION,
        "config": asdict(state.config),
        "dataset_digest": dataset_digest,
        "threads": torch.get_num_threads() if state.device.type == "cpu" else None,
        "network": state.network.state_dict(),
        "average": state.average.network.state_dict() if state.average else None,
        "optimisers": [optimiser.state_dict() for optimiser in state.optimisers],
        "scaler": state.scaler.state_dict(),
        "augmentation_random": state.generator.get_state(),
        "random": torch.get_rng_state(),
        "device_random": torch.cuda.get_rng_state(state.device) if state.device.type == "cuda" else None,
        "sums": state.metrics.sums.cpu(),
        **{name: getattr(state, name) for name in COUNTED},
    }
    write(content, path)


def write(content: Any, path: Path) -> None:
    """Save with torch, whole or not at all; through memory, for only Python's own writing reports a full disk."""
    whole = io.BytesIO()
    torch.save(content, whole)
    with replacing(path) as beside:
        beside.write_bytes(whole.getbuffer())


def load(path: Path) -> dict[str, Any]:
    """The content that `save` wrote; KanjiError where the file is missing, unreadable or something else."""
    if not path.is_file():
        raise KanjiError(
            f"there is no checkpoint {path}", "a run leaves one after its first epoch and when it is stopped"
        )
    content = load_tensors(path, "a checkpoint", ANOTHER)
    if not isinstance(content, dict) or content.get("version") != VERSION or "optimisers" not in content:
        raise _unreadable(path, "it is no checkpoint of this program")
    named = {str(OLD_NAMES.get(name, name)): value for name, value in content.items()}
    read_plain(_Stored, named, path, ANOTHER)
    return {**named, "path": path}


def config_of(content: dict[str, Any]) -> TrainConfig:
    """The config of a loaded checkpoint."""
    return read_plain(TrainConfig, content["config"], f"the config in {content['path']}", ANOTHER)


def restore(state: TrainState, content: dict[str, Any]) -> None:
    """Put what `load` gave into an initial state of the same config."""
    with parsing(content["path"], "a checkpoint", ANOTHER):
        state.network.load_state_dict(content["network"])
        if state.average:
            state.average.network.load_state_dict(content["average"])
        for optimiser, kept in zip(state.optimisers, content["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        state.scaler.load_state_dict(content.get("scaler", {}))
        drawn = content["augmentation_random"]
        if drawn.shape == state.generator.get_state().shape:  # a CPU's does not fit a GPU: there it draws anew
            state.generator.set_state(drawn)
        torch.set_rng_state(content["random"])
        if state.device.type == "cuda" and content["device_random"] is not None:
            torch.cuda.set_rng_state(content["device_random"], state.device)
        state.metrics.reset(content["sums"])
        for name in COUNTED:
            setattr(state, name, content.get(name, getattr(state, name)))


def _unreadable(path: Path, why: str) -> KanjiError:
    return KanjiError(f"{path} cannot be read as a checkpoint: {why}", ANOTHER)
