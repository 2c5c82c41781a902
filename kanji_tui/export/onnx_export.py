"""`export onnx`: writes a model as an ONNX file, and keeps the file only if it passes verification."""

from pathlib import Path

from kanji_tui.engines.engine import ENGINES, Engine
from kanji_tui.engines.samples import (
    PARITY_SAMPLES,
    Samples,
    gather_samples,
    training_samples,
    why_unusable,
)
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped
from kanji_tui.export.conversion import EXPORTER, INPUT, convert, finish
from kanji_tui.export.mapping import model_mapping
from kanji_tui.export.naming import export_path
from kanji_tui.export.options import QUANTISATIONS
from kanji_tui.export.quantisation import CALIBRATION_SAMPLES, quantise
from kanji_tui.export.readback import read_back
from kanji_tui.export.results import Accuracy, ExportedOnnx
from kanji_tui.export.targets import find_target
from kanji_tui.export.variants import AS_TRAINED, Variant, VariantModel, make_variant, require_measurable
from kanji_tui.export.verification import measure_accuracy, measure_latency, measure_parity, require_parity
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.recognition.weights import load_recogniser
from kanji_tui.system.files import replacing, write_json


def export_onnx(
    model_path: Path,
    data_dir: Path,
    report: Report,
    *,
    target: str = "tract",
    output_path: Path | None = None,
    full_parity: bool = False,
    variant: Variant = AS_TRAINED,
) -> ExportedOnnx:
    """Write the model for one target, read the file back and run it in ONNX Runtime and tract.

    The file is kept only if it has the properties of the target and its logits are PyTorch's, on 1,000 samples of
    the model's test split (all of them with `full_parity`). A quantised file must run in both engines, and its
    accuracy is measured. A character mapping is written beside it; `output_path` None: named after model and
    target. Raises UsageError for an unknown target and an impossible variant, KanjiError for every other failure.
    """
    model_path = Path(model_path)
    named_target = find_target(target)
    trained, trained_card = load_recogniser(model_path)
    made = make_variant(trained, trained_card, named_target, variant)
    card = made.card
    path = export_path(model_path, output_path, card.export_name(made.target.name, made.suffix), ".onnx")
    report_quantisation(variant, report)
    require_measurable(made, why_unusable(trained_card, data_dir))
    calibration = find_calibration(variant, card.size, trained_card, data_dir)
    samples = gather_samples(trained_card, data_dir, report, None if full_parity else PARITY_SAMPLES)
    if card.size != trained_card.size:
        samples = samples.resized(card.size)
    raise_if_stopped(report)
    report(Progress("writing", 0, 1, "files", path.name))
    model = convert(made.recogniser, card, made.target)
    if variant.quantize:
        quantised = quantise(model, variant.quantize, INPUT, calibration, made.target.batch)
        model = finish(quantised, card, made.target)
    exact = not variant.quantize
    with replacing(path) as beside, Engine(ENGINES[0]) as onnxruntime, Engine(ENGINES[1]) as tract:
        beside.write_bytes(model.SerializeToString())
        pooling = read_back(beside, made.target, card)
        engines = (onnxruntime, tract)
        parity = measure_parity(beside, made.recogniser, made.target, samples, exact, engines, report)
        require_parity(parity, made.target, exact, report)
        accuracy, latency = None, {}
        if made.difference or not exact:  # else parity has shown that it is the network as trained
            accuracy = measure_test_accuracy(beside, made, trained, trained_card, data_dir, onnxruntime, report)
            latency = measure_latency(beside, made.target, samples, engines, report)
    mapping = path.with_name(f"{path.stem}_mapping.json")
    write_json(mapping, model_mapping(card))
    return ExportedOnnx(
        path=str(path),
        mapping_path=str(mapping),
        bytes=path.stat().st_size,
        target=made.target.name,
        opset=made.target.opset,
        exporter=EXPORTER,
        pooling=", ".join(dict.fromkeys(f"{pool.operator} {pool.window}" for pool in pooling)),
        pooling_nodes=pooling,
        pooling_type=made.pooling_type,
        quantization=variant.quantize or "",
        changed=made.difference,
        parity=parity,
        samples_source=samples.source,
        accuracy=accuracy,
        latency=latency,
        calibration=calibration.source if calibration else "",
        classes=len(card.classes),
        size=card.size,
        note=made.target.note,
    )


def report_quantisation(variant: Variant, report: Report) -> None:
    """Report the known effects of a quantisation, before the export takes any time."""
    if variant.quantize:
        report(Notice(f"{variant.quantize}: {QUANTISATIONS[variant.quantize]}"))


def find_calibration(variant: Variant, size: int, trained_card: ModelCard, data_dir: Path) -> Samples | None:
    """Training samples, resized to `size`, for int8-static; None for the other quantisations."""
    if variant.quantize != "int8-static":
        return None
    samples = training_samples(trained_card, data_dir, CALIBRATION_SAMPLES)
    return samples if size == trained_card.size else samples.resized(size)


def measure_test_accuracy(
    path: Path,
    made: VariantModel,
    trained: Recogniser,
    trained_card: ModelCard,
    data_dir: Path,
    engine: Engine,
    report: Report,
) -> Accuracy | None:
    """The accuracy of the file on the whole test split; without a dataset None, and a notice."""
    if reason := why_unusable(trained_card, data_dir):
        report(Notice(f"accuracy not measured: {reason}; synthetic samples would say little about it"))
        return None
    everything = gather_samples(trained_card, data_dir, report, None)
    return measure_accuracy(path, made.target, trained, made.card, everything, engine, report)
