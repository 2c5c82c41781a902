"""What a comparison, a pooling table and two exports found, as their runs keep it."""

from pathlib import Path

from kanji_tui.events import Failure, Outcome, State
from tests.tui.recorded import write_run

NAME = "models/kanji_model_etl9g_32x32_6classes_tract"


def timing(model: str, batch: int, median: float | None, reason: str = "") -> dict:
    spread = None if median is None else median / 10
    runs = 0 if median is None else 30
    return {
        "model": model, "batch": batch, "median": median, "spread": spread, "runs": runs, "threads": 1,
        "reason": reason,
    }  # fmt: skip


def parity(difference: float) -> dict:
    return {
        "samples": 240, "max_logit_difference": difference, "tolerance": 1.4e-3, "largest_logit": 14.0,
        "decided": 240, "top1_agreement": 1.0, "passed": difference < 1.4e-3, "version": "1",
    }  # fmt: skip


def compared() -> dict:
    """The plain file, a quantised one, and one that tract does not run."""
    paths = [f"{NAME}.onnx", f"{NAME}_int8_static.onnx", f"{NAME}_odd.onnx"]
    sizes, opsets, top1 = (4_523_778, 1_203_114, 4_523_990), (12, 13, 17), (0.9712, 0.9698, None)
    refused = "Translating node 'tail' (ReverseSequence): Unimplemented(ReverseSequence)"
    models = [
        {"path": path, "bytes": size, "opset": opset, "producer": "pytorch", "parameters": 1_127_380, "top1": right}
        for path, size, opset, right in zip(paths, sizes, opsets, top1, strict=True)
    ]
    results = [
        {"model": path, "backend": engine, "parity": parity(found), "reason": ""}
        for engine in ("onnxruntime", "tract")
        for path, found in zip(paths[:2], (1e-5, 0.31), strict=True)
    ]
    results += [
        {"model": paths[2], "backend": "onnxruntime", "parity": None, "reason": "it gives 5 numbers, not 6"},
        {"model": paths[2], "backend": "tract", "parity": None, "reason": refused},
    ]
    medians = {
        "onnxruntime": (0.29e-3, 7.8e-3, 0.14e-3, 2.8e-3, 0.3e-3, 8e-3),
        "tract": (0.56e-3, 20e-3, 0.8e-3, 28e-3),
    }
    latency = {
        engine: [timing(paths[n // 2], (1, 32)[n % 2], median) for n, median in enumerate(found)]
        for engine, found in medians.items()
    }
    latency["tract"] += [timing(paths[2], batch, None, refused) for batch in (1, 32)]
    return {
        "models": models,
        "operators": {"Conv": [24, 24, 24], "QuantizeLinear": [0, 45, 0], "ReverseSequence": [0, 0, 1]},
        "parity": {
            "reference": f"{paths[0]} in onnxruntime", "samples": 240,
            "samples_source": "drawn sample, test split of dataset", "results": results,
        },
        "latency": latency,
    }  # fmt: skip


def pooled() -> dict:
    kept = {
        "type": "adaptive_avg", "trained": True, "refused": "", "bytes": 4_523_778,
        "operators": {"Conv": 24, "GlobalAveragePool": 5}, "pooling": "GlobalAveragePool whole picture",
        "top1": 0.9712, "max_logit_difference": 1e-5,
        "latency": {engine: [timing("", batch, 1e-3 * batch) for batch in (1, 32)] for engine in ("ort", "tract")},
    }  # fmt: skip
    refused = {"type": "avg_2x2", "trained": False, "refused": "avg_2x2 needs training again", "latency": None}
    return {"samples": 240, "samples_source": "drawn sample, test split of dataset", "poolings": [kept, refused]}


def exported() -> dict:
    return {
        "path": f"{NAME}_int8_static.onnx", "mapping_path": f"{NAME}_int8_static_mapping.json", "bytes": 1_203_114,
        "target": "tract", "opset": 13, "exporter": "TorchScript", "exporter_reason": "it writes old opsets",
        "pooling": "GlobalAveragePool whole picture", "quantization": "int8-static", "changed": "",
        "parity": {"onnxruntime": parity(0.31), "tract": parity(0.31)}, "samples_source": "drawn sample, tests",
        "accuracy": {"top1": 0.9698, "before": 0.9712, "samples": 240, "source": "drawn sample, test split"},
        "latency": {"tract": [timing("tract", 1, 0.8e-3), timing("tract", 32, None, "its batch is fixed at 1")]},
        "calibration": "drawn sample, train split", "note": "run in tract itself",
    }  # fmt: skip


def write_results(home: Path) -> None:
    """Runs of all four, the comparison the newest."""
    found = {"export_onnx": exported(), "pooling": pooled(), "compare": compared()}
    for number, (job, result) in enumerate(found.items(), 1):
        story = [State("running"), Outcome(result), State("finished")]
        write_run(home, f"20260102T03100{number}-{job}-1", {}, "finished", story)
    failed = [
        State("running"),
        Failure("avg_2x2 needs training again", "choose one of: fixed_avg", 2),
        State("failed"),
    ]
    write_run(home, "20260102T031000-export_onnx-1", {}, "failed", failed)
