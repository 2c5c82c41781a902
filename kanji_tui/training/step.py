"""One step of training: augment a batch, forward, backward, update the weights."""

import gc
from contextlib import nullcontext
from functools import partial

import torch
from torch import Tensor
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from kanji_tui.errors import KanjiError, first_line
from kanji_tui.events import Notice, Report
from kanji_tui.networks.devices import is_out_of_memory
from kanji_tui.training.augmentation import augment
from kanji_tui.training.distributed import parallel
from kanji_tui.training.loader import to_unit
from kanji_tui.training.muon import Muon
from kanji_tui.training.profile import AUGMENTATION, BACKWARD, FORWARD, OPTIMISER, phase
from kanji_tui.training.schedule import augmentation_strength_at, learning_rate_at
from kanji_tui.training.state import FREE_MEMORY, TrainState, renewed

Outputs = tuple[Tensor, Tensor, Tensor]  # losses (N,), logits (N, C), labels (N,)


def train_step(
    state: TrainState, images: Tensor, labels: Tensor, number: int, batches: int, report: Report
) -> None:
    """Learn from one batch, uint8 (N, 1, S, S) and int64 (N,); it is step `number`, of `batches` an epoch.

    Where several processes train they call it together, each with its share of the batch. If the device's memory is
    too small for the batch, the accumulation steps are doubled for the rest of the run, with a notice.
    KanjiError where two samples at once are too many, and where the memory ends too late to try again.
    """
    while (outputs := _learn(state, images, labels, number, batches)) is None:
        state.network.zero_grad(set_to_none=True)  # what the failed attempt left
        if state.parallel:  # it waits for the backward pass of a forward pass that is given up
            state.parallel = None
            gc.collect()
            state.parallel = parallel(state.network, state.device, state.world)
        if state.device.type == "cuda":
            torch.cuda.empty_cache()
        _double_accumulation_steps(state, len(labels), report)
    for micro_batch in outputs:
        state.metrics.add(*micro_batch)


def _learn(state: TrainState, images: Tensor, labels: Tensor, number: int, batches: int) -> list[Outputs] | None:
    """Update the weights by a batch; None where the memory is too small for it, and no weight is changed."""
    outputs = _gradients(state, images, labels, number, batches)
    if outputs is None:
        return None
    with phase(OPTIMISER):
        return outputs if _update_weights(state, number, batches) else None


def _gradients(
    state: TrainState, images: Tensor, labels: Tensor, number: int, batches: int
) -> list[Outputs] | None:
    """Compute the batch's gradients; None where the memory of this or of another process is too small for them.

    The backward pass of the last micro-batch waits for all processes to average their gradients, so before it they
    agree to go on; who fails later can no longer try again, for the others do not wait for it twice.
    """
    config, steps = state.config, state.accumulation_steps
    strength = augmentation_strength_at(config, number, config.epochs * batches)
    forward = partial(_forward, state, strength=strength, whole=len(labels))
    state.network.zero_grad(set_to_none=True)
    *first, last = zip(images.tensor_split(steps), labels.tensor_split(steps), strict=True)
    found: list[Outputs] = []
    fits = False
    try:
        with state.parallel.no_sync() if state.parallel else nullcontext():
            for micro_batch in first:
                loss, outputs = forward(*micro_batch)
                _backward(state, loss)
                found.append(outputs)
        loss, outputs = forward(*last)
        fits = True
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        if state.parallel and config.sync_batchnorm:  # its forward pass, too, waits for all
            raise _too_late("the forward pass") from None
    if any(state.world.any_rank(not fits)):
        return None
    try:
        _backward(state, loss)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        if state.parallel:
            raise _too_late("the backward pass") from None
        return None
    return [*found, outputs]


def _forward(
    state: TrainState, images: Tensor, labels: Tensor, strength: float, whole: int
) -> tuple[Tensor, Outputs]:
    """The loss of a micro-batch, its share of a batch of `whole` samples, and what the running metrics need."""
    config = state.config
    with phase(AUGMENTATION):
        inputs = augment(to_unit(images), config, strength, state.generator)
    with phase(FORWARD):
        with torch.autocast(state.device.type, state.precision, enabled=state.precision != torch.float32):
            logits = state.train_model(inputs.contiguous(memory_format=torch.channels_last))
        logarithms = logits.float().log_softmax(1)
        losses = -logarithms.gather(1, labels[:, None]).squeeze(1)
        smooth = config.label_smoothing
        loss = ((1 - smooth) * losses - smooth * logarithms.mean(1)).sum() / whole
    return loss, (losses.detach(), logits.detach(), labels)


def _backward(state: TrainState, loss: Tensor) -> None:
    try:
        with phase(BACKWARD):
            state.scaler.scale(loss).backward()
    except RuntimeError as error:
        if not state.config.detect_anomaly or "nan values" not in str(error):
            raise
        raise KanjiError(
            f"an operation gave no number: {first_line(error)}",
            "the run's log.txt shows where it was raised; a lower --learning-rate may help",
        ) from error


def _update_weights(state: TrainState, number: int, batches: int) -> bool:
    """Update the weights by their gradients, and the averaged ones by the weights.

    False where the memory ended before any was changed. Muon, which needs some, computes before it changes any; so
    it goes first, and then PyTorch's optimisers, which work in place.
    """
    rate = learning_rate_at(state.config, number, batches)
    for group in (group for optimiser in state.optimisers for group in optimiser.param_groups):
        group["lr"] = rate
    changed = False
    try:
        for optimiser in state.optimisers:
            state.scaler.unscale_(optimiser)
        norm = _clip(state, state.config.clip_norm) if state.config.clip_norm else None
        # In float16 an optimiser skips a step by itself where its gradients overflow; clipping spoils them for all.
        if norm is None or not state.scaler.is_enabled() or norm.isfinite():
            for optimiser in sorted(state.optimisers, key=lambda optimiser: not isinstance(optimiser, Muon)):
                changed = changed or not isinstance(optimiser, Muon)
                state.scaler.step(optimiser)
                changed = True
        state.scaler.update()
        if state.average:
            state.average.follow(number + 1)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        if changed or state.parallel:  # some weights must not be updated twice, and the others do not wait twice
            raise _too_late("the optimiser") from None
        state.scaler = renewed(state.scaler, state.device)
        return False
    return True


def _clip(state: TrainState, most: float) -> Tensor:
    """Shorten the gradients, all together, to a norm of `most` where theirs is longer; returns what it was."""
    weights = list(state.network.parameters())
    norm = get_total_norm(weight.grad for weight in weights if weight.grad is not None)
    # On a GPU asking would wait for it; on a CPU memory traffic is what a step costs, and most are short enough.
    if state.device.type != "cpu" or norm > most:
        clip_grads_with_norm_(weights, most, norm)
    return norm


def _double_accumulation_steps(state: TrainState, samples: int, report: Report) -> None:
    steps = state.accumulation_steps
    if samples // (2 * steps) < 2:
        raise KanjiError(f"the GPU's memory is too small for {-(-samples // steps)} samples at once", FREE_MEMORY)
    state.accumulation_steps = 2 * steps
    report(
        Notice(f"the GPU's memory is too small: each batch is computed in {2 * steps} micro-batches from now on")
    )


def _too_late(what: str) -> KanjiError:
    return KanjiError(
        f"the GPU's memory ended in {what}, too late to try the batch again in smaller micro-batches",
        f"{FREE_MEMORY}; or begin with --set accumulation_steps=2, or more; a checkpoint it has written is kept",
    )
