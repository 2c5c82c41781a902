"""`kanji-tui demo`: the whole way on a drawn sample, in a folder of its own, as often as one likes.

It goes the user's way, command by command; each step prints the command that does the same by hand.
"""

import os
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kanji_tui.cli.console import stderr
from kanji_tui.cli.follow import follow, say_where
from kanji_tui.cli.options import Parser, positive
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
    """What each step of the demo gave, and the seconds of all."""

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
    """Sample, prepare, verify, train, evaluate, export, inspect, predict; then say what was made."""
    began = time.monotonic()
    enter(args.output_dir)

    def step(title: str, name: str, spec: Any) -> Any:
        head(title)
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
    pictures = write_pictures(Path("pictures"), args.seed)
    predict = step(
        f"kanji-tui predict --model-path {paths[0]} {' '.join(map(str, pictures))}",
        "predict",
        PredictSpec(pictures, paths[0]),
    )
    seconds = time.monotonic() - began
    made = Demo(sample, prepare, verify, trained, evaluate, (*onnx, safetensors), inspect, predict, seconds)
    if not args.json:
        head("done")
    show(made, args.json, summary)
    return code_of(verify)


def head(title: str) -> None:
    """A line between the steps, with the command that does the next by hand; a long one stands below it, whole."""
    if len(title) < stderr.width - 4:
        stderr.rule(f"[bold]{title}")
    else:
        stderr.rule()
        stderr.print(title, style="bold", soft_wrap=True)


def enter(folder: Path) -> None:
    """Go into the demo's folder; UsageError where it holds something that no demo made, or cannot be used."""
    another = "name another: kanji-tui demo --output-dir DIR"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not (folder / MARKER).is_file():
            raise UsageError(f"{folder} is not empty and no demo made it", another)
        (folder / MARKER).write_text("kanji-tui demo works here, on synthetic samples; delete it when you like\n")
        os.chdir(folder)
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be used: {error.strerror}", another) from None


def train(args: Namespace) -> Trained:
    """Train as `kanji-tui train --recipe quick` does, and publish the run even where another is pinned."""
    epochs = f" --epochs {args.epochs}" if args.epochs else ""
    head(f"kanji-tui train --recipe quick{epochs} --seed {args.seed}")
    config = configure(recipe="quick", epochs=args.epochs, seed=args.seed)
    run = start("train", TrainSpec(config=config))
    say_where(run)
    result: Trained = follow(run, stop_on_interrupt=True)
    publish(run.path, MODELS_DIR, pinned=False)
    if not args.json:
        show(result, json=False)
    return result


def write_pictures(folder: Path, seed: int, count: int = 3) -> tuple[Path, ...]:
    """Write a few test samples of the training's split as PNG files, dark ink on light paper as a scan has it."""
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
    for number, picture in zip(chosen, dataset.images(chosen), strict=True):
        path = folder / f"{number}_{jis_to_character(int(dataset.jis[number]))}.png"
        Image.fromarray(255 - picture).save(path)
        paths.append(path)
    return tuple(paths)


def summary(made: Demo) -> Document:
    """What was made, where it lies, and how to look at it in the workbench."""
    here = Path.cwd()
    model = f"{DEFAULT_MODEL} (test top-1 {numbers.percent(made.evaluate.top1, 1)})"
    pairs = (
        ("record files", f"ETL9G/ ({len(made.sample.files)} files)"),
        ("dataset", f"dataset/ ({numbers.count(made.prepare.records)} samples), samples.png"),
        ("training", f"models/runs/{made.train.run}/"),
        ("model", model),
        *(("export", f"{exported.path} ({numbers.size(exported.bytes)})") for exported in made.export),
    )
    return (
        f"In {numbers.duration(made.seconds)}, on synthetic samples (not handwriting), in {here}:",
        KeyValues(pairs),
        f"Open it in the workbench: kanji-tui --home {here}",
    )
