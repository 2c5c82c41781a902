"""Everything a training changes from step to step: networks, optimisers, random streams, position, history."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.networks.devices import is_out_of_memory
from kanji_tui.networks.registry import build
from kanji_tui.training.averaging import AveragedNetwork
from kanji_tui.training.config import TrainConfig
from kanji_tui.training.distributed import World, parallel
from kanji_tui.training.metrics import RunningMetrics
from kanji_tui.training.optimisers import make_optimisers, make_room
from kanji_tui.training.precision import choose_precision, newton_schulz_precision

FREE_MEMORY = "free some of it (nvidia-smi shows who holds it), or choose a smaller network"


@dataclass
class TrainState:
    """A training between two steps: `batch` batches of epoch `epoch` (from 0) are done.

    `precision` is what the network computes in. Each batch is computed in `accumulation_steps` micro-batches: more
    than the config says once the memory was too small. `history` has one entry for each epoch that ended, `best` is
    the entry of the best one. `seconds` is the whole time over all resumptions, `epoch_seconds` that of this
    epoch's steps. `license`: that of the weights it began from, or empty.
    """

    config: TrainConfig
    device: torch.device
    network: nn.Module
    average: AveragedNetwork | None
    optimisers: tuple[torch.optim.Optimizer, ...]
    generator: torch.Generator  # the augmentation's
    metrics: RunningMetrics
    precision: torch.dtype
    scaler: torch.amp.GradScaler
    accumulation_steps: int
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    license: str = ""
    world: World = field(default_factory=World)
    parallel: DistributedDataParallel | None = None

    @property
    def train_model(self) -> nn.Module:
        """The network as it is trained: its gradients are averaged over all processes."""
        return self.parallel or self.network

    @property
    def eval_model(self) -> nn.Module:
        """The network that is validated and kept: the averaged one where there is one."""
        return self.average.network if self.average else self.network


def initial_state(config: TrainConfig, classes: int, size: int, steps: int, device: torch.device) -> TrainState:
    """The state before the first of `steps` steps; seeds torch's generator, which dropout draws from.

    UsageError for SyncBatchNorm on a CPU. KanjiError where the GPU's memory is too small for it.
    """
    try:
        return _initial_state(config, classes, size, steps, device)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    raise KanjiError("the GPU's memory is too small for the network and what its optimiser keeps", FREE_MEMORY)


def _initial_state(config: TrainConfig, classes: int, size: int, steps: int, device: torch.device) -> TrainState:
    torch.manual_seed(config.seed)
    network = build(config.network, classes, size).to(device, memory_format=torch.channels_last)
    if config.sync_batchnorm:
        if device.type == "cpu":
            raise UsageError(
                "sync batchnorm needs GPUs: PyTorch has none for the CPU",
                "train where there are some, or begin a training without sync_batchnorm",
            )
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    precision = choose_precision(device, config.precision, config.network)
    optimisers = make_optimisers(network, config, newton_schulz_precision(device, precision))
    make_room(optimisers)
    return TrainState(
        config=config,
        device=device,
        network=network,
        average=AveragedNetwork(network, config.ema * steps) if config.ema else None,
        optimisers=optimisers,
        generator=torch.Generator(device).manual_seed(config.seed),
        metrics=RunningMetrics(device),
        precision=precision,
        scaler=torch.amp.GradScaler(device.type, enabled=precision == torch.float16),
        accumulation_steps=config.accumulation_steps,
    )


def renewed(scaler: torch.amp.GradScaler, device: torch.device) -> torch.amp.GradScaler:
    """A scaler with the same scale that knows of no gradients yet: one takes each step's only once."""
    made = torch.amp.GradScaler(device.type, enabled=scaler.is_enabled())
    made.load_state_dict(scaler.state_dict())
    return made


def distribute(state: TrainState, world: World, batch_size: int) -> None:
    """Make it the state of one of several processes, each with its share of every batch.

    Alone, it only limits the micro-batches to at least two samples each.
    """
    state.world = world
    state.accumulation_steps = max(1, min(state.accumulation_steps, batch_size // world.size // 2))
    if world.size == 1:
        return
    state.parallel = parallel(state.network, state.device, world)
    if not world.is_rank0:
        seed_apart(state, world)
        state.metrics.reset(torch.zeros_like(state.metrics.sums))


def seed_apart(state: TrainState, world: World) -> None:
    """Give dropout and augmentation other random numbers than rank 0 has, which draws what it would alone."""
    where = (state.config.seed, state.epoch, state.batch, world.rank)
    seed = int.from_bytes(hashlib.sha256(str(where).encode()).digest()[:4], "big")
    torch.manual_seed(seed)
    state.generator.manual_seed(seed)
