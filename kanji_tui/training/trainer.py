"""The training loop: trains a network on a dataset and writes its artifacts into the run directory.

Read `train`, `train_epoch` and step.py, as one process does it. Where torchrun started several, each takes the same
steps on its share of every batch; in `world` they agree, and wait for what is done `on_rank0`. No step waits for
the device: the loss is read once a second.
"""

import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kanji_tui.epoch_metrics import to_epoch
from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.events import Notice, Progress, Report, Step
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.devices import own_device
from kanji_tui.networks.tensor_files import load_tensors
from kanji_tui.paths import CHECKPOINT, WEIGHTS
from kanji_tui.system.files import WritingFailed
from kanji_tui.training import artifacts, checkpoint
from kanji_tui.training.batchnorm import recompute_statistics, share_statistics
from kanji_tui.training.beginning import begin_from, propose_built_in
from kanji_tui.training.config import TrainConfig, configure
from kanji_tui.training.cpu_threads import CpuThreads
from kanji_tui.training.data import Part, TrainingData, find_data
from kanji_tui.training.distributed import World, current, peer_failure_as_error
from kanji_tui.training.loader import DeviceLoader
from kanji_tui.training.metrics import predict, score
from kanji_tui.training.profile import watch
from kanji_tui.training.results import Metrics, Trained
from kanji_tui.training.schedule import for_train_split
from kanji_tui.training.state import TrainState, distribute, initial_state
from kanji_tui.training.step import train_step

CHECKPOINT_SECONDS = 300.0
REPORT_SECONDS = 1.0
STEP_SECONDS = 5.0  # between two events of steps


@dataclass
class TrainingRun:
    """One call of `train`: its data, its state, and the clocks of its reports and checkpoints."""

    directory: Path
    report: Report
    data: TrainingData
    card: ModelCard
    train_set: Callable[[int], DeviceLoader]  # what is learned from in an epoch
    val_set: DeviceLoader
    train_eval_subset: DeviceLoader  # some of the train split, always the same
    state: TrainState
    batch_size: int
    batches: int  # an epoch
    world: World
    steps_before: int  # steps completed before this call
    seconds_before: float
    cpu_threads: CpuThreads | None  # None on a GPU
    started: float = field(default_factory=time.monotonic)
    reported: float = 0.0
    stepped: tuple[float, int] = field(default_factory=lambda: (time.monotonic(), 0))  # the last steps reported
    saved: float = field(default_factory=time.monotonic)

    @property
    def epochs(self) -> int:
        return self.state.config.epochs

    @property
    def steps(self) -> int:
        """The steps done so far, of `epochs * batches`."""
        return self.state.epoch * self.batches + self.state.batch

    @property
    def seconds(self) -> float:
        """Seconds of training, over all resumptions."""
        return self.seconds_before + time.monotonic() - self.started

    @property
    def finished(self) -> bool:
        """After the last epoch, or after `patience` epochs without a better validation."""
        state, patience = self.state, self.state.config.patience
        impatient = patience and state.best and state.epoch - state.best["epoch"] >= patience
        return state.epoch >= self.epochs or bool(impatient)


def train(
    data_dir: Path,
    config: TrainConfig,
    run_directory: Path,
    resume: Path | None,
    report: Report,
    init: Path | None = None,
) -> Trained:
    """Train on the dataset in `data_dir`, or on synthetic writers; leave model, its metadata and a checkpoint.

    They lie in `run_directory`. With `resume`, an earlier run's directory, go on from its last checkpoint, with its
    own config. With `init`, a model, begin from its weights. Raises KanjiError for what cannot be used or written
    and when the loss is no longer a number; Stopped once the checkpoint is written, when the user asks to stop.
    """
    again = f"go on with: kanji-tui train --resume {run_directory.name}"
    with peer_failure_as_error(run_directory.name):
        run = prepare(data_dir, config, run_directory, resume, init, report)
        try:
            if not resume:
                save_checkpoint(run)  # from now on it can be resumed, and a disk too small is found at once
            while not run.finished:
                train_epoch(run)
                end_epoch(run)
                save_checkpoint(run)
            return run.world.on_rank0(lambda: score_best(run))
        except Stopped:
            save_checkpoint(run)
            where = f"epoch {min(run.state.epoch + 1, run.epochs)} of {run.epochs}"
            raise Stopped(f"stopped in {where}; nothing is lost", again) from None
        except WritingFailed as error:
            raise error.then(again) from None


def train_epoch(run: TrainingRun) -> None:
    """Go through the train split once, from the batch where the epoch was left."""
    state = run.state
    if run.cpu_threads:
        run.cpu_threads.begin_epoch(in_the_middle=state.batch > 0)
    state.network.train()
    torch.autograd.set_detect_anomaly(state.config.detect_anomaly)
    train_set = run.train_set(state.epoch)
    order = epoch_order(state.config.seed, state.epoch, len(train_set))
    todo = order[: run.batches * run.batch_size].split(run.batch_size)[state.batch :]
    clock = time.monotonic()
    for images, labels in watch(train_set.stream(map(run.world.share, todo)), len(todo)):
        stop_or_save(run)
        train_step(state, images, labels, run.steps, run.batches, run.report)
        state.batch += 1
        now = time.monotonic()
        state.epoch_seconds += now - clock
        clock = now
        report_progress(run, now)
    state.metrics.reset(run.world.reduce_to_rank0(state.metrics.sums))
    state.epoch_seconds += time.monotonic() - clock


def epoch_order(seed: int, epoch: int, samples: int) -> Tensor:
    """The order of an epoch's samples, int64 (samples,); it depends on seed and epoch alone."""
    return torch.randperm(samples, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))


def stop_or_save(run: TrainingRun) -> None:
    """Before a batch: Stopped where the user asks to stop; a checkpoint where one is due."""
    due = run.state.batch > 0 and time.monotonic() - run.saved >= CHECKPOINT_SECONDS
    stop, save = run.world.any_rank(run.report.stop_requested(), due)
    if stop:
        raise Stopped()
    if save:
        save_checkpoint(run)


def report_progress(run: TrainingRun, now: float) -> None:
    """After a batch: check that the loss is finite; report progress every second, and steps every few seconds."""
    state = run.state
    state.metrics.poll()
    if state.metrics.broken:
        refuse_nan(run)
    if now - run.reported < REPORT_SECONDS:
        return
    run.reported = now
    report_steps(run, now)
    if run.cpu_threads:
        run.cpu_threads.watch()
    done, total = run.steps, run.epochs * run.batches
    pace = (done - run.steps_before) / (now - run.started)
    run.report(
        Progress(
            phase="training",
            done=done * run.batch_size,
            total=total * run.batch_size,
            unit="samples",
            item=f"epoch {state.epoch + 1} of {run.epochs}",
            rate=state.batch * run.batch_size / max(1e-9, state.epoch_seconds),
            remaining=(total - done) / pace if pace else None,
        )
    )


def report_steps(run: TrainingRun, now: float) -> None:
    """Report what the steps since the last report measured, where that is long enough ago."""
    state, (since, before) = run.state, run.stepped
    if now - since < STEP_SECONDS or state.metrics.recent is None:
        return
    run.stepped = now, run.steps
    loss, top1 = state.metrics.recent
    run.report(
        Step(
            step=run.steps,
            position=run.steps / run.batches,
            seconds=run.seconds,
            loss=loss,
            top1=top1,
            learning_rate=float(state.optimisers[0].param_groups[0]["lr"]),
            samples_per_second=(run.steps - before) * run.batch_size / (now - since),
        )
    )


def end_epoch(run: TrainingRun) -> None:
    """Validate, keep the model if it is the best so far, and report the epoch."""
    state = run.state
    entry = run.world.on_rank0(lambda: validate(run))
    share_statistics(state.eval_model, run.world)
    state.history.append(entry)
    is_best = state.best is None or is_better(entry["validation"], state.best["validation"], state.config.best_by)
    if is_best:
        state.best = entry
    run.world.on_rank0(lambda: artifacts.write_epoch(run.directory, state, run.card, is_best))
    run.report(to_epoch(entry, run.epochs, is_best))
    state.epoch, state.batch, state.epoch_seconds = state.epoch + 1, 0, 0.0
    state.metrics.reset()


def validate(run: TrainingRun) -> dict[str, Any]:
    """Score the validation split and the subset of the train split; the epoch's entry in the history.

    BatchNorm's statistics are recomputed first: a model is validated and kept with statistics of its own weights.
    """
    refuse_nan(run)
    state, report, classes, clock = run.state, run.report, len(run.card.classes), time.monotonic()
    recompute_statistics(state.eval_model, run.train_set(state.epoch), state.config.seed, report)
    validation = score(state.eval_model, run.val_set, state.device, classes, "validation", report)
    clean = score(state.eval_model, run.train_eval_subset, state.device, classes, "train accuracy", report)
    if not math.isfinite(validation.loss):
        state.metrics.broken = True
        refuse_nan(run)
    return {
        "epoch": state.epoch + 1,
        "train_loss": state.metrics.loss,
        "train_top1": state.metrics.top1,
        "train_clean_top1": clean.top1,
        "learning_rate": float(state.optimisers[0].param_groups[0]["lr"]),
        "seconds": state.epoch_seconds + time.monotonic() - clock,
        "samples_per_second": run.batches * run.batch_size / max(1e-9, state.epoch_seconds),
        "threads": torch.get_num_threads() if run.cpu_threads else None,
        "validation": asdict(validation),
    }


def is_better(validation: dict[str, float], best: dict[str, float], by: str) -> bool:
    """Whether its metric `by` (top1 or balanced) is higher, or equal with a lower loss."""
    return (validation[by], -validation["loss"]) > (best[by], -best["loss"])


def save_checkpoint(run: TrainingRun) -> None:
    """Write last.ckpt, unless the loss or a weight is not finite."""
    state = run.state
    state.metrics.reset(run.world.reduce_to_rank0(state.metrics.sums))
    run.saved = time.monotonic()
    refuse_nan(run)
    state.seconds = run.seconds
    run.world.on_rank0(lambda: checkpoint.save(state, run.data.digest, run.directory / CHECKPOINT))


def score_best(run: TrainingRun) -> Trained:
    """Score the test split, where there is one, with the best model; and the validation split by class."""
    state, report, classes = run.state, run.report, len(run.card.classes)
    best = deepcopy(state.eval_model)
    best.load_state_dict(load_tensors(run.directory / WEIGHTS, "the model of the best epoch", "train it again"))
    predicted = predict(best, run.val_set, "validation by class", report)
    by_class = artifacts.write_by_class(run.directory, run.card, run.val_set.labels, predicted)
    test: Metrics | None = None
    if run.data.test:
        test_set = DeviceLoader(run.data.test, state.device, report)
        test = score(best, test_set, state.device, classes, "test", report)
        artifacts.write_info(run.directory, state, run.card, test)
    return artifacts.result(run.directory.name, state, run.card, test, by_class, run.seconds)


def prepare(
    data_dir: Path,
    config: TrainConfig,
    run_directory: Path,
    resume: Path | None,
    init: Path | None,
    report: Report,
) -> TrainingRun:
    """Open, split and load the data, and set up the state, new or where the run `resume` left it."""
    world = current()
    earlier = world.on_rank0(lambda: checkpoint.load(resume / CHECKPOINT)) if resume else None
    if earlier:
        config = checkpoint.config_of(earlier)
    data = find_data(data_dir, config, report)
    world.require_same("dataset", data.digest)
    if earlier and earlier["dataset_digest"] != data.digest:
        raise KanjiError(
            f"the run to resume was trained on another dataset than the one in {data_dir}",
            "resume with the dataset it began with: --data-dir DIRECTORY",
        )
    if data.note:
        report(Notice(data.note))
    device = own_device()
    torch.backends.cudnn.benchmark = True
    samples = len(data.train(0))
    if not earlier:
        config = fit_to_train_split(config, samples, world, report)
    batch_size = world.batch_size(config.batch_size, samples)
    batches = samples // batch_size  # the remaining samples differ from epoch to epoch
    state = initial_state(config, len(data.classes), data.size, config.epochs * batches, device)
    if init and not earlier:
        begin_from(init, state, data.classes, data.size, report)
    elif not earlier and world.is_rank0:
        propose_built_in(config, data, report)
    if earlier and resume:
        checkpoint.restore(state, earlier)
        world.on_rank0(lambda: artifacts.copy_artifacts(resume, run_directory))
    distribute(state, world, batch_size)
    return TrainingRun(
        directory=run_directory,
        report=report,
        data=data,
        card=artifacts.card_of(config, data, state.license),
        train_set=train_sets(data, device, report),
        val_set=DeviceLoader(world.for_rank0(data.validation), device, report),
        train_eval_subset=DeviceLoader(world.for_rank0(_subset(data.train(0))), device, report),
        state=state,
        batch_size=batch_size,
        batches=batches,
        world=world,
        steps_before=state.epoch * batches + state.batch,
        stepped=(time.monotonic(), state.epoch * batches + state.batch),
        seconds_before=state.seconds,
        cpu_threads=CpuThreads(config.threads, earlier.get("threads") if earlier else None, report)
        if device.type == "cpu"
        else None,
    )


def train_sets(data: TrainingData, device: torch.device, report: Report) -> Callable[[int], DeviceLoader]:
    """The loader of each epoch's samples: always the same one where all epochs have the same samples."""
    first = data.train(0)
    if first.drawn:
        return lambda epoch: DeviceLoader(data.train(epoch), device, report)
    always = DeviceLoader(first, device, report)
    return lambda epoch: always


def fit_to_train_split(config: TrainConfig, samples: int, world: World, report: Report) -> TrainConfig:
    """The config for so many samples to train; reports what is not the recipe's, and why."""
    fitted = for_train_split(config, samples, world.size)
    changed = [
        f"{after} {what} instead of {before}"
        for what, before, after in (
            ("samples a batch", config.batch_size, fitted.batch_size),
            ("epochs", config.epochs, fitted.epochs),
        )
        if after != before
    ]
    if changed:
        report(
            Notice(
                f"{' and '.join(changed)}: {samples:,} samples to train would make fewer than the "
                f"{config.min_steps} steps that are needed; --batch-size and --epochs set other numbers"
            )
        )
    return fitted


def _subset(train: Part) -> Part:
    """A twentieth of the train split, at least 64 samples and at most 2,000, evenly spaced."""
    count = min(max(len(train) // 20, 64), 2000, len(train))
    return replace(train, indices=train.indices[np.linspace(0, len(train) - 1, count).astype(int)], drawn=False)


def lower_rate(config: TrainConfig) -> float:
    """A quarter of the learning rate, or the recipe's own where that is lower."""
    return min(config.learning_rate / 4, configure(config.network, config.recipe).learning_rate)


def refuse_nan(run: TrainingRun) -> None:
    """Raise KanjiError if the loss or a weight is not finite; the last checkpoint stays as it is.

    Rank 0 says so: gradients are averaged, so its weights soon hold what another's do.
    """
    state = run.state
    if not run.world.is_rank0:
        return
    state.metrics.synchronise()
    tensors = [t for t in state.network.state_dict().values() if t.is_floating_point()]
    if not state.metrics.broken and torch.stack([tensor.isfinite().all() for tensor in tensors]).all():
        return
    last = "" if state.metrics.loss is None else f"; the last mean loss seen was {state.metrics.loss:.3f}"
    kept = (run.directory / CHECKPOINT).is_file()
    raise KanjiError(
        f"the loss is no longer a number in epoch {state.epoch + 1}, batch {state.batch} of {run.batches}{last}",
        f"lower the learning rate: --learning-rate {lower_rate(state.config):g}"
        + ("; the last checkpoint before it is kept" if kept else ""),
    )
