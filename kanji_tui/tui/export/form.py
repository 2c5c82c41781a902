"""The forms that export a model or measure its pooling types, and the jobs they start."""

from pathlib import Path
from typing import Any

from kanji_tui.export.options import POOLING_TYPES, QUANTISATIONS
from kanji_tui.jobs import export_mapping, export_onnx, export_safetensors, export_web, pooling
from kanji_tui.networks.registry import SIZES
from kanji_tui.paths import MODELS_DIR, WEIGHTS
from kanji_tui.presentation.questions import export_question
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.form import Field, FormScreen, whole
from kanji_tui.workspace.state import State

TARGETS = {
    "tract": "ONNX, opset 12, for tract. The file is kept only if tract and ONNX Runtime run it and agree.",
    "ort-tract": "ONNX, opset 11, for candle and the crate ort-candle: without global pooling, which candle-onnx "
    "lacks. candle cannot be run from here, so the file is verified in tract and in ONNX Runtime.",
    "strict": "ONNX, opset 11, batch 1, fixed windows: for engines that support few operators.",
    "safetensors": "The weights and the model's metadata in one file.",
    "mapping": "The model's class numbers to characters, as JSON.",
    "web page": "A folder for any web server: a page that recognises what is drawn on it, in the browser. First, "
    "once, npm downloads ONNX Runtime Web. To open the page: W, or kanji-tui serve.",
    "full mapping": "All 3,036 characters of ETL9G with their stroke counts, as JSON; no model is needed.",
}
ONNX = ("tract", "ort-tract", "strict")
ENDINGS = {"safetensors": ".safetensors", "mapping": ".json", "full mapping": ".json", "web page": ""}
AS_TRAINED, FLOAT, ALL = "as trained", "float32", "all samples"
NAMED = "named after model and target"


def models_of(state: State) -> dict[str, Path]:
    """The models that can be exported, by name: the published one, then those of the runs."""
    published = state.workspace.model if state.workspace else None
    models = {"the published model": MODELS_DIR / WEIGHTS} if published else {}
    for view in state.of("train"):
        if view.best is not None and not (published and view.name == published.run):
            models[f"{view.network} {view.name}"] = view.path / WEIGHTS
    return models


def ask_pooling(screen: WorkbenchScreen, models: dict[str, Path], data_dir: Path) -> None:
    """Ask for one of `models` (name to file), and start the job that measures its pooling types."""
    help = "Exports, runs and measures a file for each pooling type; this takes a minute or more."

    def start(values: dict[str, Any] | None) -> None:
        if values is not None:
            screen.worker.start_job(screen, "pooling", pooling.Spec(models[values["model"]], data_dir))

    field = Field("model", "model", next(iter(models)), help, choices=tuple(models))
    screen.app.push_screen(FormScreen("Compare pooling types", "", (field,), "Measure"), start)


def ask_export(screen: WorkbenchScreen, models: dict[str, Path], data_dir: Path) -> None:
    """Ask for one of `models` (name to file) and the settings of the export, and start the job."""
    workspace = screen.state.workspace
    measurable = bool(workspace and workspace.dataset and not workspace.dataset.problem)

    def start(values: dict[str, Any] | None) -> None:
        if values is not None:
            job, spec = export_job(values, models, data_dir)
            file = spec.output_path
            text = export_question(file) if file is not None and file.exists() else ""
            screen.confirm_if(text, "Replace the file?", lambda: screen.worker.start_job(screen, job, spec))

    form = FormScreen(
        "Export a model", "", fields(models), "Export", lambda values: contradiction(values, measurable)
    )
    screen.app.push_screen(form, start)


def fields(models: dict[str, Path]) -> tuple[Field, ...]:
    """The fields of the form; the target decides which of them are shown."""

    def onnx(texts: dict[str, str]) -> bool:
        return texts["target"] in ONNX

    def tensors(texts: dict[str, str]) -> bool:
        return texts["target"] == "safetensors"

    poolings = {AS_TRAINED: "The pooling before the classifier that the model was trained with."} | {
        name: pooling.description for name, pooling in POOLING_TYPES.items()
    }
    precisions = _precisions()
    return (
        Field("target", "target", "tract", TARGETS, choices=tuple(TARGETS)),
        Field(
            "model",
            "model",
            next(iter(models)),
            "The published model, or the best one of a run.",
            choices=tuple(models),
            only=lambda texts: texts["target"] != "full mapping",
        ),
        Field("pooling", "pooling", AS_TRAINED, poolings, choices=tuple(poolings), only=onnx),
        Field("precision", "precision", FLOAT, precisions, choices=tuple(precisions), only=onnx),
        Field(
            "size",
            "image size",
            "",
            "In pixels. At a size other than the trained one accuracy is often poor; the export measures it.",
            whole(*SIZES, empty=True),
            placeholder=AS_TRAINED,
            only=onnx,
        ),
        Field(
            "parity",
            "verify on",
            "1,000 samples",
            "Test samples on which the engines must agree with PyTorch.",
            choices=("1,000 samples", ALL),
            only=onnx,
        ),
        Field(
            "metadata",
            "metadata",
            "with",
            "Network, classes, size, normalisation and metrics. Without them the file has weights only.",
            choices=("with", "without"),
            only=tensors,
        ),
        Field(
            "verify",
            "verify",
            "yes",
            "Read the file back and compare it bit by bit with the model.",
            choices=("yes", "no"),
            only=tensors,
        ),
        Field(
            "file",
            "file",
            "",
            "The path of the new file, or of the page's folder; tab completes folders. Empty: beside the model, or "
            "models/web.",
            placeholder=NAMED,
            path=tuple(ending for ending in (".onnx", *ENDINGS.values()) if ending),
        ),
    )


def _precisions() -> dict[str, str]:
    """Every precision of an ONNX file, and what it means."""
    found = {FLOAT: "Full precision: logits as in PyTorch, within 1e-4 of the largest."}
    for name, help in QUANTISATIONS.items():
        opset = "" if name == "fp16" else "Opset 13. "
        found[name] = f"{opset}{help[0].upper()}{help[1:]}."
    return found


def contradiction(values: dict[str, Any], measurable: bool) -> str:
    """Why the export would certainly fail; empty if it may succeed. `measurable`: there is a dataset."""
    target, file = values["target"], values["file"]
    ending = ENDINGS.get(target, ".onnx")
    if file and ending and Path(file).suffix != ending:
        return f"file: '{file}' does not end in {ending}"
    if target not in ONNX:
        return ""
    pooling = values["pooling"]
    if target != "tract" and pooling.startswith("adaptive"):
        return f"{target} has no global pooling: {pooling.replace('adaptive', 'fixed')} computes the same"
    if not measurable and values["precision"] == "int8-static":
        return "int8-static needs training images for its ranges, and there is no dataset"
    if not measurable and values["size"]:
        return "at another size the accuracy is measured, and there is no dataset"
    return ""


def export_job(values: dict[str, Any], models: dict[str, Path], data_dir: Path) -> tuple[str, Any]:
    """The job and its spec for the form's values."""
    target = values["target"]
    file = Path(values["file"]).expanduser() if values["file"] else None
    if target == "full mapping":
        return "export_mapping", export_mapping.Spec(None, file)
    model = models[values["model"]]
    if target == "web page":
        return "export_web", export_web.Spec(model, file, "npm")
    if target == "mapping":
        return "export_mapping", export_mapping.Spec(model, file)
    if target == "safetensors":
        verify, metadata = values["verify"] == "yes", values["metadata"] == "with"
        return "export_safetensors", export_safetensors.Spec(model, file, verify, metadata)
    pooling, precision = values["pooling"], values["precision"]
    return "export_onnx", export_onnx.Spec(
        model,
        data_dir,
        target,
        output_path=file,
        full_parity=values["parity"] == ALL,
        pooling_type=None if pooling == AS_TRAINED else pooling,
        quantize=None if precision == FLOAT else precision,
        image_size=values["size"],
    )
