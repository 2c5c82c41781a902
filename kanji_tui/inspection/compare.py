"""`compare`: two to four ONNX files side by side: operators, size, outputs on the same samples, latency."""

import math
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from kanji_tui.engines.engine import ENGINES, Engine, EngineError, engine_version
from kanji_tui.engines.graph import count_operators, count_parameters, opsets, weight_bytes
from kanji_tui.engines.latency import BATCHES, time_model
from kanji_tui.engines.parity import Comparison
from kanji_tui.engines.results import Timing
from kanji_tui.engines.samples import PARITY_SAMPLES, Samples, gather_samples
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.inspection.compared_file import Candidate, read_candidate, shared_columns
from kanji_tui.inspection.results import Agreement, Compared, ComparedModel, ParityTable
from kanji_tui.networks.card import ModelCard

FEWEST, MOST = 2, 4
BATCH = 64
BUDGET_SECONDS = 20.0  # for one model in one engine; a slower one is compared on fewer samples


def compare_models(paths: tuple[Path, ...], data_dir: Path, report: Report) -> Compared:
    """Compare the files; the first is what the others are held against.

    Raises UsageError for less than two or more than four, KanjiError naming one that cannot be read.
    """
    if not FEWEST <= len(paths) <= MOST:
        raise UsageError(f"{len(paths)} files cannot be compared", f"name {FEWEST} to {MOST} ONNX files")
    candidates = [read_candidate(Path(path)) for path in paths]
    samples = find_samples(candidates, data_dir, report)
    agreements: list[Agreement] = []
    top1: dict[str, float] = {}
    latency: dict[str, tuple[Timing, ...]] = {}
    with Engine(ENGINES[0]) as onnxruntime, Engine(ENGINES[1]) as tract:
        if isinstance(samples, Samples):
            agreements, top1 = hold_together(candidates, samples, (onnxruntime, tract), report)
        else:
            agreements = [
                Agreement(candidate.name, engine, None, samples) for candidate in candidates for engine in ENGINES
            ]
        pictures = samples.first(max(BATCHES)) if isinstance(samples, Samples) else None
        for engine in (onnxruntime, tract):
            latency[engine.name] = tuple(
                timing
                for candidate in candidates
                for timing in time_model(
                    engine,
                    candidate.path,
                    partial(candidate.timed_inputs, pictures=pictures),
                    candidate.name,
                    report,
                )
            )
    counts = [count_operators(candidate.model) for candidate in candidates]
    names = dict.fromkeys(name for count in counts for name in count)
    return Compared(
        models=tuple(
            describe(candidate, count, counts[0], top1.get(candidate.name))
            for candidate, count in zip(candidates, counts, strict=True)
        ),
        operators={name: tuple(count.get(name, 0) for count in counts) for name in names},
        parity=ParityTable(
            reference=f"{candidates[0].name} in {ENGINES[0]}",
            samples=len(samples) if isinstance(samples, Samples) else 0,
            samples_source=samples.source if isinstance(samples, Samples) else "",
            results=tuple(agreements),
        ),
        latency=latency,
    )


def find_samples(candidates: list[Candidate], data_dir: Path, report: Report) -> Samples | str:
    """Pictures that all of the models take, or why there are none."""
    sizes = [candidate.size for candidate in candidates]
    if None in sizes:
        return f"not compared: {candidates[sizes.index(None)].name} does not take grey square pictures"
    if len(set(sizes)) > 1:
        return f"not compared: they take pictures of {', '.join(map(str, sizes))} pixels, never the same ones"
    known = [candidate.card for candidate in candidates if candidate.card]
    card = known[0] if known else ModelCard("unknown", (), int(sizes[0] or 0))
    try:
        return gather_samples(card, data_dir, report, PARITY_SAMPLES)
    except KanjiError as error:  # neither dataset nor font: the rest of the comparison stands
        return f"not compared: {error.message}"


def hold_together(
    candidates: list[Candidate], samples: Samples, engines: tuple[Engine, Engine], report: Report
) -> tuple[list[Agreement], dict[str, float]]:
    """Every model in every engine against the first in ONNX Runtime, and the top-1 accuracy of each model there."""
    first, reference = candidates[0], engines[0]
    agreements: list[Agreement] = []
    top1: dict[str, float] = {}
    try:
        expected = np.concatenate(list(within_budget(first, reference, samples, report, math.inf)))
    except EngineError as refusal:
        why = f"not compared: {reference.name} does not run {first.name}: {refusal}"
        return [Agreement(c.name, engine.name, None, why) for c in candidates for engine in engines], {}
    for candidate in candidates:
        for engine in engines:
            raise_if_stopped(report)
            try:
                if candidate is first and engine is reference:
                    logits = expected
                else:
                    logits = np.concatenate(list(within_budget(candidate, engine, samples, report, BUDGET_SECONDS)))
                left, right = shared_columns(first, candidate, (expected.shape[1], logits.shape[1]))
            except (EngineError, ValueError) as why:
                agreements.append(Agreement(candidate.name, engine.name, None, str(why)))
                continue
            comparison = Comparison()
            comparison.add(expected[: len(logits), left], logits[:, right])
            parity = comparison.result(engine_version(engine.name))
            agreements.append(Agreement(candidate.name, engine.name, parity, ""))
            if engine is reference and samples.dataset is not None and candidate.card:
                codes = np.array(candidate.card.classes)[logits.argmax(axis=1)]
                top1[candidate.name] = float((codes == samples.jis[: len(logits)]).mean())
    return agreements, top1


def within_budget(
    candidate: Candidate, engine: Engine, samples: Samples, report: Report, budget: float
) -> Iterator[np.ndarray]:
    """Outputs batch by batch, until all samples are done or `budget` seconds are used up."""
    start, done = time.monotonic(), 0
    for pictures in samples.batches(BATCH):
        raise_if_stopped(report)
        report(Progress("parity", done, len(samples), "samples", f"{engine.name}, {candidate.path.name}"))
        outputs = candidate.outputs(engine, pictures)
        yield outputs
        done += len(outputs)
        if time.monotonic() - start > budget:
            return


def describe(
    candidate: Candidate, count: dict[str, int], first: dict[str, int], top1: float | None
) -> ComparedModel:
    imported = opsets(candidate.model)
    names = dict.fromkeys([*first, *count])
    change = {name: count.get(name, 0) - first.get(name, 0) for name in names}
    return ComparedModel(
        path=candidate.name,
        bytes=candidate.path.stat().st_size,
        weight_bytes=weight_bytes(candidate.model),
        opset=imported.get("ai.onnx", 0),
        opsets=imported,
        producer=f"{candidate.model.producer_name} {candidate.model.producer_version}".strip(),
        parameters=count_parameters(candidate.model),
        added={name: more for name, more in change.items() if more > 0},
        gone={name: -more for name, more in change.items() if more < 0},
        top1=top1,
    )
