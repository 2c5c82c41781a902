"""Runs several files in both engines on the same inputs and compares their outputs with those of the first file."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from kanji_tui.engines.engine import ENGINES, Engine, EngineError, Outputs, engine_version
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.loading import all_nodes
from kanji_tui.engines.parity import HALF_TOLERANCE, TOLERANCE, Comparison, compare_runs
from kanji_tui.engines.results import Parity
from kanji_tui.engines.samples import Samples
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.inspection.compared_file import ModelFile, shared_columns
from kanji_tui.inspection.probing import is_random
from kanji_tui.inspection.random_inputs import RandomInputs
from kanji_tui.inspection.results import Agreement
from kanji_tui.inspection.third_opinion import same_outputs, third_opinion
from kanji_tui.system.intervals import Interval, wilson_interval

BATCH = 64
BUDGET_SECONDS = 20.0  # per model and engine; a slower engine is compared on fewer samples
RANDOM_RUNS = 8
HALF_REASON = "tolerance for weights in half precision"
Accuracy = tuple[float, Interval]  # a fraction with Wilson's 95 % interval
Engines = tuple[Engine, ...]  # the first is the reference
Plan = list[tuple[RandomInputs | None, str]]  # as `share_inputs` returns it
Found = TypeVar("Found", np.ndarray, list[Outputs])
ByFile = dict[tuple[str, str], Found | str]  # outputs or a reason, by the names of file and engine


def compare_on_images(
    files: list[ModelFile], samples: Samples, engines: Engines, report: Report
) -> tuple[list[Agreement], dict[str, Accuracy]]:
    """The first outputs on samples compared with the first file's in ONNX Runtime; each file's top-1 accuracy.

    Only files that take images of the same size are compared.
    """
    first, reference = files[0], engines[0]

    def run(file: ModelFile, engine: Engine) -> np.ndarray:
        if file.size != first.size:
            size = "not a square grey image" if file.size is None else f"an image of {file.size}x{file.size}"
            raise ValueError(f"its input is {size}, that of the first file one of {first.size}x{first.size}")
        budget = math.inf if file is first and engine is reference else BUDGET_SECONDS
        return image_outputs(file, engine, samples, report, budget)

    def compare(file: ModelFile, expected: np.ndarray, logits: np.ndarray, version: str) -> Parity:
        left, right = shared_columns(first, file, (expected.shape[1], logits.shape[1]))
        comparison = Comparison(tolerance(first, file))
        comparison.add(expected[: len(logits), left], logits[:, right])
        return comparison.result(version)

    def opinion(file: ModelFile, own: np.ndarray, logits: np.ndarray) -> str:
        worst = np.abs(own[: len(logits)] - logits).max(axis=1).argmax()  # a NaN counts as the largest
        one = replace(samples, indices=samples.indices[[worst]], jis=samples.jis[[worst]])
        return disputed(file, engines, *file.feed(one.first(file.batch or 1)))

    found = run_each(files, engines, run, report)
    top1 = {}
    for file in files:
        logits = found.get((file.name, reference.name), "")
        if not isinstance(logits, str) and samples.dataset is not None and file.card:
            codes = np.array(file.card.classes)[logits.argmax(axis=1)]
            share = float((codes == samples.jis[: len(logits)]).mean())
            top1[file.name] = share, wilson_interval(share, len(logits))
    return compare_each(files, engines, found, compare, opinion), top1


def tolerance(first: ModelFile, file: ModelFile) -> float:
    """The share of the largest output by which the outputs of `file` may differ from those of the first file.

    Two files of one model differ by their rounding where one stores its weights in half precision, and more if
    BatchNorm was merged into them before.
    """
    return HALF_TOLERANCE if file is not first and (first.half or file.half) else TOLERANCE


def image_outputs(file: ModelFile, engine: Engine, samples: Samples, report: Report, budget: float) -> np.ndarray:
    """The outputs for all samples, or for as many as `budget` seconds are enough for. Raises EngineError."""
    start = time.monotonic()
    rows: list[np.ndarray] = []
    for number, images in enumerate(samples.batches(BATCH)):
        raise_if_stopped(report)
        report(Progress("parity", BATCH * number, len(samples), "samples", f"{engine.name}, {file.path.name}"))
        rows.append(file.outputs(engine, images))
        if time.monotonic() - start > budget:
            break
    return np.concatenate(rows)


def compare_on_random_inputs(
    files: list[ModelFile], plan: Plan, engines: Engines, report: Report
) -> list[Agreement]:
    """All outputs of some runs compared with those of the first file in ONNX Runtime.

    Only files with the interface of the first one are compared.
    """
    plans = {file.name: planned for file, planned in zip(files, plan, strict=True)}

    def run(file: ModelFile, engine: Engine) -> list[Outputs]:
        inputs, reason = plans[file.name]
        if inputs is None or reason:
            raise ValueError(reason)
        if any(is_random(node) for node in all_nodes(file.model.graph)):
            raise ValueError("its outputs are random")
        start = time.monotonic()
        found: list[Outputs] = []
        wanted = runs_on(inputs)
        while not found or (len(found) < wanted and time.monotonic() - start < BUDGET_SECONDS):
            raise_if_stopped(report)
            report(Progress("parity", len(found), wanted, "runs", f"{engine.name}, {file.path.name}"))
            found.append(engine.run(file.path, *inputs.make(seed=len(found))))
        return found

    def compare(file: ModelFile, expected: list[Outputs], found: list[Outputs], version: str) -> Parity:
        runs = min(len(expected), len(found))
        return compare_runs(expected[:runs], found[:runs], version, tolerance(files[0], file))

    def opinion(file: ModelFile, own: list[Outputs], found: list[Outputs]) -> str:
        inputs, _ = plans[file.name]
        assert inputs is not None, "it ran"
        opinions = (disputed(file, engines, *inputs.make(seed=seed)) for seed in range(min(len(own), len(found))))
        return next(filter(None, opinions), "")

    return compare_each(files, engines, run_each(files, engines, run, report), compare, opinion)


def runs_on(inputs: RandomInputs) -> int:
    """How many runs say something new: those on given arrays are all alike."""
    return 1 if inputs.always_the_same else RANDOM_RUNS


def run_each(
    files: list[ModelFile], engines: Engines, run: Callable[[ModelFile, Engine], Found], report: Report
) -> ByFile[Found]:
    """The outputs of each file in each engine; only those of the first file in the first engine if these fail."""
    found: ByFile[Found] = {}
    for file in files:
        for engine in engines:
            raise_if_stopped(report)
            try:
                found[file.name, engine.name] = run(file, engine)
            except (EngineError, ValueError) as error:
                if not found:
                    refused = isinstance(error, EngineError)
                    what = f"{engine.name} does not run {file.name}" if refused else f"{file.name} was not run"
                    return {(file.name, engine.name): f"{what}: {error}"}
                found[file.name, engine.name] = str(error)
    return found


def compare_each(
    files: list[ModelFile],
    engines: Engines,
    found: ByFile[Found],
    compare: Callable[[ModelFile, Found, Found, str], Parity],
    opinion: Callable[[ModelFile, Found, Found], str],
) -> list[Agreement]:
    """The agreement of each file in each engine with the first file in the first engine, or why there is none."""
    reference = engines[0].name
    expected = found[files[0].name, reference]
    if isinstance(expected, str):
        return not_compared(files, engines, expected)
    agreements = []
    for file in files:
        for engine in engines:
            outputs, own = found[file.name, engine.name], found[file.name, reference]
            parity, reason = None, ""
            try:
                if isinstance(outputs, str):
                    raise ValueError(outputs)
                parity = compare(file, expected, outputs, engine_version(engine.name))
                if engine.name == ENGINES[1] and not isinstance(own, str):
                    reason = opinion(file, own, outputs)
            except ValueError as error:
                reason = str(error)
            if parity and tolerance(files[0], file) == HALF_TOLERANCE:
                reason = "; ".join(filter(None, (HALF_REASON, reason)))
            agreements.append(Agreement(file.name, engine.name, parity, reason))
    return agreements


def disputed(file: ModelFile, engines: Engines, inputs: Arrays, symbols: dict[str, int]) -> str:
    """The third opinion about one input if the engines disagree, "" if they agree."""
    try:
        first, second = (engine.run(file.path, inputs, symbols) for engine in engines[:2])
    except EngineError:  # it ran before, but this once took too long
        return ""
    if same_outputs(first, second):
        return ""
    names = [engine.name for engine in engines[:2]]
    return third_opinion(file.path, inputs, symbols, dict(zip(names, (first, second), strict=True)))


def not_compared(files: list[ModelFile], engines: Engines, reason: str) -> list[Agreement]:
    """No agreement for any file, all for one reason."""
    reason = f"not compared: {reason}"
    return [Agreement(file.name, engine.name, None, reason) for file in files for engine in engines]
