"""The training loop: one network learns one dataset, and everything it earns is kept in its run directory.

Read `train`, `_epoch` and step.py; the rest is what they call. Nothing in a step waits for the device: the loss is
looked at once a second. A wish to stop is seen at each batch.

Where torchrun started several processes each does the same steps on its part of each batch. The first owns the run:
it alone validates, reports and writes. Before each batch all agree whether to stop and to keep a checkpoint.
"""

import math
import time
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kanji_tui.data.dataset import Dataset, open_dataset
from kanji_tui.data.splits import Split, split_dataset
from kanji_tui.epoch_metrics import to_epoch
from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.events import Notice, Progress, Report
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.devices import own_device
from kanji_tui.paths import CHECKPOINT, WEIGHTS
from kanji_tui.training import artifacts, checkpoint
from kanji_tui.training.config import TrainConfig
from kanji_tui.training.cpu_threads import use_threads
from kanji_tui.training.distributed import World, current, noticing_losses
from kanji_tui.training.loader import Pictures
from kanji_tui.training.metrics import predict, score
from kanji_tui.training.profile import watch
from kanji_tui.training.results import Metrics, Trained
from kanji_tui.training.step import step

CHECKPOINT_SECONDS = 300.0
REPORT_SECONDS = 0.5


@dataclass
class Training:
    """One call of `train`: what it learns from, what it has earned, and the clocks of its reports."""

    directory: Path
    report: Report
    dataset: Dataset
    split: Split
    card: ModelCard
    pictures: Pictures
    unseen: Pictures  # the validation split
    familiar: Pictures  # some of the train split, always the same
    state: checkpoint.State
    epochs: int
    batch_size: int
    batches: int  # an epoch
    world: World = field(default_factory=World)
    stopping: bool = False  # all processes know it
    began: float = field(default_factory=time.monotonic)
    seconds_before: float = 0.0
    steps_before: int = 0
    reported: float = 0.0
    kept: float = field(default_factory=time.monotonic)

    @property
    def steps(self) -> int:
        """The steps done so far, of `epochs * batches`."""
        return self.state.epoch * self.batches + self.state.batch

    def agree(self) -> None:
        """Before a batch, in all processes: Stopped where one of them is to stop; a checkpoint where one is due."""
        due = self.state.batch > 0 and time.monotonic() - self.kept >= CHECKPOINT_SECONDS
        self.stopping, keep = self.world.any(self.report.stop_requested(), self.world.first and due)
        if self.stopping:
            raise Stopped()
        if keep:
            self.keep()

    def wait_for_first(self) -> None:
        """Until the first process is here too; Stopped where it was stopped on its way."""
        self.stopping, _ = self.world.any(False, False)
        if self.stopping:
            raise Stopped()

    def stop(self) -> None:
        """Tell the others, if they do not know yet, and keep what was earned."""
        if not self.stopping:
            self.world.any(True, False)
        self.keep()
        self.world.any(False, False)  # torchrun ends the first as soon as another has ended

    def keep(self) -> None:
        """Write the checkpoint, unless what it would keep is no longer numbers."""
        self.state.sums.reset(self.world.hand_in(self.state.sums.sums))
        self.kept = time.monotonic()
        if not self.world.first:
            return
        _refuse_nan(self)
        self.state.seconds = self.seconds_before + time.monotonic() - self.began
        checkpoint.save(self.state, self.dataset.digest, self.directory / CHECKPOINT)


def train(
    data_dir: Path, config: TrainConfig, run_directory: Path, resume: Path | None, report: Report
) -> Trained | None:
    """Train on the dataset in `data_dir` and leave model, papers and checkpoint in `run_directory`.

    The result is the first process's; where several train together the others return None and write nothing. With
    `resume`, the directory of an earlier run, go on from its last checkpoint with its own config. Raises
    KanjiError for a dataset or checkpoint that cannot be used and when
    the loss is no longer a number, Stopped once the checkpoint is written when the user asks to stop.
    """
    with noticing_losses(run_directory.name):
        training = _prepare(data_dir, config, run_directory, resume, report)
        return _go_through(training)


def _go_through(training: Training) -> Trained | None:
    """All epochs and the test of the best."""
    state, trained = training.state, None
    try:
        while state.epoch < training.epochs and not _out_of_patience(state):
            _epoch(training)
            _judge(training)
            training.keep()
        if training.world.first:
            trained = _finish(training)
        training.wait_for_first()
    except Stopped:
        training.stop()
        raise Stopped(
            f"stopped in epoch {min(state.epoch + 1, training.epochs)} of {training.epochs}; nothing is lost",
            f"go on with: kanji-tui train --resume {training.directory.name}",
        ) from None
    return trained


def _prepare(
    data_dir: Path, config: TrainConfig, run_directory: Path, resume: Path | None, report: Report
) -> Training:
    """Open, split and load the data, and set up the network, new or where the run `resume` left it."""
    world = current()
    earlier = checkpoint.load(resume / CHECKPOINT) if resume and world.first else None
    earlier = world.from_first(earlier)
    settings = checkpoint.config_of(earlier) if earlier else config
    dataset = open_dataset(data_dir)
    world.require_same("dataset", dataset.digest)
    if earlier and earlier["dataset_digest"] != dataset.digest:
        raise KanjiError(
            f"the run to resume was trained on another dataset than the one in {data_dir}",
            "resume with the dataset it began with: --data-dir DIRECTORY",
        )
    split = split_dataset(
        dataset, settings.split, settings.split_shares, settings.seed, settings.sample_limit, settings.fold
    )
    if min(len(split.train), len(split.validation)) < 2:
        raise KanjiError(
            f"the dataset in {data_dir} leaves {len(split.train)} samples to train and {len(split.validation)} to "
            "validate; 2 of each are needed",
            "prepare more records, or give other shares: --split-shares 70/15/15",
        )
    if split.note:
        report(Notice(split.note))
    device = own_device()
    torch.backends.cudnn.benchmark = True
    if device.type == "cpu":
        use_threads(earlier.get("threads") if earlier else None, report)
    batch_size = world.batch_size(settings.batch_size, len(split.train))
    batches = len(split.train) // batch_size  # what is left over has its turn in another epoch's order
    state = checkpoint.begin(settings, len(dataset.classes), dataset.size, settings.epochs * batches, device)
    if earlier and resume:
        checkpoint.restore(state, earlier)
        if world.first:
            artifacts.bring(resume, run_directory)
    checkpoint.share_among(state, world, batch_size)
    judging = split.validation if world.first else split.validation[:0]
    training = Training(
        directory=run_directory,
        report=report,
        dataset=dataset,
        split=split,
        card=artifacts.card_of(settings, dataset, split),
        pictures=Pictures(dataset, split.train, device, report),
        unseen=Pictures(dataset, judging, device, report),
        familiar=Pictures(dataset, _few(split.train), device, report),
        state=state,
        epochs=settings.epochs,
        batch_size=batch_size,
        batches=batches,
        world=world,
        seconds_before=state.seconds,
    )
    training.steps_before = training.steps
    return training


def _few(train: np.ndarray) -> np.ndarray:
    """A twentieth of the train split, at least 64 samples and at most 2,000, evenly apart."""
    count = min(max(len(train) // 20, 64), 2000, len(train))
    few: np.ndarray = train[np.linspace(0, len(train) - 1, count).astype(int)]
    return few


def _epoch(training: Training) -> None:
    """Go through the train split once, from where the epoch was left."""
    state = training.state
    order = epoch_order(state.config.seed, state.epoch, len(training.pictures))
    state.network.train()
    torch.autograd.set_detect_anomaly(state.config.detect_anomaly)
    clock = time.monotonic()
    todo = order[: training.batches * training.batch_size].split(training.batch_size)[state.batch :]
    stream = training.pictures.stream(map(training.world.share, todo))
    for pictures, labels in watch(stream, len(todo)):
        training.agree()
        step(state, pictures, labels, training.steps, training.batches, training.report)
        state.batch += 1
        now = time.monotonic()
        state.epoch_seconds += now - clock
        clock = now
        _watch(training, now)
    clock = time.monotonic()
    state.sums.reset(training.world.hand_in(state.sums.sums))
    state.epoch_seconds += time.monotonic() - clock
    _refuse_nan(training)


def epoch_order(seed: int, epoch: int, samples: int) -> Tensor:
    """The order of an epoch's samples, int64 (samples,): the same whenever it is asked for."""
    return torch.randperm(samples, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))


def _watch(training: Training, now: float) -> None:
    """Between two steps: look at the sums, report, keep a checkpoint, each in its time."""
    state = training.state
    state.sums.look()
    if state.sums.broken:
        _refuse_nan(training)
    if now - training.reported >= REPORT_SECONDS:
        training.reported = now
        samples, total = training.steps, training.epochs * training.batches
        pace = (samples - training.steps_before) / (now - training.began)
        training.report(
            Progress(
                phase="training",
                done=samples * training.batch_size,
                total=total * training.batch_size,
                unit="samples",
                item=f"epoch {state.epoch + 1} of {training.epochs}",
                rate=state.batch * training.batch_size / max(1e-9, state.epoch_seconds),
                remaining=(total - samples) / pace if pace else None,
            )
        )


def _judge(training: Training) -> None:
    """End the epoch; how it went the first process finds out and tells the others."""
    state = training.state
    if training.world.first:
        _measure(training)
    training.wait_for_first()
    state.history, state.best = training.world.from_first((state.history, state.best))
    state.epoch, state.batch, state.epoch_seconds = state.epoch + 1, 0, 0.0
    state.sums.reset()


def _measure(training: Training) -> None:
    """Validate, note it in the history, keep the model when it is the best so far."""
    state, report = training.state, training.report
    clock = time.monotonic()
    classes = len(training.card.classes)
    validation = score(state.judged, training.unseen, state.device, classes, "validation", report)
    clean = score(state.judged, training.familiar, state.device, classes, "train accuracy", report)
    if not math.isfinite(validation.loss):
        state.sums.broken = True
        _refuse_nan(training)
    best = state.best is None or _better(validation, state.best["validation"], state.config.best_by)
    measured: dict[str, Any] = {
        "epoch": state.epoch + 1,
        "train_loss": state.sums.loss,
        "train_top1": state.sums.top1,
        "train_clean_top1": clean.top1,
        "learning_rate": float(state.optimisers[0].param_groups[0]["lr"]),
        "seconds": state.epoch_seconds + time.monotonic() - clock,
        "samples_per_second": training.batches * training.batch_size / max(1e-9, state.epoch_seconds),
    }
    entry = {**measured, "validation": asdict(validation)}
    state.history.append(entry)
    if best:
        state.best = entry
        artifacts.write_best(training.directory, state, training.card)
    artifacts.write_history(training.directory, [to_epoch(each, training.epochs, False) for each in state.history])
    report(to_epoch(entry, training.epochs, best))


def _better(found: Metrics, best: dict[str, float], by: str) -> bool:
    """Whether its figure `by` (top1 or balanced) is higher, or as high with a lower loss."""
    return (getattr(found, by), -found.loss) > (best[by], -best["loss"])


def _out_of_patience(state: checkpoint.State) -> bool:
    patience = state.config.patience
    return bool(patience and state.best and state.epoch - state.best["epoch"] >= patience)


def _finish(training: Training) -> Trained:
    """Score the test split, once, with the best model, where there is one; its validation by class."""
    state, report, classes = training.state, training.report, len(training.card.classes)
    best = deepcopy(state.judged)
    best.load_state_dict(torch.load(training.directory / WEIGHTS, map_location="cpu", weights_only=True))
    predicted = predict(best, training.unseen, "validation by class", report)
    by_class = artifacts.write_by_class(training.directory, training.card, training.unseen.labels, predicted)
    test: Metrics | None = None
    if len(training.split.test):
        pictures = Pictures(training.dataset, training.split.test, state.device, report)
        test = score(best, pictures, state.device, classes, "test", report)
        artifacts.write_info(training.directory, state, training.card, test)
    seconds = training.seconds_before + time.monotonic() - training.began
    return artifacts.trained(training.directory.name, state, training.card, test, by_class, seconds)


def _refuse_nan(training: Training) -> None:
    """Fail when loss or weights are no longer numbers; the last checkpoint stays as it is.

    It is for the first process to say: gradients are averaged, so its weights soon hold what another's do.
    """
    state = training.state
    if not training.world.first:
        return
    state.sums.settle()
    tensors = [t for t in state.network.state_dict().values() if t.is_floating_point()]
    if not state.sums.broken and torch.stack([tensor.isfinite().all() for tensor in tensors]).all():
        return
    seen = "" if state.sums.loss is None else f"; the last mean loss seen was {state.sums.loss:.3f}"
    rate = state.config.learning_rate
    kept = (training.directory / CHECKPOINT).is_file()
    raise KanjiError(
        f"the loss is no longer a number in epoch {state.epoch + 1}, batch {state.batch} of {training.batches}"
        f"{seen}",
        f"try a lower learning rate: --learning-rate {rate / 4:g}"
        + ("; the last checkpoint before it is kept" if kept else ""),
    )
