"""How fast training is: steps and their share of the roofline, epochs extrapolated, where the host waits."""

import time
import warnings
from collections import Counter
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from gpu_parts import CLASSES, SAMPLES, Bench, Figures, require
from gpu_parts.counting import Counting
from gpu_parts.machine import rates
from gpu_parts.mid_training import NETWORKS, MidTraining, made_samples, mid_training
from kanji_tui.training.trainer import epoch_order

BATCHES, TINY_BATCHES = (1024, 4096, 256, 64), (4,)  # the most telling first
GOALS = {"v2.1": 60, "kanjinet": 180}  # seconds on an H200
EPOCHS_MEASURED = 3
SECONDS, MOST_STEPS = 3.0, 200  # of one measurement


def speed(bench: Bench) -> Figures:
    """Samples/s of each network and batch size; recipe `standard`, eager: neither captured nor compiled."""
    bandwidth, rate = rates(bench)
    rows: list[Figures] = []
    failed: list[str] = []
    bench.found["rows"] = rows
    for batch in TINY_BATCHES if bench.tiny else BATCHES:
        for network in NETWORKS:
            if bench.left <= 0:
                bench.say(f"{network} at batch {batch:,}: not measured, no time left")
                continue
            try:
                rows.append(_row(bench, network, batch, bandwidth, rate))
                bench.say(_words(rows[-1]))
            except Exception as error:  # the other batch sizes are worth as much
                failed.append(f"{network} at batch {batch:,}: {type(error).__name__}: {error}")
                bench.say(failed[-1])
            _free(bench)
    bench.kept["fastest"] = {row["network"]: row for row in sorted(rows, key=lambda row: row["samples_per_second"])}
    rows.sort(key=lambda row: (row["network"], row["batch"]))
    require(not failed, "; ".join(failed))
    return {}


def _row(bench: Bench, network: str, batch: int, bandwidth: float, rate: float) -> Figures:
    """One counted step, a few to warm up, then many that are timed."""
    training = mid_training(bench, network, batch)
    training.next_step()  # what is made once, optimiser states say, is not counted
    with Counting() as counted:
        training.next_step()
    if bench.on_gpu:
        torch.cuda.reset_peak_memory_stats(bench.device)
    step_seconds, host_seconds = _timed(bench, training)
    floor = counted.floor(bandwidth, rate)
    row: Figures = {
        "network": network,
        "batch": batch,
        "how": "eager",
        "precision": str(training.state.precision).removeprefix("torch."),
        "samples_per_second": batch / step_seconds,
        "step_ms": 1000 * step_seconds,
        "host_ms": 1000 * host_seconds,
        "dispatches": counted.dispatches,
        "dispatches_without_views": counted.dispatches - counted.views,
        "megabytes_per_sample": counted.bytes / batch / 1e6,
        "megaflop_per_sample": counted.operations / batch / 1e6,
        "floor_ms": 1000 * floor,
        "roofline_share": floor / step_seconds,
    }
    if bench.on_gpu:
        row["memory_bytes"] = torch.cuda.max_memory_allocated(bench.device)
    if training.state.accumulation_steps > 1:
        row["accumulation_steps"] = training.state.accumulation_steps
    return row


def _timed(bench: Bench, training: MidTraining) -> tuple[float, float]:
    """Seconds a step; and those after which the host comes back from giving the device one step, on an idle device.

    The host runs ahead of the device, so a clock around one step shows the host alone; around many, with the device
    settled at both ends, the slower of the two. Where both figures are alike the host is what all wait for.
    """
    for _ in range(1 if bench.tiny else 5):
        training.next_step()
    host = float("inf")
    for _ in range(1 if bench.tiny else 3):
        bench.settle()
        began = time.perf_counter()
        training.next_step()
        host = min(host, time.perf_counter() - began)
    bench.settle()
    began, steps = time.perf_counter(), 0
    while steps < (2 if bench.tiny else MOST_STEPS) and time.perf_counter() - began < SECONDS:
        training.next_step()
        steps += 1
    bench.settle()
    return (time.perf_counter() - began) / steps, host


def _words(row: Figures) -> str:
    return (
        f"{row['network']} at batch {row['batch']:,}: {row['samples_per_second']:,.0f} samples/s, "
        f"{row['step_ms']:.2f} ms a step (host {row['host_ms']:.2f}), {row['dispatches']:,} dispatches "
        f"({row['dispatches_without_views']:,} without views), {row['roofline_share']:.1%} of the roofline"
    )


def extrapolations(bench: Bench) -> Figures:
    """The time of 607,200 samples over all epochs, from at least three epochs that are gone through for real.

    The trainer's own steps over pictures that lie on the device, in the trainer's order, without validation. An
    epoch has fewer samples where all would not fit in the time; either way the figure is extrapolated.
    """
    found = bench.found
    for number, (network, epochs) in enumerate(NETWORKS.items()):
        fastest = bench.kept.get("fastest", {}).get(network)
        batch = fastest["batch"] if fastest else TINY_BATCHES[0] if bench.tiny else 1024
        samples = batch if bench.tiny else SAMPLES if fastest else 100 * batch
        if fastest and not bench.tiny:
            share = bench.left / (len(NETWORKS) - number)
            samples = min(samples, int(0.7 * share * fastest["samples_per_second"] / EPOCHS_MEASURED))
        steps = max(1, samples // batch)
        seconds = _epochs(bench, network, batch, steps)
        rate = len(seconds) * steps * batch / sum(seconds)
        found[network] = {
            "batch": batch,
            "samples_an_epoch": steps * batch,
            "epochs_measured": len(seconds),
            "seconds_an_epoch": seconds,
            "samples_per_second": rate,
            "extrapolated_to": f"{SAMPLES:,} samples x {epochs} epochs",
            "extrapolated_seconds": SAMPLES * epochs / rate,
            "goal_seconds_on_h200": GOALS[network],
        }
        bench.say(
            f"{network}, batch {batch:,}: {len(seconds)} epochs of {steps * batch:,} samples in {sum(seconds):.1f} "
            f"s; extrapolated to {SAMPLES:,} x {epochs}: {SAMPLES * epochs / rate:,.0f} s (goal on an H200: "
            f"{GOALS[network]} s)"
        )
        _free(bench)
    return found


def _epochs(bench: Bench, network: str, batch: int, steps: int) -> list[float]:
    """Seconds of each epoch, the device settled after each."""
    training = mid_training(bench, network, batch)
    classes, size = (64, 32) if bench.tiny else (CLASSES, 64)
    pictures, labels = made_samples(bench, steps * batch, classes, size)
    for _ in range(1 if bench.tiny else 5):
        training.next_step()
    seconds = []
    for epoch in range(EPOCHS_MEASURED):
        bench.settle()
        began = time.perf_counter()
        for places in epoch_order(0, epoch, steps * batch).split(batch):
            here = places.to(bench.device, non_blocking=True)
            training.next_step(pictures[here], labels[here])
            training.state.metrics.poll()
        bench.settle()
        seconds.append(time.perf_counter() - began)
    return seconds


def waiting(bench: Bench) -> Figures:
    """Where the host waits for the device, and how much of a step the device is at work.

    Two ways. PyTorch's debug mode for synchronising calls warns at each line of Python that makes the host wait.
    Its profiler then traces some steps: `device_busy` is the share of the time in which some kernel ran (the
    profiler's own cost on the host lowers it), `kernels` how many a step, copies among them; `calls` the host's
    waiting calls with their number and milliseconds a step; the one that ends the trace is left out.
    """
    found = bench.found
    for network in NETWORKS:
        for batch in TINY_BATCHES[:1] if bench.tiny else (1024, 64):
            if bench.left <= 0:
                bench.say(f"{network}, batch {batch:,}: not traced, no time left")
                continue
            training = mid_training(bench, network, batch)
            for _ in range(1 if bench.tiny else 5):
                training.next_step()
            places = _places(bench, training) if bench.on_gpu else {}
            found[f"{network}, batch {batch}"] = row = {"places": places, **_traced(bench, training)}
            busy = "" if row["device_busy"] is None else f", device busy {row['device_busy']:.0%}"
            bench.say(
                f"{network}, batch {batch:,}: waits at {places or 'no line'}, calls {row['calls'] or 'none'}{busy}"
            )
            _free(bench)
    return found


def _places(bench: Bench, training: MidTraining, steps: int = 5) -> dict[str, float]:
    """File and line of what synchronises, with its number a step."""
    bench.settle()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(steps):
                training.next_step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    synchronising = [warning for warning in caught if "synchroniz" in str(warning.message)]
    places = Counter(f"{Path(warning.filename).name}:{warning.lineno}" for warning in synchronising)
    return {place: count / steps for place, count in places.most_common()}


def _traced(bench: Bench, training: MidTraining) -> Figures:
    steps = 1 if bench.tiny else 10
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if bench.on_gpu else [])]
    bench.settle()
    with profile(activities=activities) as trace:
        for _ in range(steps):
            training.next_step()
        bench.settle()
    events = trace.events() or []
    kernels = [event for event in events if event.device_type.name == "CUDA" and not _is_note(event)]
    hosts = [event for event in events if event.device_type.name == "CPU"]
    spans = sorted((event.time_range.start, event.time_range.end) for event in kernels)
    whole = max((event.time_range.end for event in events), default=0) - min(
        (event.time_range.start for event in hosts), default=0
    )
    waits: dict[str, list[float]] = {}
    for event in hosts:
        if _waits(event.name):
            waits.setdefault(event.name, []).append(event.time_range.elapsed_us())
    if "cudaDeviceSynchronize" in waits:
        waits["cudaDeviceSynchronize"].pop()  # of `settle`
    return {
        "kernels": len(kernels) / steps,
        "device_busy": _covered(spans) / whole if spans and whole else None,
        "calls": {
            name: {"number": len(each) / steps, "ms": sum(each) / steps / 1000}
            for name, each in waits.items()
            if each
        },
    }


def _waits(name: str) -> bool:
    """Whether a call of the host's waits for the device, or asks it for a number, by its name in the trace."""
    return (name.startswith("cuda") and "Synchronize" in name) or name in (
        "cudaMemcpy",
        "aten::_local_scalar_dense",
    )


def _is_note(event: torch.autograd.profiler_util.FunctionEvent) -> bool:
    """Spans that name what is going on, such as an optimiser's step: they are no work."""
    return bool(getattr(event, "is_user_annotation", False)) or event.name.startswith("Optimizer.")


def _covered(spans: list[tuple[float, float]]) -> float:
    """The length of the union of intervals that are sorted by their beginning."""
    length, reached = 0.0, float("-inf")
    for begin, end in spans:
        length += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return length


def _free(bench: Bench) -> None:
    if bench.on_gpu:
        torch.cuda.empty_cache()
