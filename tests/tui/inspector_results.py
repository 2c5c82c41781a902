"""What a comparison, a pooling table and an export found, as their runs keep it."""

from pathlib import Path

from kanji_tui.engines.results import Parity, Timing
from kanji_tui.events import Failure, Outcome, State
from kanji_tui.export.results import Accuracy, ExportedOnnx, PoolingRow, PoolingTable
from kanji_tui.inspection.results import Agreement, Compared, ComparedModel, ParityTable
from kanji_tui.runs.process import as_json
from tests.tui.recorded import write_run

NAME = "models/kanji_model_etl9g_32x32_6classes_tract"
SOURCE = "drawn sample, test split of dataset"
UNSUPPORTED = "Translating node 'tail' (ReverseSequence): Unimplemented(ReverseSequence)"


def timing(model: str, batch: int, median: float | None, reason: str = "") -> Timing:
    spread = None if median is None else median / 10
    return Timing(model, batch, median, spread, 0 if median is None else 30, 1, reason)


def parity(difference: float) -> Parity:
    return Parity(240, difference, 1.4e-3, 14.0, 240, 1.0, difference < 1.4e-3, "1")


def compared_model(path: str, size: int, opset: int, top1: float | None) -> ComparedModel:
    return ComparedModel(path, size, size - 20_000, opset, {"ai.onnx": opset}, "pytorch", 1_127_380, {}, {}, top1)


def compared() -> Compared:
    """The plain file, a quantised one, and one that tract does not run."""
    paths = [f"{NAME}.onnx", f"{NAME}_int8_static.onnx", f"{NAME}_odd.onnx"]
    agreements = [
        Agreement(path, engine, parity(found), "")
        for engine in ("onnxruntime", "tract")
        for path, found in zip(paths[:2], (1e-5, 0.31), strict=True)
    ]
    agreements.append(Agreement(paths[2], "onnxruntime", None, "it gives 5 numbers, not 6"))
    agreements.append(Agreement(paths[2], "tract", None, UNSUPPORTED))
    medians = {
        "onnxruntime": (0.29e-3, 7.8e-3, 0.14e-3, 2.8e-3, 0.3e-3, 8e-3),
        "tract": (0.56e-3, 20e-3, 0.8e-3, 28e-3),
    }
    latency = {
        engine: tuple(timing(paths[n // 2], (1, 32)[n % 2], median) for n, median in enumerate(found))
        for engine, found in medians.items()
    }
    latency["tract"] += tuple(timing(paths[2], batch, None, UNSUPPORTED) for batch in (1, 32))
    return Compared(
        models=(
            compared_model(paths[0], 4_523_778, 12, 0.9712),
            compared_model(paths[1], 1_203_114, 13, 0.9698),
            compared_model(paths[2], 4_523_990, 17, None),
        ),
        operators={"Conv": (24, 24, 24), "QuantizeLinear": (0, 45, 0), "ReverseSequence": (0, 0, 1)},
        parity=ParityTable(f"{paths[0]} in onnxruntime", 240, SOURCE, tuple(agreements)),
        latency=latency,
    )


def pooled() -> PoolingTable:
    engines = ("onnxruntime", "tract")
    kept = PoolingRow(
        type="adaptive_avg",
        trained=True,
        bytes=4_523_778,
        operators={"Conv": 24, "GlobalAveragePool": 5},
        pooling="GlobalAveragePool whole image",
        top1=0.9712,
        max_logit_difference=1e-5,
        latency={engine: tuple(timing("", batch, 1e-3 * batch) for batch in (1, 32)) for engine in engines},
    )
    refused = PoolingRow("avg_2x2", False, "avg_2x2 needs training again")
    return PoolingTable("models/best_kanji_model.pth", "adaptive_avg", 240, SOURCE, (kept, refused))


def exported() -> ExportedOnnx:
    return ExportedOnnx(
        path=f"{NAME}_int8_static.onnx",
        mapping_path=f"{NAME}_int8_static_mapping.json",
        bytes=1_203_114,
        target="tract",
        opset=13,
        exporter="TorchScript",
        pooling="GlobalAveragePool whole image",
        pooling_nodes=(),
        pooling_type="adaptive_avg",
        quantization="int8-static",
        changed="",
        parity={"onnxruntime": parity(0.31), "tract": parity(0.31)},
        samples_source="drawn sample, tests",
        accuracy=Accuracy(0.9698, 0.9712, 240, "drawn sample, test split"),
        latency={"tract": (timing("tract", 1, 0.8e-3), timing("tract", 32, None, "its batch is fixed at 1"))},
        calibration="drawn sample, train split",
        classes=6,
        size=32,
        note="run in tract itself",
    )


def write_results(home: Path) -> None:
    """Runs of all three and of a failed export, the comparison the newest."""
    found = {"export_onnx": exported(), "pooling": pooled(), "compare": compared()}
    for number, (job, result) in enumerate(found.items(), 1):
        story = [State("running"), Outcome(as_json(result)), State("finished")]
        write_run(home, f"20260102T03100{number}-{job}-1", {}, "finished", story)
    failure = Failure("avg_2x2 needs training again", "choose one of: fixed_avg", 2)
    story = [State("running"), failure, State("failed")]
    write_run(home, "20260102T031000-export_onnx-1", {}, "failed", story)
