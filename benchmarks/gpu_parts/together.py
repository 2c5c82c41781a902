"""torchrun with one process: a real run, then steps over NCCL, and SyncBatchNorm.

Started as a script this file is that process. Where there is one process alone the program leaves all agreements
out. So it joins a group of its own (NCCL for the GPU, gloo for the CPU) and is told of a world of two, and all of
it runs with itself: the averaging of gradients, the agreements before each batch, SyncBatchNorm's sums.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.modules._functions import SyncBatchNorm

from gpu_parts import Bench, Failed, Figures, require
from gpu_parts.made import small_dataset
from gpu_parts.mid_training import MidTraining, mid_training
from gpu_parts.runs import network, spec_of
from kanji_tui.events import SilentReport
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.runs.torchrun import run_distributed
from kanji_tui.system.plain_data import from_plain, to_plain
from kanji_tui.training.config import configure
from kanji_tui.training.distributed import World

STEPS, BATCH = 3, 32
LOOPBACK = {"GLOO_SOCKET_IFNAME": "lo", "NCCL_SOCKET_IFNAME": "lo"}  # the machine may have no other network
CLOSE = 1e-2  # relative; convolutions in TF32 differ by less, and gradients that are summed twice by much more
# Plain descent, for its steps show how large a gradient is; Adam's and Muon's do not.
SETTINGS = {"precision": "float32", "optimiser": "sgd", "clip_norm": 0.0}


def together(bench: Bench) -> Figures:
    """Start the process by torchrun and hand on what it found."""
    config = configure(epochs=1 if bench.tiny else 2, batch_size=16 if bench.tiny else 64, **network(bench))
    asked = {"device": bench.device.type, "tiny": bench.tiny, "folder": str(bench.folder)}
    spec = to_plain(spec_of(bench, small_dataset(bench), config))
    request, answer = bench.folder / "request.json", bench.folder / "answer.json"
    request.write_text(json.dumps({**asked, "spec": spec, "answer": str(answer)}))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=1", "--master-addr=127.0.0.1"]
    line = [*torchrun, f"--master-port={free_port()}", __file__, str(request)]
    places = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryFile("w+") as words:
        environment = {**LOOPBACK, **os.environ, "PYTHONPATH": places}
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=environment)
        try:
            code = process.wait(max(10.0, bench.left))
        except subprocess.TimeoutExpired:
            process.terminate()  # torchrun ends its process too, and then itself
            raise Failed("torchrun had not ended in its time") from None
        words.seek(0)
        said = words.read().strip().splitlines()
    found: Figures = json.loads(answer.read_text()) if answer.is_file() else {}
    require(code == 0 and bool(found), f"torchrun ended with {code}: {found.get('failed', ' / '.join(said[-8:]))}")
    bench.say(json.dumps(found))
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Ran:
    """What some steps came to: the mean loss, and the length of the last gradient."""

    loss: float
    gradient: float

    def apart(self, other: "Ran") -> float:
        """The larger of the relative differences."""
        return max(abs(self.loss / other.loss - 1), abs(self.gradient / other.gradient - 1))


def main(request: Path) -> None:
    """In the process that torchrun started: what it found, or why it failed, into the file for it."""
    asked = json.loads(request.read_text())
    found: Figures = {"failed": "it ended without a word"}
    try:
        found = _all(asked)
    except Exception as error:
        found = {"failed": f"{type(error).__name__}: {error}"}
        raise
    finally:
        Path(asked["answer"]).write_text(json.dumps(found))


def _all(asked: dict[str, Any]) -> Figures:
    folder = Path(asked["folder"])
    spec = from_plain(TrainSpec, asked["spec"])
    run, code = run_distributed("train", lambda: spec, SilentReport(), folder / "models" / "runs")
    require(code == 0 and run is not None, f"the run under torchrun ended with {code}")
    assert run is not None
    device = torch.device("cuda", 0) if asked["device"] == "cuda" else torch.device("cpu")
    bench = Bench(device, asked["tiny"], folder)
    return {"run": run.state(), **_steps(bench)}


def _steps(bench: Bench) -> Figures:
    """The same steps alone, then in the group; with SyncBatchNorm too where there is a GPU."""
    batch = 4 if bench.tiny else BATCH
    alone = _learn(mid_training(bench, "kanjinet", batch, **SETTINGS))
    distributed.init_process_group("cpu:gloo,cuda:nccl" if bench.on_gpu else "gloo")
    try:
        world = World(0, 2)
        require(world.any_rank(True, False) == [True, False], "the agreement is not what was wished")
        require(world.broadcast({"epoch": 3}) == {"epoch": 3}, "the first process's value did not come")
        # Of each batch a world of two gives a process half; here it gets the whole, as alone.
        training = mid_training(bench, "kanjinet", batch, world, **SETTINGS)
        assert training.state.parallel is not None, "the gradients would not be averaged"
        figures: Figures = {
            "backend": distributed.get_backend_config(),
            "apart_from_alone": (apart := _learn(training).apart(alone)),
            "sync_batchnorm": _synchronised(bench, world, alone)
            if bench.on_gpu
            else "PyTorch has none for the CPU",
        }
        require(apart <= CLOSE, f"steps in the group differ from those alone by {apart:.2g}")
        return figures
    finally:
        distributed.destroy_process_group()


def _learn(training: MidTraining) -> Ran:
    for _ in range(STEPS):
        training.next_step()
    training.state.metrics.synchronise()
    gradients = [weight.grad for weight in training.state.network.parameters() if weight.grad is not None]
    assert training.state.metrics.loss is not None
    return Ran(training.state.metrics.loss, float(nn.utils.get_total_norm(gradients)))


def _synchronised(bench: Bench, world: World, alone: Ran) -> Figures:
    """A network whose BatchNorms are SyncBatchNorms; then its own kernels over NCCL against BatchNorm's.

    In a group of one the module takes BatchNorm's way, so the function behind it is called as it would be.
    """
    training = mid_training(bench, "kanjinet", BATCH, world, **SETTINGS, sync_batchnorm=True)
    count = sum(isinstance(module, nn.SyncBatchNorm) for module in training.state.network.modules())
    require(count > 0, "no BatchNorm became a SyncBatchNorm")
    apart = _learn(training).apart(alone)
    require(apart <= CLOSE, f"steps with SyncBatchNorm differ from those without by {apart:.2g}")
    features = torch.randn(32, 64, 16, 16, device=bench.device).contiguous(memory_format=torch.channels_last)
    sides = [features.clone().requires_grad_() for _ in range(2)]
    norms = [nn.BatchNorm2d(64).to(bench.device) for _ in range(2)]
    group = distributed.group.WORLD
    one, other = norms
    outputs = (
        one(sides[0]),
        SyncBatchNorm.apply(
            sides[1],
            other.weight,
            other.bias,
            other.running_mean,
            other.running_var,
            other.eps,
            other.momentum,
            group,
            1,
        ),
    )
    for output in outputs:
        output.pow(3).sum().backward()
    pairs = [outputs, tuple(side.grad for side in sides), (one.running_var, other.running_var)]
    largest = max(float((a - b).abs().max() / a.abs().max()) for a, b in pairs)
    require(largest <= CLOSE, f"SyncBatchNorm over NCCL differs from BatchNorm by {largest:.2g}")
    return {"layers": count, "apart_from_alone": apart, "kernels_apart": largest}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
