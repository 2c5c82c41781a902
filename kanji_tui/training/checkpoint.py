"""Everything a training has earned so far, and the file that keeps it.

`last.ckpt` holds plain tensors, numbers and strings alone and is read with `weights_only=True`: opening a
checkpoint runs no code. A training that goes on from one ends, on a CPU with the same number of threads, with the
very weights it would have had undisturbed. Where several processes train, or it goes on on another kind of device,
it keeps the batches, their order and the schedule, but not what chance decides in dropout and augmentation.
"""

import hashlib
import io
import pickle
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from kanji_tui.errors import KanjiError, UsageError, first_line
from kanji_tui.networks.registry import build, entry
from kanji_tui.system.files import replacing
from kanji_tui.system.plain_data import from_plain
from kanji_tui.training.averaging import AveragedNetwork
from kanji_tui.training.config import OLD_NAMES, TrainConfig
from kanji_tui.training.distributed import World, parallel
from kanji_tui.training.metrics import RunningSums
from kanji_tui.training.muon import Muon, suits

VERSION = 2


@dataclass
class State:
    """A training between two steps: `epoch` (from 0) is at work, `batch` batches of it are done.

    `precision` is what the network computes in. Each batch is computed in `accumulation_steps` micro-batches:
    more than the config says once the memory was too small. `history` has one entry an epoch that ended, `best` is
    the entry of the best one. `seconds` counts the whole time over all resumptions, `epoch_seconds` that
    of this epoch's steps.
    """

    config: TrainConfig
    device: torch.device
    network: nn.Module
    average: AveragedNetwork | None
    optimisers: tuple[torch.optim.Optimizer, ...]
    generator: torch.Generator
    sums: RunningSums
    precision: torch.dtype
    scaler: torch.amp.GradScaler
    accumulation_steps: int
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    world: World = field(default_factory=World)
    parallel: DistributedDataParallel | None = None

    @property
    def learner(self) -> nn.Module:
        """The network as it is trained: its gradients are those of all processes."""
        return self.parallel or self.network

    @property
    def judged(self) -> nn.Module:
        """The network that is validated and kept: the averaged one where there is one."""
        return self.average.network if self.average else self.network


def begin(config: TrainConfig, classes: int, size: int, steps: int, device: torch.device) -> State:
    """A training of `steps` steps before its first; seeds torch's generator, which dropout draws from."""
    torch.manual_seed(config.seed)
    network = build(config.network, classes, size).to(device, memory_format=torch.channels_last)
    if config.sync_batchnorm:
        if device.type == "cpu":
            raise UsageError(
                "sync batchnorm needs GPUs: PyTorch has none for the CPU",
                "train where there are some, or begin a training without sync_batchnorm",
            )
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    precision = precision_on(device, config.precision, config.network)
    return State(
        config=config,
        device=device,
        network=network,
        average=AveragedNetwork(network, config.ema * steps) if config.ema else None,
        optimisers=_optimisers(network, config, precision),
        generator=torch.Generator(device).manual_seed(config.seed),
        sums=RunningSums(device),
        precision=precision,
        scaler=torch.amp.GradScaler(device.type, enabled=precision == torch.float16),
        accumulation_steps=config.accumulation_steps,
    )


def share_among(state: State, world: World, batch_size: int) -> None:
    """Make it one of several trainings in step, each with its part of every batch."""
    state.world = world
    state.accumulation_steps = max(1, min(state.accumulation_steps, batch_size // world.size // 2))
    if world.size == 1:
        return
    state.parallel = parallel(state.network, state.device, world)
    if not world.first:
        draw_apart(state, world)
        state.sums.reset(torch.zeros_like(state.sums.sums))


def draw_apart(state: State, world: World) -> None:
    """Draw another dropout and augmentation than the first process, which draws what it would alone."""
    where = (state.config.seed, state.epoch, state.batch, world.rank)
    chance = int.from_bytes(hashlib.sha256(str(where).encode()).digest()[:4], "big")
    torch.manual_seed(chance)
    state.generator.manual_seed(chance)


def precision_on(device: torch.device, wanted: str, network: str) -> torch.dtype:
    """The type that `wanted` (as in the config) means for this network on this device.

    auto is bfloat16 on GPUs that have units for it (Ampere and later), and on CPUs that have instructions for it
    where the network gains by them.
    """
    if wanted != "auto":
        chosen: torch.dtype = getattr(torch, wanted)
        return chosen
    if device.type == "cuda":
        gains = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        gains = native and entry(network).fast_in_bfloat16
    return torch.bfloat16 if gains else torch.float32


def _optimisers(
    network: nn.Module, config: TrainConfig, precision: torch.dtype
) -> tuple[torch.optim.Optimizer, ...]:
    """One that moves all parameters, or, with muon, that for convolutions and AdamW for all others."""
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimiser == "sgd":
        nesterov = config.momentum > 0
        groups = _groups(network.parameters(), config)
        return (torch.optim.SGD(groups, lr=rate, momentum=config.momentum, nesterov=nesterov, fused=True),)
    matrices = [p for p in network.parameters() if config.optimiser == "muon" and suits(p)]
    others = [p for p in network.parameters() if config.optimiser != "muon" or not suits(p)]
    kind = torch.optim.Adam if config.optimiser == "adam" else torch.optim.AdamW
    adam = kind(_groups(others, config), lr=rate, betas=config.betas, fused=True)
    if not matrices:
        return (adam,)
    # float16 has not the range for it.
    within = torch.bfloat16 if precision == torch.bfloat16 else torch.float32
    return adam, Muon(matrices, rate, config.momentum, decay, within)


def _groups(parameters: Iterable[nn.Parameter], config: TrainConfig) -> list[dict[str, Any]]:
    every = list(parameters)
    decayed = [p for p in every if p.ndim > 1 or config.decay_everything]
    free = [p for p in every if p.ndim <= 1 and not config.decay_everything]
    groups = [(decayed, config.weight_decay), (free, 0.0)]
    return [{"params": chosen, "weight_decay": decay} for chosen, decay in groups if chosen]


def save(state: State, dataset_digest: str, path: Path) -> None:
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
        "sums": state.sums.sums.cpu(),
        **{name: getattr(state, name) for name in COUNTED},
    }
    write(content, path)


COUNTED = ("accumulation_steps", "epoch", "batch", "seconds", "epoch_seconds", "history", "best")


def write(content: Any, path: Path) -> None:
    """Save with torch, whole or not at all; through memory, for of a full disk only Python's writing says so."""
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
    return {**content, "path": path}


def config_of(content: dict[str, Any]) -> TrainConfig:
    """The config of a loaded checkpoint."""
    if not isinstance(content.get("config"), dict):
        raise _unreadable(content["path"], "it has no config")
    return from_plain(TrainConfig, content["config"], f"the config in {content['path']}")


def restore(state: State, content: dict[str, Any]) -> None:
    """Put what `load` gave into a state made by `begin` with the same config."""
    try:
        state.network.load_state_dict(content["network"])
        if state.average:
            state.average.network.load_state_dict(content["average"])
        for optimiser, earned in zip(state.optimisers, content["optimisers"], strict=True):
            optimiser.load_state_dict(earned)
        state.scaler.load_state_dict(content.get("scaler", {}))
        drawn = content["augmentation_random"]
        if drawn.shape == state.generator.get_state().shape:  # a CPU's is not a GPU's: there it draws anew
            state.generator.set_state(drawn)
        torch.set_rng_state(content["random"])
        if state.device.type == "cuda" and content["device_random"] is not None:
            torch.cuda.set_rng_state(content["device_random"], state.device)
        state.sums.reset(content["sums"])
        content = {OLD_NAMES.get(name, name): value for name, value in content.items()}
        for name in COUNTED:
            setattr(state, name, content.get(name, getattr(state, name)))
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise _unreadable(content["path"], first_line(error)) from None


def _unreadable(path: Path, why: str) -> KanjiError:
    return KanjiError(
        f"the checkpoint {path} cannot be read: {why}",
        "begin a new training, or resume another run: kanji-tui runs",
    )
