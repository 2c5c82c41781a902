"""`kanji-tui demo`: the whole way on a drawn sample, in a folder of its own, as often as one likes.

It goes the user's way, command by command; each step prints the command that does the same by hand.
"""

import os
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from kanji_tui.cli import show
from kanji_tui.cli.console import stderr
from kanji_tui.cli.follow import follow, say_where
from kanji_tui.cli.options import Parser, positive
from kanji_tui.cli.running import code_of, run_here
from kanji_tui.cli.show.words import percent, size, stdout, table
from kanji_tui.errors import UsageError
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
from kanji_tui.runs.process import start
from kanji_tui.runs.publish import publish
from kanji_tui.training.config import TrainConfig, resolve

MARKER = "DEMO.txt"
TARGETS = ("tract", "ort-tract", "strict")


def add_demo(parser: Parser) -> None:
    parser.add_argument(
        "--output-dir", type=Path, default=Path("demo"), metavar="DIR", help="its own folder (default demo)"
    )
    parser.add_argument("--classes", type=positive, default=SampleSpec.classes, metavar="N", help="characters")
    parser.add_argument("--sets", type=positive, default=SampleSpec.sets, metavar="N", help="hands")
    parser.add_argument("--epochs", type=positive, default=None, metavar="N", help="epochs of training")
    parser.add_argument("--size", type=positive, default=64, metavar="N", help="picture side in pixels")
    parser.add_argument("--seed", type=int, default=0, metavar="S")


def demo(args: Namespace) -> int:
    """Sample, prepare, verify, train, evaluate, export, inspect, predict; then say what was made."""
    began = time.monotonic()
    enter(args.output_dir)
    results: dict[str, Any] = {}

    def step(title: str, name: str, spec: Any) -> dict[str, Any]:
        head(title)
        result = run_here(name, spec)
        show.result(name, result, as_json=False) if not args.json else None
        return result

    results["sample"] = step(
        f"kanji-tui sample --classes {args.classes} --sets {args.sets} --seed {args.seed}",
        "sample",
        SampleSpec(classes=args.classes, sets=args.sets, seed=args.seed),
    )
    results["prepare"] = step(f"kanji-tui prepare --size {args.size}", "prepare", PrepareSpec(size=args.size))
    results["verify"] = step(
        "kanji-tui verify --contact-sheet samples.png", "verify", VerifySpec(contact_sheet=Path("samples.png"))
    )
    results["train"] = train(args)
    results["evaluate"] = step("kanji-tui evaluate --split test", "evaluate", EvaluateSpec())
    results["export"] = [
        step(f"kanji-tui export onnx --target-backend {target}", "export_onnx", OnnxSpec(target_backend=target))
        for target in TARGETS
    ]
    results["export"].append(
        step("kanji-tui export safetensors --verify", "export_safetensors", SafetensorsSpec(verify=True))
    )
    onnx = tuple(Path(made["path"]) for made in results["export"] if made["path"].endswith(".onnx"))
    results["inspect"] = step(f"kanji-tui inspect {' '.join(map(str, onnx))}", "inspect", InspectSpec(onnx))
    pictures = write_pictures(Path("pictures"), args.seed)
    results["predict"] = step(
        f"kanji-tui predict --model-path {onnx[0]} {' '.join(map(str, pictures))}",
        "predict",
        PredictSpec(pictures, onnx[0]),
    )
    results["seconds"] = time.monotonic() - began
    if args.json:
        show.result("demo", results, as_json=True)
    else:
        summary(results)
    return code_of(results["verify"])


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
        (folder / MARKER).write_text("kanji-tui demo works here, on drawn samples; delete it when you like\n")
        os.chdir(folder)
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be used: {error.strerror}", another) from None


def train(args: Namespace) -> dict[str, Any]:
    """Train as `kanji-tui train --recipe quick` does, and publish the run even where another is pinned."""
    epochs = f" --epochs {args.epochs}" if args.epochs else ""
    head(f"kanji-tui train --recipe quick{epochs} --seed {args.seed}")
    config = resolve(TrainConfig(recipe="quick", epochs=args.epochs, seed=args.seed))
    run = start("train", TrainSpec(config=config))
    say_where(run)
    result = follow(run, stop_on_interrupt=True)
    publish(run.path, MODELS_DIR, pinned=False)
    if not args.json:
        show.result("train", result, as_json=False)
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
    config = resolve(TrainConfig(seed=seed))
    split = split_dataset(dataset, config.split, config.split_shares, config.seed)
    chosen = split.test[np.linspace(0, len(split.test) - 1, count).astype(int)]
    paths = []
    for number, picture in zip(chosen, dataset.images(chosen), strict=True):
        path = folder / f"{number}_{jis_to_character(int(dataset.jis[number]))}.png"
        Image.fromarray(255 - picture).save(path)
        paths.append(path)
    return tuple(paths)


def summary(results: dict[str, Any]) -> None:
    """What was made, where it lies, and how to look at it in the workbench."""
    here = Path.cwd()
    head("done")
    stdout.print(f"In {results['seconds']:.0f} s, on drawn samples (not handwriting), in {here}:")
    made = table("what", "where")
    made.add_row("record files", f"ETL9G/ ({len(results['sample']['files'])} files)")
    made.add_row("dataset", f"dataset/ ({results['prepare']['records']:,} samples), samples.png")
    made.add_row("training", f"models/runs/{results['train']['run']}/")
    made.add_row("model", f"{DEFAULT_MODEL} (test top-1 {percent(results['evaluate']['top1'])})")
    for exported in results["export"]:
        made.add_row("export", f"{exported['path']} ({size(exported['bytes'])})")
    stdout.print(made)
    stdout.print(f"Open it in the workbench: kanji-tui --home {here}")
