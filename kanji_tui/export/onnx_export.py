"""`export onnx`: a model as an ONNX file that both engines have run on real samples, or no file at all."""

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
from kanji_tui.export.conversion import INPUT, convert, finish
from kanji_tui.export.mapping import model_mapping
from kanji_tui.export.naming import export_path
from kanji_tui.export.options import QUANTISATIONS
from kanji_tui.export.quantisation import CALIBRATION_SAMPLES, quantise
from kanji_tui.export.readback import read_back
from kanji_tui.export.results import Accuracy, ExportedOnnx
from kanji_tui.export.targets import find_target
from kanji_tui.export.variants import Changed, Changes, change, require_measured
from kanji_tui.export.verification import measure_accuracy, measure_latency, measure_parity, require_parity
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.recognition.models import load_recogniser
from kanji_tui.system.files import replacing, write_json

UNCHANGED = Changes()


def export_onnx(
    model_path: Path,
    data_dir: Path,
    target_backend: str,
    output_path: Path | None,
    full_parity: bool,
    report: Report,
    changes: Changes = UNCHANGED,
) -> ExportedOnnx:
    """Write the model for one target, read the file back and run it in ONNX Runtime and tract.

    The file takes its name only when it keeps what the target promises and gives the logits that PyTorch gives, on
    1,000 samples of the model's test split (all of them with `full_parity`). A quantised file must run in both
    engines, and its accuracy is measured. A character mapping goes beside it. Raises UsageError for an unknown
    target and for changes that cannot be, KanjiError for whatever fails.
    """
    model_path = Path(model_path)
    target = find_target(target_backend)
    trained, before = load_recogniser(model_path)
    changed = change(trained, before, target, changes)
    card, target = changed.card, changed.target
    path = export_path(model_path, output_path, card.export_name(target.name, changed.suffix), ".onnx")
    forewarn(changes, report)
    require_measured(changed, why_unusable(before, data_dir))
    calibration = find_calibration(changes, changed, before, data_dir)
    samples = gather_samples(before, data_dir, report, None if full_parity else PARITY_SAMPLES)
    raise_if_stopped(report)
    report(Progress("writing", 0, 1, "files", path.name))
    model, exporter, reason = convert(changed.recogniser, card, target)
    if changes.quantize:
        model = finish(quantise(model, changes.quantize, INPUT, calibration, target.batch), card, target)
    given = samples if card.size == before.size else samples.resized(card.size)
    exact = not changes.quantize
    with replacing(path) as beside, Engine(ENGINES[0]) as onnxruntime, Engine(ENGINES[1]) as tract:
        beside.write_bytes(model.SerializeToString())
        pooling = read_back(beside, target, card)
        engines = (onnxruntime, tract)
        parity = measure_parity(beside, changed.recogniser, target, given, exact, engines, report)
        require_parity(parity, target, exact, report)
        accuracy, latency = None, {}
        if changed.what or not exact:  # else parity has shown that it is the network as trained
            accuracy = accuracy_of(beside, changed, trained, before, data_dir, onnxruntime, report)
            latency = measure_latency(beside, target, given, engines, report)
    mapping = path.with_name(f"{path.stem}_mapping.json")
    write_json(mapping, model_mapping(card))
    return ExportedOnnx(
        path=str(path),
        mapping_path=str(mapping),
        bytes=path.stat().st_size,
        target=target.name,
        opset=target.opset,
        exporter=exporter,
        exporter_reason=reason,
        pooling=", ".join(dict.fromkeys(f"{pool.operator} {pool.window}" for pool in pooling)),
        pooling_nodes=pooling,
        pooling_type=changed.pooling_type,
        quantization=changes.quantize or "",
        changed=changed.what,
        parity=parity,
        samples_source=given.source,
        accuracy=accuracy,
        latency=latency,
        calibration=calibration.source if calibration else "",
        classes=len(card.classes),
        size=card.size,
        note=target.note,
    )


def forewarn(changes: Changes, report: Report) -> None:
    """Say what is known of a quantisation before any time is spent on it."""
    if changes.quantize:
        report(Notice(f"{changes.quantize}: {QUANTISATIONS[changes.quantize]}"))


def find_calibration(changes: Changes, changed: Changed, before: ModelCard, data_dir: Path) -> Samples | None:
    """Real training pictures at the model's size, for the kind that needs them."""
    if changes.quantize != "int8-static":
        return None
    pictures = training_samples(before, data_dir, CALIBRATION_SAMPLES)
    return pictures if changed.card.size == before.size else pictures.resized(changed.card.size)


def accuracy_of(
    path: Path,
    changed: Changed,
    trained: Recogniser,
    before: ModelCard,
    data_dir: Path,
    engine: Engine,
    report: Report,
) -> Accuracy | None:
    """The accuracy on the whole test split; None, and a notice, without a dataset."""
    if why := why_unusable(before, data_dir):
        report(Notice(f"its accuracy was not measured: {why}, and drawn samples are no test split"))
        return None
    everything = gather_samples(before, data_dir, report, None)
    return measure_accuracy(path, changed.target, trained, changed.card, everything, engine, report)
