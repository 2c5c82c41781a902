"""The file last.ckpt: a training's state, saved and loaded.

It holds plain tensors, numbers and strings alone and is read with `weights_only=True`: opening a checkpoint runs no
code. Resuming is bit-exact on a CPU with the same number of threads. With several processes, or on another kind of
device, a resumed training keeps the batches, their order and the schedule, but dropout and augmentation draw other
random numbers.
"""

import io
import pickle
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from kanji_tui.errors import KanjiError, first_line
from kanji_tui.system.files import replacing
from kanji_tui.system.plain_data import from_plain
from kanji_tui.training.config import OLD_NAMES, TrainConfig
from kanji_tui.training.state import TrainState

VERSION = 2
COUNTED = ("accumulation_steps", "epoch", "batch", "seconds", "epoch_seconds", "history", "best", "license")


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
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise KanjiError(
            f"there is no checkpoint {path}", "a run leaves one after its first epoch and when it is stopped"
        ) from None
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise _unreadable(path, first_line(error)) from None
    if not isinstance(content, dict) or content.get("version") != VERSION or "optimisers" not in content:
        raise _unreadable(path, "it is no checkpoint of this program")
    return {**{str(OLD_NAMES.get(name, name)): value for name, value in content.items()}, "path": path}


def config_of(content: dict[str, Any]) -> TrainConfig:
    """The config of a loaded checkpoint."""
    if not isinstance(content.get("config"), dict):
        raise _unreadable(content["path"], "it has no config")
    return from_plain(TrainConfig, content["config"], f"the config in {content['path']}")


def restore(state: TrainState, content: dict[str, Any]) -> None:
    """Put what `load` gave into an initial state of the same config."""
    try:
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
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise _unreadable(content["path"], first_line(error)) from None


def _unreadable(path: Path, why: str) -> KanjiError:
    return KanjiError(
        f"the checkpoint {path} cannot be read: {why}",
        "begin a new training, or resume another run: kanji-tui runs",
    )
