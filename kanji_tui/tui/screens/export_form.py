"""The form that turns a model into a file for an engine, and the job it starts."""

from pathlib import Path
from typing import Any

from kanji_tui.jobs import export_mapping, export_onnx, export_safetensors
from kanji_tui.tui.screens.base import WorkbenchScreen
from kanji_tui.tui.screens.form import Field, FormScreen

TARGETS = {
    "tract": "ONNX, opset 12, for tract. It gets its name only after it ran in tract and ONNX Runtime and agreed.",
    "ort-tract": "ONNX, opset 11, without global pooling nodes, for the Rust crate ort-tract.",
    "strict": "ONNX, opset 11, batch 1, fixed windows: for engines that take little.",
    "safetensors": "The weights and the model's card in one file, read back and compared bit for bit.",
    "mapping": "Class numbers to characters, as JSON.",
}


def ask_export(screen: WorkbenchScreen, models: dict[str, Path], data_dir: Path) -> None:
    """Ask which of `models` (name to file) to export and what for, and start the job."""
    fields = (
        Field("target", "for", "tract", TARGETS, choices=tuple(TARGETS)),
        Field(
            "model", "model", next(iter(models)), "The model whose weights go into the file.", choices=tuple(models)
        ),
        Field(
            "parity",
            "compare on",
            "1,000 samples",
            "Samples of the test split on which the engines must agree with PyTorch.",
            choices=("1,000 samples", "all samples"),
        ),
    )

    def start(values: dict[str, Any] | None) -> None:
        if values is not None:
            job, spec = export_job(
                values["target"], models[values["model"]], data_dir, values["parity"] == "all samples"
            )
            screen.worker.start_job(screen, job, spec)

    screen.app.push_screen(FormScreen("Export a model", "", fields, "Export"), start)


def export_job(target: str, model: Path, data_dir: Path, full_parity: bool) -> tuple[str, Any]:
    """The job and its spec for one of TARGETS."""
    if target == "safetensors":
        return "export_safetensors", export_safetensors.Spec(model, verify=True)
    if target == "mapping":
        return "export_mapping", export_mapping.Spec(model)
    return "export_onnx", export_onnx.Spec(model, data_dir, target, full_parity=full_parity)
