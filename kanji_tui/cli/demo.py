"""`kanji-tui demo`: all steps from a synthetic sample to exported models, in its own folder; may be repeated.

Each step prints the command that does the same.
"""

import os
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kanji_tui.cli.follow import follow, print_run_name
from kanji_tui.cli.options import Parser, positive
from kanji_tui.cli.output import stderr
from kanji_tui.cli.render import show
from kanji_tui.cli.running import code_of, run_here
from kanji_tui.data.results import Preparation, SyntheticSample, Verification
from kanji_tui.errors import UsageError
from kanji_tui.export.results import ExportedOnnx, ExportedSafetensors
from kanji_tui.inspection.results import Inspected
from kanji_tui.jobs.evaluate import Spec as EvaluateSpec
from kanji_tui.jobs.export_onnx import Spec as OnnxSpec
from kanji_tui.jobs.export_safetensors import Spec as SafetensorsSpec
from kanji_tui.jobs.inspect import Spec as InspectSpec
from kanji_tui.jobs.predict import Spec as PredictSpec
from kanji_tui.jobs.prepare import Spec as PrepareSpec
from kanji_tui.jobs.sample import Spec as SampleSpec
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.jobs.verify import Spec as VerifySpec
from kanji_tui.paths import DATA_DIR, DEFAULT_MODEL, MODELS_DIR
from kanji_tui.presentation.document import Document, KeyValues
from kanji_tui.recognition.results import Evaluation, Predicted
from kanji_tui.runs.process import start
from kanji_tui.runs.publish import publish
from kanji_tui.system import numbers
from kanji_tui.training.config import TrainConfig, configure
from kanji_tui.training.results import Trained

MARKER = "DEMO.txt"
TARGETS = ("tract", "ort-tract", "strict")


def add_demo(parser: Parser) -> None:
    parser.add_argument(
        "--output-dir", type=Path, default=Path("demo"), metavar="DIR", help="its own folder (default demo)"
    )
    parser.add_argument("--classes", type=positive, default=SampleSpec.classes, metavar="N", help="characters")
    parser.add_argument("--sets", type=positive, default=SampleSpec.sets, metavar="N", help="synthetic writers")
    parser.add_argument("--epochs", type=positive, default=None, metavar="N", help="epochs of training")
    parser.add_argument("--size", type=positive, default=64, metavar="N", help="image side in pixels")
    parser.add_argument("--seed", type=int, default=0, metavar="S")


@dataclass(frozen=True)
class Demo:
    """The result of each step of the demo, and the duration of all in seconds."""

    sample: SyntheticSample
    prepare: Preparation
    verify: Verification
    train: Trained
    evaluate: Evaluation
    export: tuple[ExportedOnnx | ExportedSafetensors, ...]
    inspect: Inspected
    predict: Predicted
    seconds: float


def demo(args: Namespace) -> int:
    """Sample, prepare, verify, train, evaluate, export, inspect, predict; then print what was made."""
    began = time.monotonic()
    enter(args.output_dir)

    def step(title: str, name: str, spec: Any) -> Any:
        print_rule(title)
        result = run_here(name, spec)
        if not args.json:
            show(result, json=False)
        return result

    sample = step(
        f"kanji-tui sample --classes {args.classes} --sets {args.sets} --seed {args.seed}",
        "sample",
        SampleSpec(classes=args.classes, sets=args.sets, seed=args.seed),
    )
    prepare = step(f"kanji-tui prepare --size {args.size}", "prepare", PrepareSpec(size=args.size))
    verify = step(
        "kanji-tui verify --contact-sheet samples.png", "verify", VerifySpec(contact_sheet=Path("samples.png"))
    )
    trained = train(args)
    evaluate = step("kanji-tui evaluate --split test", "evaluate", EvaluateSpec())
    onnx = [
        step(f"kanji-tui export onnx --target-backend {target}", "export_onnx", OnnxSpec(target_backend=target))
        for target in TARGETS
    ]
    safetensors = step("kanji-tui export safetensors --verify", "export_safetensors", SafetensorsSpec(verify=True))
    paths = tuple(Path(made.path) for made in onnx)
    inspect = step(f"kanji-tui inspect {' '.join(map(str, paths))}", "inspect", InspectSpec(paths))
    images = write_images(Path("images"), args.seed)
    predict = step(
        f"kanji-tui predict --model-path {paths[0]} {' '.join(map(str, images))}",
        "predict",
        PredictSpec(images, paths[0]),
    )
    seconds = time.monotonic() - began
    made = Demo(sample, prepare, verify, trained, evaluate, (*onnx, safetensors), inspect, predict, seconds)
    if not args.json:
        print_rule("done")
    show(made, args.json, summary)
    return code_of(verify)


def print_rule(title: str) -> None:
    """Print a rule with the next step's command, or the command below it if it is long."""
    if len(title) < stderr.width - 4:
        stderr.rule(f"[bold]{title}")
    else:
        stderr.rule()
        stderr.print(title, style="bold", soft_wrap=True)


def enter(folder: Path) -> None:
    """Change to the demo's folder; UsageError if it cannot be used, or has files that no demo made."""
    another = "choose another: kanji-tui demo --output-dir DIR"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not (folder / MARKER).is_file():
            raise UsageError(f"{folder} is not empty and was not made by a demo", another)
        (folder / MARKER).write_text("Made by kanji-tui demo from synthetic samples. You may delete this folder.\n")
        os.chdir(folder)
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be used: {error.strerror}", another) from None


def train(args: Namespace) -> Trained:
    """Train as `kanji-tui train --recipe quick` does, and publish the run even if another one is pinned."""
    epochs = f" --epochs {args.epochs}" if args.epochs else ""
    print_rule(f"kanji-tui train --recipe quick{epochs} --seed {args.seed}")
    config = configure(recipe="quick", epochs=args.epochs, seed=args.seed)
    run = start("train", TrainSpec(config=config))
    print_run_name(run)
    result: Trained = follow(run, stop_on_interrupt=True)
    publish(run.path, MODELS_DIR, pinned=False)
    if not args.json:
        show(result, json=False)
    return result


def write_images(folder: Path, seed: int, count: int = 3) -> tuple[Path, ...]:
    """Write a few samples of the test split as PNG files, dark ink on light paper as in a scan."""
    import numpy as np
    from PIL import Image

    from kanji_tui.characters.jis import jis_to_character
    from kanji_tui.data.dataset import open_dataset
    from kanji_tui.data.splits import split_dataset

    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    dataset = open_dataset(DATA_DIR)
    split = split_dataset(dataset, TrainConfig.split, TrainConfig.split_shares, seed)
    chosen = split.test[np.linspace(0, len(split.test) - 1, count).astype(int)]
    paths = []
    for number, image in zip(chosen, dataset.images(chosen), strict=True):
        path = folder / f"{number}_{jis_to_character(int(dataset.jis[number]))}.png"
        Image.fromarray(255 - image).save(path)
        paths.append(path)
    return tuple(paths)


def summary(made: Demo) -> Document:
    """What was made, where it is, and how to open it in the workbench."""
    here = Path.cwd()
    top1 = numbers.accuracy(made.evaluate.top1, made.evaluate.samples, 1)
    pairs = (
        ("record files", f"ETL9G/ ({len(made.sample.files)} files)"),
        ("dataset", f"dataset/ ({numbers.count(made.prepare.records)} samples), samples.png"),
        ("training", f"models/runs/{made.train.run}/"),
        ("model", f"{DEFAULT_MODEL}, test top-1 {top1}"),
        *(("export", f"{exported.path} ({numbers.size(exported.bytes)})") for exported in made.export),
    )
    return (
        f"Made in {numbers.duration(made.seconds)} from synthetic samples (not handwriting), in {here}:",
        KeyValues(pairs),
        f"Open it in the workbench: kanji-tui --home {here}",
    )
