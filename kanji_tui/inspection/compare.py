"""`compare`: compares two to four ONNX files: operators, size, outputs on the same inputs, latency."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from kanji_tui.engines.engine import ENGINES, Engine
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.graph import count_operators, opsets
from kanji_tui.engines.latency import BATCHES, Feed, time_model
from kanji_tui.engines.results import Timing
from kanji_tui.engines.samples import PARITY_SAMPLES, Samples, gather_samples
from kanji_tui.engines.web_assembly import WebEngine, can_run
from kanji_tui.engines.weights import count_parameters, weight_bytes
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Report
from kanji_tui.inspection.agreement import (
    Accuracy,
    Engines,
    Plan,
    compare_on_images,
    compare_on_random_inputs,
    not_compared,
    runs_on,
)
from kanji_tui.inspection.compared_file import ModelFile, read_model_file
from kanji_tui.inspection.failures import answer_or_failure
from kanji_tui.inspection.given_inputs import GivenInputs, InputShape, read_given
from kanji_tui.inspection.made_up_inputs import check_given
from kanji_tui.inspection.random_inputs import RandomInputs, fitted, share_inputs
from kanji_tui.inspection.results import Compared, ComparedModel, FailedModel, ParityTable
from kanji_tui.networks.card import ModelCard
from kanji_tui.system import numbers

FEWEST, MOST = 2, 4


def compare_models(
    paths: tuple[Path, ...],
    data_dir: Path,
    report: Report,
    shapes: tuple[InputShape, ...] = (),
    arrays: Path | None = None,
) -> Compared:
    """Compare the files with the first of them that can be read, which is the reference.

    On the inputs in the .npz file `arrays` and random ones of `shapes`, by the names of the reference; without
    either on samples if it takes square grey images, else on random inputs. A file that cannot be read gets an
    error as its entry. Raises UsageError for fewer than two files or more than four, and as `read_given`.
    """
    if not FEWEST <= len(paths) <= MOST:
        raise UsageError(f"{len(paths)} files cannot be compared", f"name {FEWEST} to {MOST} ONNX files")
    given = read_given(shapes, arrays)
    files: list[ModelFile] = []
    models: list[ComparedModel | FailedModel] = []
    for path in map(Path, paths):
        found = answer_or_failure(path, partial(read_and_describe, path, files[0] if files else None, given))
        if isinstance(found, FailedModel):
            models.append(found)
        else:
            files.append(found[0])
            models.append(found[1])
    if not files:
        return Compared(tuple(models), {}, ParityTable("", 0, "", ()), {})
    samples = None if files[0].size is None or given.names else find_samples(files, data_dir, report)
    with Engine(ENGINES[0]) as onnxruntime, Engine(ENGINES[1]) as tract:
        engines = (onnxruntime, tract, *([WebEngine()] if can_run() else []))
        plan = plan_inputs(files, onnxruntime, given)
        parity, top1 = compare_outputs(files, samples, plan, engines, report)
        images = samples if isinstance(samples, Samples) else None
        latency = measure_latency(files, images, plan, engines, report)
    counts = [count_operators(file.model) for file in files]
    names = dict.fromkeys(name for count in counts for name in count)
    return Compared(
        models=tuple(with_accuracy(model, top1) for model in models),
        operators={name: tuple(count.get(name, 0) for count in counts) for name in names},
        parity=parity,
        latency=latency,
    )


def with_accuracy(model: ComparedModel | FailedModel, top1: dict[str, Accuracy]) -> ComparedModel | FailedModel:
    """The row of a file with its accuracy, if that was measured."""
    if isinstance(model, FailedModel) or model.path not in top1:
        return model
    accuracy, interval = top1[model.path]
    return replace(model, top1=accuracy, top1_interval=interval)


def find_samples(files: list[ModelFile], data_dir: Path, report: Report) -> Samples | str:
    """Samples of the size of the images that the first file takes, or the reason why there are none."""
    size = files[0].size or 0
    cards = (file.card for file in files if file.card and file.size == size)
    try:
        return gather_samples(next(cards, ModelCard("unknown", (), size)), data_dir, report, PARITY_SAMPLES)
    except KanjiError as error:  # neither a dataset nor synthetic samples: compare the rest
        return error.message


def plan_inputs(files: list[ModelFile], engine: Engine, given: GivenInputs) -> Plan:
    """The random inputs of each file, with sizes with which `engine` runs it; see `share_inputs`."""
    plan: Plan = []
    first: RandomInputs | None = None
    shared = share_inputs([file.model for file in files], given)
    for file, (inputs, reason) in zip(files, shared, strict=True):
        if inputs is not None and (reason or first is None):
            inputs, unfit = fitted(inputs, file.model, file.path, engine)
            reason, first = reason or unfit, first if reason else inputs
        elif inputs is not None and first is not None:
            inputs = replace(inputs, sizes=first.sizes, integer=first.integer)
        plan.append((inputs, reason))
    return plan


def compare_outputs(
    files: list[ModelFile], samples: Samples | str | None, plan: Plan, engines: Engines, report: Report
) -> tuple[ParityTable, dict[str, Accuracy]]:
    """The parity of all files, on samples or random inputs, and the top-1 accuracy of files that have one."""
    top1: dict[str, Accuracy] = {}
    count, source = 0, ""
    if isinstance(samples, Samples):
        count, source = len(samples), samples.source
        agreements, top1 = compare_on_images(files, samples, engines, report)
    elif samples is not None:
        agreements = not_compared(files, engines, samples)
    else:
        agreements = compare_on_random_inputs(files, plan, engines, report)
        inputs = plan[0][0]
        if inputs is not None:
            shapes = {name: array.shape for name, array in inputs.make()[0].items()}
            count = runs_on(inputs)
            source = f"{'given' if inputs.given.names else 'random'} inputs of {numbers.shapes(shapes)}"
    reference = f"{files[0].name} in {ENGINES[0]}"
    return ParityTable(reference, count, source, tuple(agreements)), top1


def measure_latency(
    files: list[ModelFile], samples: Samples | None, plan: Plan, engines: Engines, report: Report
) -> dict[str, tuple[Timing, ...]]:
    """Timings of each file by engine, at batch 1 and 32, on samples or random inputs."""
    images = samples.first(max(BATCHES)) if samples is not None else None

    def feed(file: ModelFile, number: int) -> Feed:
        inputs, reason = plan[number]

        def make(batch: int) -> tuple[Arrays, dict[str, int]]:
            if images is not None and file.size == images.shape[-1]:
                return file.timing_inputs(batch, images)
            if inputs is None:
                raise ValueError(reason)
            return inputs.make(batch)

        return make

    return {
        engine.name: tuple(
            timing
            for number, file in enumerate(files)
            for timing in time_model(engine, file.path, feed(file, number), file.name, report)
        )
        for engine in engines
    }


def read_and_describe(path: Path, first: ModelFile | None, given: GivenInputs) -> tuple[ModelFile, ComparedModel]:
    """A file and its row, without an accuracy; `first`: the reference, None if it is this one.

    Raises KanjiError if the file cannot be read, and if it is the reference and the given inputs are not its own.
    """
    file = read_model_file(path)
    if first is None:
        check_given(file.model, given)
    count, imported = count_operators(file.model), opsets(file.model)
    reference = count_operators(first.model) if first else count
    difference = {name: count.get(name, 0) - reference.get(name, 0) for name in {**reference, **count}}
    return file, ComparedModel(
        path=file.name,
        bytes=path.stat().st_size,
        weight_bytes=weight_bytes(file.model),
        opset=imported.get("ai.onnx", 0),
        opsets=imported,
        producer=f"{file.model.producer_name} {file.model.producer_version}".strip(),
        parameters=count_parameters(file.model),
        added={name: more for name, more in difference.items() if more > 0},
        gone={name: -more for name, more in difference.items() if more < 0},
        top1=None,
    )
