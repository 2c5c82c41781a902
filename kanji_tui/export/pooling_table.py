"""`pooling`: measures a model with each pooling type: size, operators, latency and accuracy."""

from pathlib import Path

from kanji_tui.engines.engine import ENGINES, Engine
from kanji_tui.engines.graph import count_operators
from kanji_tui.engines.samples import PARITY_SAMPLES, Samples, gather_samples
from kanji_tui.errors import UsageError
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.export.conversion import convert
from kanji_tui.export.options import POOLING_TYPES
from kanji_tui.export.readback import read_back
from kanji_tui.export.results import PoolingRow, PoolingTable
from kanji_tui.export.targets import TARGETS
from kanji_tui.export.variants import Variant, make_variant, trained_pooling
from kanji_tui.export.verification import Engines, measure_accuracy, measure_latency, measure_parity, require_parity
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.recognition.weights import load_recogniser
from kanji_tui.system.folders import temporary_folder

ACCURACY_SAMPLES = 10_000


def compare_pooling(model_path: Path, data_dir: Path, report: Report) -> PoolingTable:
    """Export the model with each pooling type for the target tract, and measure those files.

    Raises KanjiError for a model that cannot be read, and for a file that does not run in an engine.
    """
    recogniser, card = load_recogniser(Path(model_path))
    trained = trained_pooling(recogniser, card.size)
    samples = gather_samples(card, data_dir, report, ACCURACY_SAMPLES)
    rows = []
    with (
        temporary_folder() as folder,
        Engine(ENGINES[0]) as onnxruntime,
        Engine(ENGINES[1]) as tract,
    ):
        engines = (onnxruntime, tract)
        for number, kind in enumerate(POOLING_TYPES):
            raise_if_stopped(report)
            report(Progress("pooling", number, len(POOLING_TYPES), "types", kind))
            path = folder / f"{kind}.onnx"
            rows.append(measure(kind, trained, recogniser, card, samples, path, engines, report))
    return PoolingTable(str(model_path), trained, len(samples), samples.source, tuple(rows))


def measure(
    kind: str,
    trained: str,
    recogniser: Recogniser,
    card: ModelCard,
    samples: Samples,
    path: Path,
    engines: Engines,
    report: Report,
) -> PoolingRow:
    """The row of one pooling type; its file is written to `path`."""
    try:
        made = make_variant(recogniser, card, TARGETS["tract"], Variant(pooling_type=kind))
    except UsageError as error:
        return PoolingRow(kind, kind == trained, error.message)
    model = convert(made.recogniser, made.card, made.target)
    path.write_bytes(model.SerializeToString())
    pooling = read_back(path, made.target, made.card)
    parity_samples = samples.subset(PARITY_SAMPLES)
    parity = measure_parity(path, made.recogniser, made.target, parity_samples, True, engines, report)
    require_parity(parity, made.target, True, report)
    accuracy = None
    if samples.dataset is not None:
        accuracy = measure_accuracy(path, made.target, recogniser, made.card, samples, engines[0], report)
    return PoolingRow(
        type=kind,
        trained=kind == trained,
        bytes=path.stat().st_size,
        operators=count_operators(model),
        pooling=", ".join(dict.fromkeys(f"{pool.operator} {pool.window}" for pool in pooling)),
        top1=accuracy.top1 if accuracy else None,
        top1_interval=accuracy.top1_interval if accuracy else None,
        max_logit_difference=max(found.max_logit_difference for found in parity.values()),
        latency=measure_latency(path, made.target, samples, engines, report),
    )
