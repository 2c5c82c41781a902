"""Verifies an exported file: parity of its logits in both engines, accuracy, latency."""

import time
from pathlib import Path

import numpy as np
import torch

from kanji_tui.engines.engine import ENGINES, Engine, EngineError, engine_version
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.latency import BATCHES, time_model
from kanji_tui.engines.parity import SMALL_BATCH, Comparison
from kanji_tui.engines.results import Parity, Timing
from kanji_tui.engines.samples import Samples
from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped
from kanji_tui.export.conversion import BATCH, INPUT
from kanji_tui.export.results import Accuracy
from kanji_tui.export.targets import Target
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser

BATCH_SIZE = 64
# A quantised file is slow in tract: only as many samples are compared as fit in this time.
SLOW_SECONDS = 20.0
ACCURACY_LOSS = 0.01  # a larger loss of top-1 accuracy is reported
Engines = tuple[Engine, Engine]  # in the order of ENGINES


def measure_parity(
    path: Path,
    recogniser: Recogniser,
    target: Target,
    samples: Samples,
    exact: bool,
    engines: Engines,
    report: Report,
) -> dict[str, Parity]:
    """Compare both engines' logits with PyTorch's in float32. Raises KanjiError if an engine does not run the file.

    With `exact` on all samples, else on as many as each engine runs in 20 s.
    """
    comparisons = {name: Comparison() for name in ENGINES}
    spent = dict.fromkeys(ENGINES, 0.0)
    done = 0
    for images in samples.batches(BATCH_SIZE if exact else SMALL_BATCH):
        raise_if_stopped(report)
        reference = torch_logits(recogniser, images)
        for engine in engines:
            if exact or spent[engine.name] < SLOW_SECONDS:
                start = time.monotonic()
                comparisons[engine.name].add(reference, run_logits(engine, path, target, images))
                spent[engine.name] += time.monotonic() - start
        done += len(images)
        report(Progress("parity", done, len(samples), "samples", target.name))
    return {name: comparison.result(engine_version(name)) for name, comparison in comparisons.items()}


def torch_logits(recogniser: Recogniser, images: np.ndarray) -> np.ndarray:
    """The logits of float32 (N, 1, S, S) images in PyTorch."""
    with torch.inference_mode():
        logits: np.ndarray = recogniser(torch.from_numpy(images)).numpy()
    return logits


def run_logits(engine: Engine, path: Path, target: Target, images: np.ndarray) -> np.ndarray:
    """The logits of float32 (N, 1, S, S) images, in batches of the target's size if that is fixed."""
    step = target.batch or len(images)
    logits = []
    for start in range(0, len(images), step):
        batch = images[start : start + step]
        symbols = {BATCH: len(batch)} if target.batch is None else {}
        try:
            output = engine.run(path, {INPUT: batch}, symbols)[0]
        except EngineError as error:
            raise KanjiError(
                f"{engine.name} {engine_version(engine.name)} does not run the {target.name} file, so it was not "
                f"kept: {error}",
                "choose another target with --target-backend",
            ) from None
        assert output is not None, "read_back checked that the output is a tensor"
        logits.append(output)
    return np.concatenate(logits)


def require_parity(parity: dict[str, Parity], target: Target, exact: bool, report: Report) -> None:
    """Raise KanjiError naming an engine whose logits exceed the tolerance; a notice if agreement means little.

    A quantised file (not `exact`) only has to give finite logits: its accuracy is measured separately.
    """
    first = parity[ENGINES[0]]
    if first.decided < first.samples / 2:
        report(
            Notice(
                f"only {first.decided} of {first.samples} samples have a clear top-1 class, so agreement means "
                "little: has this model been trained?"
            )
        )
    for engine, measured in parity.items():
        if not exact and np.isfinite(measured.max_logit_difference):
            continue
        if not measured.passed:
            raise KanjiError(
                f"the logits of the {target.name} file in {engine} are not those of the network in PyTorch, so it "
                f"was not kept: they differ by up to {measured.max_logit_difference:.3g} (tolerance "
                f"{measured.tolerance:.3g}), the top-1 class agrees on {measured.top1_agreement:.2%} of "
                f"{measured.decided} samples",
                "choose another target with --target-backend, and report this model",
            )


def measure_accuracy(
    path: Path,
    target: Target,
    trained: Recogniser,
    card: ModelCard,
    samples: Samples,
    engine: Engine,
    report: Report,
) -> Accuracy:
    """The top-1 accuracy of the file, on images of `card.size`, and of the network as trained.

    Samples of a class that the model does not know count as errors.
    """
    codes = np.array(card.classes)
    resized = samples.resized(card.size) if samples.image_side != card.size else samples
    correct = {"file": 0, "trained": 0}
    done = 0
    pairs = zip(samples.batches(BATCH_SIZE), resized.batches(BATCH_SIZE), strict=True)
    for original, images in pairs:
        raise_if_stopped(report)
        truth = samples.jis[done : done + len(images)]
        correct["trained"] += int((codes[torch_logits(trained, original).argmax(axis=1)] == truth).sum())
        logits = run_logits(engine, path, target, images)
        correct["file"] += int((codes[logits.argmax(axis=1)] == truth).sum())
        done += len(images)
        report(Progress("accuracy", done, len(samples), "samples", target.name))
    found = Accuracy(correct["file"] / done, correct["trained"] / done, done, resized.source)
    if found.top1 < found.before - ACCURACY_LOSS:
        report(
            Notice(
                f"top-1 accuracy on {done:,} samples: this file {found.top1:.2%}, "
                f"the network as trained {found.before:.2%}"
            )
        )
    return found


def measure_latency(
    path: Path, target: Target, samples: Samples, engines: Engines, report: Report
) -> dict[str, tuple[Timing, ...]]:
    """Timings by engine, at batch 1 and 32."""
    images = samples.first(max(BATCHES))

    def feed(batch: int) -> tuple[Arrays, dict[str, int]]:
        if target.batch not in (None, batch):
            raise ValueError(f"its batch is fixed at {target.batch}")
        return {INPUT: images[:batch]}, {BATCH: batch} if target.batch is None else {}

    return {engine.name: time_model(engine, path, feed, target.name, report) for engine in engines}
