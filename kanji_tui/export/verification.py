"""What shows that an exported file is worth its name: its logits in both engines, its accuracy, its speed."""

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
# A quantised file is slow in tract: there it answers for as many samples as fit in this time.
SLOW_SECONDS = 20.0
LOST = 0.01  # of top-1 accuracy: more is said aloud
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
    """Hold both engines' logits against PyTorch's float32 ones; KanjiError where an engine refuses the file.

    All samples where the file is to be `exact`; else each engine answers for as many as it can in 20 s.
    """
    comparisons = {name: Comparison() for name in ENGINES}
    spent = dict.fromkeys(ENGINES, 0.0)
    done = 0
    for pictures in samples.batches(BATCH_SIZE if exact else SMALL_BATCH):
        raise_if_stopped(report)
        reference = torch_logits(recogniser, pictures)
        for engine in engines:
            if exact or spent[engine.name] < SLOW_SECONDS:
                start = time.monotonic()
                comparisons[engine.name].add(reference, run_logits(engine, path, target, pictures))
                spent[engine.name] += time.monotonic() - start
        done += len(pictures)
        report(Progress("parity", done, len(samples), "samples", target.name))
    return {name: comparison.result(engine_version(name)) for name, comparison in comparisons.items()}


def torch_logits(recogniser: Recogniser, pictures: np.ndarray) -> np.ndarray:
    """The logits of float32 (N, 1, S, S) pictures in PyTorch."""
    with torch.inference_mode():
        logits: np.ndarray = recogniser(torch.from_numpy(pictures)).numpy()
    return logits


def run_logits(engine: Engine, path: Path, target: Target, pictures: np.ndarray) -> np.ndarray:
    """The logits of float32 (N, 1, S, S) pictures, in pieces of the target's batch where that is fixed."""
    step = target.batch or len(pictures)
    logits = []
    for start in range(0, len(pictures), step):
        piece = pictures[start : start + step]
        symbols = {BATCH: len(piece)} if target.batch is None else {}
        try:
            output = engine.run(path, {INPUT: piece}, symbols)[0]
        except EngineError as refusal:
            raise KanjiError(
                f"{engine.name} {engine_version(engine.name)} does not run the {target.name} file, so it was not "
                f"kept: {refusal}",
                "choose another target with --target-backend",
            ) from None
        assert output is not None, "logits are a tensor: the interface was checked"
        logits.append(output)
    return np.concatenate(logits)


def require_parity(parity: dict[str, Parity], target: Target, exact: bool, report: Report) -> None:
    """KanjiError naming the engine whose logits are not PyTorch's; a notice where agreement means little.

    A quantised file, which is not `exact`, must only give numbers: how good they are its accuracy says.
    """
    first = parity[ENGINES[0]]
    if first.decided < first.samples / 2:
        report(
            Notice(
                f"only {first.decided} of {first.samples} samples have a clear first choice: has this model been "
                "trained? Agreement on logits that are all alike says little"
            )
        )
    for engine, measured in parity.items():
        if not exact and np.isfinite(measured.max_logit_difference):
            continue
        if not measured.passed:
            raise KanjiError(
                f"the {target.name} file does not say in {engine} what the network says in PyTorch, so it was not "
                f"kept: logits differ by up to {measured.max_logit_difference:.3g} (allowed "
                f"{measured.tolerance:.3g}), the first choice agrees on {measured.top1_agreement:.2%} of "
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
    """How many of `samples` the file and the network as trained recognise; the file's pictures are of `card.size`.

    Samples of a character that the model does not know count as errors.
    """
    codes = np.array(card.classes)
    resized = samples.resized(card.size) if samples.image_side != card.size else samples
    right = {"file": 0, "before": 0}
    done = 0
    both = zip(samples.batches(BATCH_SIZE), resized.batches(BATCH_SIZE), strict=True)
    for original, pictures in both:
        raise_if_stopped(report)
        truth = samples.jis[done : done + len(pictures)]
        right["before"] += int((codes[torch_logits(trained, original).argmax(axis=1)] == truth).sum())
        logits = run_logits(engine, path, target, pictures)
        right["file"] += int((codes[logits.argmax(axis=1)] == truth).sum())
        done += len(pictures)
        report(Progress("accuracy", done, len(samples), "samples", target.name))
    found = Accuracy(right["file"] / done, right["before"] / done, done, resized.source)
    if found.top1 < found.before - LOST:
        report(
            Notice(
                f"this file recognises {found.top1:.2%} of {done:,} samples, "
                f"the network as trained {found.before:.2%}"
            )
        )
    return found


def measure_latency(
    path: Path, target: Target, samples: Samples, engines: Engines, report: Report
) -> dict[str, tuple[Timing, ...]]:
    """Timings by engine, at batch 1 and 32."""
    pictures = samples.first(max(BATCHES))

    def feed(batch: int) -> tuple[Arrays, dict[str, int]]:
        if target.batch not in (None, batch):
            raise ValueError(f"its batch is fixed at {target.batch}")
        return {INPUT: pictures[:batch]}, {BATCH: batch} if target.batch is None else {}

    return {engine.name: time_model(engine, path, feed, target.name, report) for engine in engines}
