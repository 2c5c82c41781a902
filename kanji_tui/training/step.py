"""One step of training: a batch augmented, forward, backward, the weights moved."""

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice, Report
from kanji_tui.training.augmentation import augment
from kanji_tui.training.checkpoint import State
from kanji_tui.training.pictures import to_unit
from kanji_tui.training.schedule import augmentation_strength_at, learning_rate_at


def step(state: State, pictures: Tensor, labels: Tensor, number: int, batches: int, report: Report) -> None:
    """Learn from one batch, uint8 (N, 1, S, S) and int64 (N,); it is step `number`, of `batches` an epoch.

    Where the device's memory is too small the batch is tried again in twice as many pieces, which is said and kept
    up; KanjiError where two samples at once are still too many.
    """
    while not _fits(state, pictures, labels, number, batches):
        state.network.zero_grad(set_to_none=True)  # what the failed attempt left
        if state.device.type == "cuda":
            torch.cuda.empty_cache()
        _halve(state, len(labels), report)


def _fits(state: State, pictures: Tensor, labels: Tensor, number: int, batches: int) -> bool:
    try:
        _learn(state, pictures, labels, number, batches)
    except torch.cuda.OutOfMemoryError:
        return False  # out of the except clause before trying again: it holds on to the tensors
    except RuntimeError as error:
        if not state.config.detect_anomaly:
            raise
        raise KanjiError(
            f"an operation gave no number: {str(error).splitlines()[0]}",
            "the run's log.txt says where it was called; a lower --learning-rate may mend it",
        ) from error
    return True


def _learn(state: State, pictures: Tensor, labels: Tensor, number: int, batches: int) -> None:
    config = state.config
    rate = learning_rate_at(config, number, batches)
    for group in (group for optimiser in state.optimisers for group in optimiser.param_groups):
        group["lr"] = rate
    strength = augmentation_strength_at(config, number, config.epochs * batches)
    state.network.zero_grad(set_to_none=True)
    seen = []
    for some, truth in zip(pictures.tensor_split(state.pieces), labels.tensor_split(state.pieces), strict=True):
        inputs = augment(to_unit(some), config, strength, state.generator)
        with torch.autocast(state.device.type, state.precision, enabled=state.precision != torch.float32):
            logits = state.network(inputs.contiguous(memory_format=torch.channels_last))
        logarithms = logits.float().log_softmax(1)
        losses = -logarithms.gather(1, truth[:, None]).squeeze(1)
        smooth = config.label_smoothing
        loss = ((1 - smooth) * losses - smooth * logarithms.mean(1)).sum() / len(labels)
        state.scaler.scale(loss).backward()
        seen.append((losses.detach(), logits.detach(), truth))
    for optimiser in state.optimisers:
        state.scaler.unscale_(optimiser)
    if config.clip_norm:
        clip_grad_norm_(state.network.parameters(), config.clip_norm)
    for optimiser in state.optimisers:
        state.scaler.step(optimiser)
    state.scaler.update()
    if state.average:
        state.average.follow(number + 1)
    for piece in seen:
        state.sums.add(*piece)


def _halve(state: State, samples: int, report: Report) -> None:
    if samples // (2 * state.pieces) < 2:
        raise KanjiError(
            f"the GPU's memory is too small for {-(-samples // state.pieces)} samples at once",
            "free some of it (kanji-tui preflight shows who holds it), or choose a smaller network",
        )
    state.pieces *= 2
    report(Notice(f"the GPU's memory is too small: each batch is worked off in {state.pieces} pieces from now on"))
