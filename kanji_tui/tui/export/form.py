"""The forms that turn a model into files for engines, and the jobs they start."""

from pathlib import Path
from typing import Any

from kanji_tui.export.options import POOLING_TYPES, QUANTISATIONS
from kanji_tui.jobs import export_mapping, export_onnx, export_safetensors, pooling
from kanji_tui.networks.registry import SIZES
from kanji_tui.paths import MODELS_DIR, WEIGHTS
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.form import Field, FormScreen, whole
from kanji_tui.workspace.state import State

TARGETS = {
    "tract": "ONNX, opset 12, for tract. It is kept only if tract and ONNX Runtime run it and agree.",
    "ort-tract": "ONNX, opset 11, without global pooling nodes, which candle rejects: for candle and the crates "
    "ort-candle and ort-tract. They cannot be run from here: the file is run in tract and in ONNX Runtime.",
    "strict": "ONNX, opset 11, batch 1, fixed windows: for engines that support little.",
    "safetensors": "The weights and the model's metadata in one file.",
    "mapping": "The model's class numbers to characters, as JSON.",
    "full mapping": "All 3,036 characters of ETL9G with their stroke counts, as JSON; no model is needed.",
}
ONNX = ("tract", "ort-tract", "strict")
ENDINGS = {"safetensors": ".safetensors", "mapping": ".json", "full mapping": ".json"}
AS_TRAINED, FLOAT, ALL = "as trained", "float32", "all samples"
NAMED = "named after model and target"


def models_of(state: State) -> dict[str, Path]:
    """The models there are to export, by what to call them: the published one, then the runs' own."""
    published = state.place.model if state.place else None
    models = {"the published model": MODELS_DIR / WEIGHTS} if published else {}
    for view in state.of("train"):
        if view.best is not None and not (published and view.name == published.run):
            models[f"{view.network} {view.name}"] = view.path / WEIGHTS
    return models


def ask_pooling(screen: WorkbenchScreen, models: dict[str, Path], data_dir: Path) -> None:
    """Ask for which of `models` to measure the pooling types, and start the job."""
    help = "Each pooling type becomes a file, which is run and measured; this takes a minute or more."

    def start(values: dict[str, Any] | None) -> None:
        if values is not None:
            screen.worker.start_job(screen, "pooling", pooling.Spec(models[values["model"]], data_dir))

    field = Field("model", "model", next(iter(models)), help, choices=tuple(models))
    screen.app.push_screen(FormScreen("Compare pooling types", "", (field,), "Measure"), start)


def ask_export(screen: WorkbenchScreen, models: dict[str, Path], data_dir: Path) -> None:
    """Ask which of `models` (name to file) to export, for what and how, and start the job."""
    place = screen.state.place
    measurable = bool(place and place.dataset and not place.dataset.problem)

    def start(values: dict[str, Any] | None) -> None:
        if values is not None:
            job, spec = export_job(values, models, data_dir)
            screen.worker.start_job(screen, job, spec)

    form = FormScreen(
        "Export a model", "", fields(models), "Export", lambda values: contradiction(values, measurable)
    )
    screen.app.push_screen(form, start)


def fields(models: dict[str, Path]) -> tuple[Field, ...]:
    """The lines of the form; which of them are there depends on what the file is for."""

    def onnx(texts: dict[str, str]) -> bool:
        return texts["target"] in ONNX

    def tensors(texts: dict[str, str]) -> bool:
        return texts["target"] == "safetensors"

    poolings = {AS_TRAINED: "How the network pools before its classifier: as it was trained."} | {
        name: pooling.description for name, pooling in POOLING_TYPES.items()
    }
    numbers = {FLOAT: "Full precision: the outputs of PyTorch, within 1e-4 of the largest."}
    numbers |= {name: f"Opset 13. {words[0].upper()}{words[1:]}." for name, words in QUANTISATIONS.items()}
    return (
        Field("target", "for", "tract", TARGETS, choices=tuple(TARGETS)),
        Field(
            "model",
            "model",
            next(iter(models)),
            "The model whose weights go into the file.",
            choices=tuple(models),
            only=lambda texts: texts["target"] != "full mapping",
        ),
        Field("pooling", "pooling", AS_TRAINED, poolings, choices=tuple(poolings), only=onnx),
        Field("numbers", "precision", FLOAT, numbers, choices=tuple(numbers), only=onnx),
        Field(
            "size",
            "image size",
            "",
            "Pixels a side. At another size than the trained one the accuracy is measured, and often poor.",
            whole(*SIZES, empty=True),
            placeholder=AS_TRAINED,
            only=onnx,
        ),
        Field(
            "parity",
            "verify on",
            "1,000 samples",
            "Samples of the test split on which the engines must agree with PyTorch.",
            choices=("1,000 samples", ALL),
            only=onnx,
        ),
        Field(
            "card",
            "card",
            "with",
            "Network, classes, size, normalisation and metrics in the file. Without it only the file name has any.",
            choices=("with", "without"),
            only=tensors,
        ),
        Field(
            "verify",
            "verify",
            "yes",
            "Read the file back and compare every bit with the model's.",
            choices=("yes", "no"),
            only=tensors,
        ),
        Field("file", "file", "", "Another path than the usual name beside the model.", placeholder=NAMED),
    )


def contradiction(values: dict[str, Any], measurable: bool) -> str:
    """What is known beforehand to fail, in words; empty where nothing is. `measurable`: there is a dataset."""
    target, file = values["target"], values["file"]
    ending = ENDINGS.get(target, ".onnx")
    if file and Path(file).suffix != ending:
        return f"file: '{file}' does not end in {ending}"
    if target not in ONNX:
        return ""
    pooling = values["pooling"]
    if target != "tract" and pooling.startswith("adaptive"):
        return f"{target} has no global pooling: {pooling.replace('adaptive', 'fixed')} computes the same"
    if not measurable and values["numbers"] == "int8-static":
        return "int8-static takes its ranges from training images, and there is no dataset"
    if not measurable and values["size"]:
        return "at another size the accuracy must be measured, and there is no dataset"
    return ""


def export_job(values: dict[str, Any], models: dict[str, Path], data_dir: Path) -> tuple[str, Any]:
    """The job and its spec for what the form says."""
    target = values["target"]
    file = Path(values["file"]).expanduser() if values["file"] else None
    if target == "full mapping":
        return "export_mapping", export_mapping.Spec(None, file)
    model = models[values["model"]]
    if target == "mapping":
        return "export_mapping", export_mapping.Spec(model, file)
    if target == "safetensors":
        verify, card = values["verify"] == "yes", values["card"] == "with"
        return "export_safetensors", export_safetensors.Spec(model, file, verify, card)
    pooling, numbers = values["pooling"], values["numbers"]
    return "export_onnx", export_onnx.Spec(
        model,
        data_dir,
        target,
        output_path=file,
        full_parity=values["parity"] == ALL,
        pooling_type=None if pooling == AS_TRAINED else pooling,
        quantize=None if numbers == FLOAT else numbers,
        image_size=values["size"],
    )
