"""`compare`: compares two to four ONNX files: operators, size, outputs on the same samples, latency."""

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
from kanji_tui.inspection.compared_file import ModelFile, read_model_file, shared_columns
from kanji_tui.inspection.results import Agreement, Compared, ComparedModel, ParityTable
from kanji_tui.networks.card import ModelCard
from kanji_tui.system.intervals import Interval, wilson_interval

FEWEST, MOST = 2, 4
BATCH = 64
BUDGET_SECONDS = 20.0  # per model and engine; a slower engine is compared on fewer samples
Accuracy = tuple[float, Interval]


def compare_models(paths: tuple[Path, ...], data_dir: Path, report: Report) -> Compared:
    """Compare the files with the first of them, which is the reference.

    Raises UsageError for fewer than two files or more than four, KanjiError naming a file that cannot be read.
    """
    if not FEWEST <= len(paths) <= MOST:
        raise UsageError(f"{len(paths)} files cannot be compared", f"name {FEWEST} to {MOST} ONNX files")
    files = [read_model_file(Path(path)) for path in paths]
    samples = find_samples(files, data_dir, report)
    agreements: list[Agreement] = []
    top1: dict[str, Accuracy] = {}
    latency: dict[str, tuple[Timing, ...]] = {}
    with Engine(ENGINES[0]) as onnxruntime, Engine(ENGINES[1]) as tract:
        if isinstance(samples, Samples):
            agreements, top1 = compare_outputs(files, samples, (onnxruntime, tract), report)
        else:
            agreements = [Agreement(file.name, engine, None, samples) for file in files for engine in ENGINES]
        images = samples.first(max(BATCHES)) if isinstance(samples, Samples) else None
        for engine in (onnxruntime, tract):
            latency[engine.name] = tuple(
                timing
                for file in files
                for timing in time_model(
                    engine,
                    file.path,
                    partial(file.timing_inputs, images=images),
                    file.name,
                    report,
                )
            )
    counts = [count_operators(file.model) for file in files]
    names = dict.fromkeys(name for count in counts for name in count)
    return Compared(
        models=tuple(
            describe(file, count, counts[0], top1.get(file.name)) for file, count in zip(files, counts, strict=True)
        ),
        operators={name: tuple(count.get(name, 0) for count in counts) for name in names},
        parity=ParityTable(
            reference=f"{files[0].name} in {ENGINES[0]}",
            samples=len(samples) if isinstance(samples, Samples) else 0,
            samples_source=samples.source if isinstance(samples, Samples) else "",
            results=tuple(agreements),
        ),
        latency=latency,
    )


def find_samples(files: list[ModelFile], data_dir: Path, report: Report) -> Samples | str:
    """Samples that all models take as input, or the reason why there are none."""
    sizes = [file.size for file in files]
    if None in sizes:
        return f"not compared: the input of {files[sizes.index(None)].name} is not a square grey image"
    if len(set(sizes)) > 1:
        return f"not compared: their image sizes differ: {', '.join(map(str, sizes))} pixels"
    cards = [file.card for file in files if file.card]
    card = cards[0] if cards else ModelCard("unknown", (), int(sizes[0] or 0))
    try:
        return gather_samples(card, data_dir, report, PARITY_SAMPLES)
    except KanjiError as error:  # neither a dataset nor synthetic samples: compare the rest
        return f"not compared: {error.message}"


def compare_outputs(
    files: list[ModelFile], samples: Samples, engines: tuple[Engine, Engine], report: Report
) -> tuple[list[Agreement], dict[str, Accuracy]]:
    """Every model in every engine compared with the first in ONNX Runtime; top-1 accuracy of each model there."""
    first, reference = files[0], engines[0]
    agreements: list[Agreement] = []
    top1: dict[str, Accuracy] = {}
    try:
        expected = np.concatenate(list(within_budget(first, reference, samples, report, math.inf)))
    except EngineError as error:
        reason = f"not compared: {reference.name} does not run {first.name}: {error}"
        return [Agreement(file.name, engine.name, None, reason) for file in files for engine in engines], {}
    for file in files:
        for engine in engines:
            raise_if_stopped(report)
            try:
                if file is first and engine is reference:
                    logits = expected
                else:
                    logits = np.concatenate(list(within_budget(file, engine, samples, report, BUDGET_SECONDS)))
                left, right = shared_columns(first, file, (expected.shape[1], logits.shape[1]))
            except (EngineError, ValueError) as error:
                agreements.append(Agreement(file.name, engine.name, None, str(error)))
                continue
            comparison = Comparison()
            comparison.add(expected[: len(logits), left], logits[:, right])
            parity = comparison.result(engine_version(engine.name))
            agreements.append(Agreement(file.name, engine.name, parity, ""))
            if engine is reference and samples.dataset is not None and file.card:
                codes = np.array(file.card.classes)[logits.argmax(axis=1)]
                share = float((codes == samples.jis[: len(logits)]).mean())
                top1[file.name] = share, wilson_interval(share, len(logits))
    return agreements, top1


def within_budget(
    file: ModelFile, engine: Engine, samples: Samples, report: Report, budget: float
) -> Iterator[np.ndarray]:
    """Outputs batch by batch, until all samples are done or `budget` seconds are used up."""
    start, done = time.monotonic(), 0
    for images in samples.batches(BATCH):
        raise_if_stopped(report)
        report(Progress("parity", done, len(samples), "samples", f"{engine.name}, {file.path.name}"))
        outputs = file.outputs(engine, images)
        yield outputs
        done += len(outputs)
        if time.monotonic() - start > budget:
            return


def describe(file: ModelFile, count: dict[str, int], first: dict[str, int], top1: Accuracy | None) -> ComparedModel:
    """The row of one file; `count` and `first`: how often each operator occurs in it, and in the first file."""
    imported = opsets(file.model)
    names = dict.fromkeys([*first, *count])
    difference = {name: count.get(name, 0) - first.get(name, 0) for name in names}
    return ComparedModel(
        path=file.name,
        bytes=file.path.stat().st_size,
        weight_bytes=weight_bytes(file.model),
        opset=imported.get("ai.onnx", 0),
        opsets=imported,
        producer=f"{file.model.producer_name} {file.model.producer_version}".strip(),
        parameters=count_parameters(file.model),
        added={name: more for name, more in difference.items() if more > 0},
        gone={name: -more for name, more in difference.items() if more < 0},
        top1=top1[0] if top1 else None,
        top1_interval=top1[1] if top1 else None,
    )
