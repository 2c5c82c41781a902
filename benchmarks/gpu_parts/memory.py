"""Memory that runs out: by the allocator's own limit on a GPU, by a network that says so on a CPU."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gpu_parts import Bench, Figures, require
from gpu_parts.mid_training import Heard, MidTraining, mid_training
from gpu_parts.runs import trained
from kanji_tui.data.dataset import open_dataset
from kanji_tui.recognition.weights import load_recogniser
from kanji_tui.training.data import Part
from kanji_tui.training.loader import DeviceLoader
from kanji_tui.training.metrics import score
from kanji_tui.training.results import Metrics

SHARE = 0.6  # of what the work takes it may have


def out_of_memory(bench: Bench) -> Figures:
    """Training and scoring in less memory than they want: batches are halved, and the work goes on."""
    weights, dataset = trained(bench)
    bench.found["training"] = _training(bench)
    return {"scoring": _scoring(bench, weights, dataset)}


class TooSmall(nn.Module):
    """A network on a device that holds `most` samples at once, where no device can be made that small."""

    refused = 0  # times, in all

    def __init__(self, network: nn.Module, most: int) -> None:
        super().__init__()
        self.network, self.most = network, most

    def forward(self, pictures: Tensor) -> Tensor:
        if len(pictures) > self.most:
            TooSmall.refused += 1
            raise torch.cuda.OutOfMemoryError(f"said on purpose: {len(pictures)} samples")
        logits: Tensor = self.network(pictures)
        return logits


def refusals(bench: Bench) -> int:
    """How often the memory was too small until now."""
    return int(torch.cuda.memory_stats(bench.device).get("num_ooms", 0)) if bench.on_gpu else TooSmall.refused


@contextmanager
def limited(bench: Bench, work: Callable[[], object]) -> Iterator[Figures]:
    """Within it PyTorch may reserve what it has now and `SHARE` of what `work` makes it reserve beyond that.

    The limit is one of what is reserved: what lies free within may be of no use.
    """
    if not bench.on_gpu:
        yield {"provoked_by": "a network that raises torch.cuda.OutOfMemoryError, for there is no GPU"}
        return
    torch.cuda.synchronize(bench.device)
    torch.cuda.empty_cache()
    held = torch.cuda.memory_reserved(bench.device)
    torch.cuda.reset_peak_memory_stats(bench.device)
    work()
    torch.cuda.synchronize(bench.device)
    taken = torch.cuda.max_memory_reserved(bench.device)
    torch.cuda.empty_cache()
    require(taken > held, f"the work made PyTorch reserve nothing beyond the {held} bytes it had")
    limit = int(held + SHARE * (taken - held))
    whole = torch.cuda.get_device_properties(bench.device).total_memory
    torch.cuda.set_per_process_memory_fraction(limit / whole, bench.device)
    try:
        yield {
            "provoked_by": "torch.cuda.set_per_process_memory_fraction",
            "held_bytes": held,
            "wanted_bytes": taken,
            "limit_bytes": limit,
        }
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, bench.device)


def _training(bench: Bench) -> Figures:
    batch, more = (8, 1) if bench.tiny else (1024, 5)
    training = mid_training(bench, "kanjinet", batch)
    training.next_step()
    with limited(bench, training.next_step) as figures:
        if not bench.on_gpu:
            training.state.network = TooSmall(training.state.network, batch // 3)
        training.state.metrics.reset()
        before, refused = _weights(training), refusals(bench)
        training.next_step()
        notices = list(training.report.notices)
        times = refusals(bench) - refused
        for _ in range(more):
            training.next_step()
        bench.settle()
    sums = training.state.metrics
    sums.synchronise()
    bench.say(f"training: it ran out {times} times: {'; '.join(notices) or 'nothing was said'}")
    require(times > 0, "the memory did not run out, so nothing was shown")
    require(
        bool(notices) and training.state.accumulation_steps > 1, "the memory ran out, and nothing was said of it"
    )
    require(training.report.notices == notices, f"it ran out again: {training.report.notices[len(notices) :]}")
    require(
        sums.sums[2].item() == batch * (1 + more), f"{sums.sums[2].item():.0f} samples were counted, not each once"
    )
    after = _weights(training)
    require(bool(after.isfinite().all()) and not torch.equal(before, after), "the weights did not go on learning")
    return {
        **figures,
        "ran_out": times,
        "accumulation_steps": training.state.accumulation_steps,
        "notices": notices,
        "loss": sums.loss,
    }


def _weights(training: MidTraining) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in training.state.network.parameters()]).cpu()


def _scoring(bench: Bench, weights: Path, dataset_path: Path) -> Figures:
    dataset, report = open_dataset(dataset_path), Heard()
    pictures = DeviceLoader(Part(dataset, np.arange(len(dataset))), bench.device, report)
    network: nn.Module = load_recogniser(weights)[0].network.to(bench.device)

    def judge(judged: nn.Module) -> Metrics:
        return score(judged, pictures, bench.device, len(dataset.classes), "scoring", report)

    whole, refused = judge(network), refusals(bench)
    with limited(bench, lambda: judge(network)) as figures:
        found = judge(network if bench.on_gpu else TooSmall(network, min(200, len(dataset) // 3)))
    times = refusals(bench) - refused
    bench.say(f"scoring: it ran out {times} times; top-1 {found.top1:.2%}, before {whole.top1:.2%}")
    require(times > 0, "the memory did not run out, so nothing was shown")
    # Other batches, other kernels: a sample on the edge may fall to the other side, and the loss moves a bit.
    require(
        abs(found.top1 - whole.top1) <= 2 / len(dataset), f"top-1 is {found.top1:.4f} in place of {whole.top1:.4f}"
    )
    require(abs(found.loss - whole.loss) <= 1e-2 * max(0.1, whole.loss), f"loss {found.loss}, not {whole.loss}")
    return {**figures, "ran_out": times, "notices": report.notices, "metrics": asdict(found)}
