"""Whole runs: a preparation of full size, trainings from record files, a training that changes its device."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from gpu_parts import Bench, Failed, Figures, NotApplicable, require
from gpu_parts.jobs import begin, epochs_of, events_of, follow, result_of, weights_of
from gpu_parts.made import full_records, small_dataset
from kanji_tui.jobs.prepare import Spec as PrepareSpec
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.paths import CHECKPOINT, HISTORY
from kanji_tui.runs.run_directory import RunDirectory
from kanji_tui.system.files import read_json
from kanji_tui.training import checkpoint
from kanji_tui.training.config import TrainConfig, configure

POINTS = 0.003  # of accuracy, by which two trainings may differ
SHORT = 3  # the share of the records that a CPU can train on in the time there is: a third


def preparation(bench: Bench) -> Figures:
    """Records/s of a preparation in a process of its own: 607,200 made records where the disk has room."""
    folder, files = full_records(bench)
    dataset = bench.folder / "full" / "dataset"
    spec = PrepareSpec(folder, dataset, 32 if bench.tiny else 64)
    made = result_of(bench, "prepare", spec, on_gpu=False)
    bench.kept["full"] = dataset
    bench.say(
        f"{made['records']:,} records of {files} files in {made['seconds']:.1f} s, "
        f"{made['records_per_second']:,.0f} records/s"
    )
    figures = {name: made[name] for name in ("records", "files", "size", "records_per_second")}
    return {**figures, "preparation_seconds": made["seconds"]}


def accuracy(bench: Bench) -> Figures:
    """Trainings on the user's record files: bfloat16 and float32 on the device; on a third of the records, for the
    CPU is slow, float32 on the device and on the CPU.

    The same batches, order and learning rate in both; augmentation and dropout are drawn anew on each device.
    """
    if bench.data is None:
        raise NotApplicable("no record files were named: --data DIR")
    dataset = bench.folder / "data"
    made = result_of(bench, "prepare", PrepareSpec(bench.data, dataset, 32 if bench.tiny else 64), on_gpu=False)
    epochs = 5 if bench.tiny else max(4, min(32, round(60_000 / made["records"])))
    figures = bench.found
    figures |= {"records": made["records"], "classes": made["classes"], "epochs": epochs}
    few = made["records"] // SHORT
    wanted: list[tuple[str, bool, int | None]] = [("bfloat16", bench.on_gpu, None), ("float32", bench.on_gpu, None)]
    if bench.on_gpu:
        wanted += [("float32", True, few), ("float32", False, few)]
    for precision, on_gpu, limit in wanted:
        batch = 16 if bench.tiny else 128
        config = configure(
            epochs=epochs,
            batch_size=batch,
            learning_rate=4e-3,
            precision=precision,
            sample_limit=limit,
            **network(bench),
        )
        result = result_of(bench, "train", spec_of(bench, dataset, config), on_gpu)
        name = name_of(precision, bench.device.type if on_gpu else "cpu", limit)
        figures[name] = {key: result[key] for key in ("device", "precision", "seconds", "samples_per_second")}
        figures[name] |= {"top1": result["test"]["top1"], "test_samples": result["test"]["samples"]}
        bench.say(f"{name}: test top-1 {result['test']['top1']:.2%}, {result['samples_per_second']:,.0f} samples/s")
    return _compared(bench, figures)


def name_of(precision: str, device: str, limit: int | None) -> str:
    return f"{precision} on the {device}" + (f", {limit} records" if limit else "")


def _compared(bench: Bench, figures: Figures) -> Figures:
    """The differences; Failed where they are too large, or a training learned nothing."""
    device = bench.device.type
    pairs = [("bfloat16_against_float32", name_of("bfloat16", device, None), name_of("float32", device, None))]
    if bench.on_gpu:
        few = figures["records"] // SHORT
        pairs.append(("device_against_cpu", name_of("float32", device, few), name_of("float32", "cpu", few)))
    for name, one, other in pairs:
        first, second = figures[one], figures[other]
        allowed = allowed_difference(second["top1"], second["test_samples"])
        apart = first["top1"] - second["top1"]
        figures[name] = {"difference": apart, "allowed": allowed}
        require(second["top1"] > 0.5, f"{other}: it learned too little to compare with: {second['top1']:.1%}")
        require(
            abs(apart) <= allowed,
            f"{one} and {other} differ by {100 * apart:.2f} points, allowed are {100 * allowed:.2f}",
        )
    return figures


def allowed_difference(top1: float, samples: int) -> float:
    """How far two trainings may differ in such a test: three standard errors, or POINTS, or two samples."""
    error = (2 * top1 * (1 - top1) / samples) ** 0.5
    return max(POINTS, 2 / samples, 3 * error)


def resumption(bench: Bench) -> Figures:
    """A run stopped on the device goes on on the CPU, is stopped there, and goes on on the device to its end."""
    dataset = small_dataset(bench)
    epochs, batch = (10, 16) if bench.tiny else (16, 64)
    config = configure(epochs=epochs, batch_size=batch, learning_rate=4e-3, **network(bench))
    stages: list[Figures] = []
    bench.found["stages"], earlier = stages, None
    for name, on_gpu, last in (
        ("device", bench.on_gpu, False),
        ("cpu", False, False),
        ("device", bench.on_gpu, True),
    ):
        spec = spec_of(bench, dataset, config, resume=earlier.path if earlier else None)
        run = begin(bench, "train", spec, on_gpu)
        follow(bench, run, None if last else lambda events: len(epochs_of(events)) >= (1 if bench.tiny else 2))
        kept = checkpoint.load(run.path / CHECKPOINT)
        stages.append({"on": name, "state": run.state(), "epoch": kept["epoch"], "batch": kept["batch"]})
        bench.say(f"on the {name}: {run.state()} with epoch {kept['epoch']}, batch {kept['batch']} done")
        require(
            run.state() == ("finished" if last else "stopped"), f"{run.name} is {run.state()}, too early or late"
        )
        earlier = run
    assert earlier is not None
    bench.kept["trained"] = weights_of(earlier)
    return _continuous(earlier, config)


def _continuous(run: RunDirectory, config: TrainConfig) -> Figures:
    """The history of the last run, which all of them wrote; Failed where an epoch is missing or learning broke."""
    history = read_json(run.path / HISTORY)
    losses = history["train_loss"]
    require(history["epochs"] == list(range(1, config.epochs + 1)), f"its epochs are {history['epochs']}")
    grew = max(after - 1.5 * before for before, after in pairwise(losses))
    require(grew < 0.2, f"the loss leapt from an epoch to the next, something was lost on the way: {losses}")
    test = next(event.result["test"] for event in reversed(events_of(run)) if event.type == "result")
    require(test["top1"] > 0.5, f"it learned too little: test top-1 {test['top1']:.1%}")
    return {"train_loss": losses, "test_top1": test["top1"]}


def network(bench: Bench) -> dict[str, Any]:
    """Settings of the network to train: the default one; tiny: the smallest.

    A CPU without instructions for bfloat16 takes 17 times as long in it with kanjinet, and no longer with v1.
    """
    return {"network": "v1", "recipe": "standard"} if bench.tiny else {}


def spec_of(bench: Bench, dataset: Path, config: TrainConfig, resume: Path | None = None) -> TrainSpec:
    return TrainSpec(dataset, bench.folder / "models", config, resume=resume, publish=False)


def trained(bench: Bench) -> tuple[Path, Path]:
    """The weights of a network that has learned the small dataset, and that dataset; trained where none was yet."""
    dataset = small_dataset(bench)
    if "trained" not in bench.kept:
        batch = 16 if bench.tiny else 64
        config = configure(epochs=16, batch_size=batch, learning_rate=4e-3, **network(bench))
        run = begin(bench, "train", spec_of(bench, dataset, config), bench.on_gpu)
        follow(bench, run)
        if not weights_of(run).is_file():
            raise Failed(f"{run.name} left no model")
        bench.kept["trained"] = weights_of(run)
    weights: Path = bench.kept["trained"]
    return weights, dataset
