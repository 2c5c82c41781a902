"""`export onnx`: a model as an ONNX file that both engines have run on real samples, or no file at all."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped
from kanji_tui.export.conversion import BATCH, INPUT, convert
from kanji_tui.export.mapping import model_mapping
from kanji_tui.export.naming import export_name, export_path
from kanji_tui.export.readback import read_back
from kanji_tui.export.samples import Samples, gather_samples
from kanji_tui.export.targets import Target, find_target
from kanji_tui.inspection.engines import ENGINES, Engine, EngineRefused, engine_version
from kanji_tui.inspection.graph import Pooling
from kanji_tui.inspection.parity import Comparison, Parity
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.recognition.models import load_recogniser
from kanji_tui.system.files import replacing, write_json

BATCH_SIZE = 64


@dataclass(frozen=True)
class ExportedOnnx:
    """What `export onnx --json` prints. `parity` is by engine; `note` says what the target could be tested in."""

    path: str
    mapping_path: str
    bytes: int
    target: str
    opset: int
    exporter: str
    exporter_reason: str
    pooling: str
    pooling_nodes: tuple[Pooling, ...]
    parity: dict[str, Parity]
    samples_source: str
    classes: int
    size: int
    note: str


def export_onnx(
    model_path: Path,
    data_dir: Path,
    target_backend: str,
    output_path: Path | None,
    full_parity: bool,
    report: Report,
) -> ExportedOnnx:
    """Write the model for one target, read the file back and run it in ONNX Runtime and tract.

    The file takes its name only when it keeps what the target promises and gives the logits that PyTorch gives, on
    1,000 samples of the model's test split (all of them with `full_parity`). A character mapping goes beside it.
    Raises UsageError for an unknown target, KanjiError for whatever fails.
    """
    target = find_target(target_backend)
    model_path = Path(model_path)
    recogniser, card = load_recogniser(model_path)
    path = export_path(model_path, output_path, export_name(card, target.name), ".onnx")
    samples = gather_samples(card, data_dir, full_parity, report)
    raise_if_stopped(report)
    report(Progress("writing", 0, 1, "files", path.name))
    model, exporter, reason = convert(recogniser, card, target)
    with replacing(path) as beside:
        beside.write_bytes(model.SerializeToString())
        pooling = read_back(beside, target, card)
        parity = measure_parity(beside, recogniser, target, samples, report)
        require_parity(parity, target, report)
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
        parity=parity,
        samples_source=samples.source,
        classes=len(card.classes),
        size=card.size,
        note=target.note,
    )


def measure_parity(
    path: Path, recogniser: Recogniser, target: Target, samples: Samples, report: Report
) -> dict[str, Parity]:
    """Hold both engines' logits against PyTorch's float32 ones; KanjiError where an engine refuses the file."""
    comparisons = {name: Comparison() for name in ENGINES}
    done = 0
    with Engine(ENGINES[0]) as first, Engine(ENGINES[1]) as second:
        for pictures in samples.batches(BATCH_SIZE):
            raise_if_stopped(report)
            with torch.inference_mode():
                reference = recogniser(torch.from_numpy(pictures)).numpy()
            for engine in (first, second):
                comparisons[engine.name].add(reference, run_logits(engine, path, target, pictures))
            done += len(pictures)
            report(Progress("parity", done, len(samples), "samples", target.name))
    return {name: comparison.result(engine_version(name)) for name, comparison in comparisons.items()}


def run_logits(engine: Engine, path: Path, target: Target, pictures: np.ndarray) -> np.ndarray:
    """The logits of float32 (N, 1, S, S) pictures, in pieces of the target's batch where that is fixed."""
    size = target.batch or len(pictures)
    logits = []
    for start in range(0, len(pictures), size):
        piece = pictures[start : start + size]
        symbols = {BATCH: len(piece)} if target.batch is None else {}
        try:
            output = engine.run(path, {INPUT: piece}, symbols)[0]
        except EngineRefused as refusal:
            raise KanjiError(
                f"{engine.name} {engine_version(engine.name)} does not run the {target.name} file, so it was not "
                f"kept: {refusal}",
                "choose another target with --target-backend",
            ) from None
        assert output is not None, "logits are a tensor: the interface was checked"
        logits.append(output)
    return np.concatenate(logits)


def require_parity(parity: dict[str, Parity], target: Target, report: Report) -> None:
    """KanjiError naming the engine whose logits are not PyTorch's; a notice where agreement means little."""
    first = parity[ENGINES[0]]
    if first.decided < first.samples / 2:
        report(
            Notice(
                f"only {first.decided} of {first.samples} samples have a clear first choice: has this model been "
                "trained? Agreement on logits that are all alike says little"
            )
        )
    for engine, measured in parity.items():
        if not measured.passed:
            raise KanjiError(
                f"the {target.name} file does not say in {engine} what the network says in PyTorch, so it was not "
                f"kept: logits differ by up to {measured.max_logit_difference:.3g} (allowed "
                f"{measured.tolerance:.3g}), the first choice agrees on {measured.top1_agreement:.2%} of "
                f"{measured.decided} samples",
                "choose another target with --target-backend, and report this model",
            )
