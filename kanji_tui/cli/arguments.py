"""Every command and its arguments."""

import argparse
from pathlib import Path

from kanji_tui import __version__
from kanji_tui.cli import commands
from kanji_tui.cli.demo import demo
from kanji_tui.jobs import evaluate, export_onnx, prepare, sample, train
from kanji_tui.training.recipes import NAMES as RECIPES

Parser = argparse.ArgumentParser


def parser() -> Parser:
    """The parser of `kanji-tui`; each command sets `command` to the function that does it."""
    common = Parser(add_help=False)
    common.add_argument(
        "--home",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="folder all relative paths start from (default: KANJI_TUI_HOME, else the current one)",
    )
    common.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print the result as one JSON object"
    )
    top = Parser(
        prog="kanji-tui",
        parents=[common],
        description="A terminal workbench for Japanese handwritten character recognition. "
        "Without a command it opens the workbench.",
    )
    top.add_argument("--version", action="version", version=f"kanji-tui {__version__}")
    top.set_defaults(command=commands.workbench, json=False, home=None)
    subcommands = top.add_subparsers(metavar="COMMAND", title="commands")

    def command(name: str, function: object, help: str) -> Parser:
        made = subcommands.add_parser(
            name, parents=[common], help=help, description=help[0].upper() + help[1:] + "."
        )
        made.set_defaults(command=function)
        return made

    add_demo(command("demo", demo, "the whole way on a drawn sample, without screens"))
    command("preflight", commands.preflight, "check the machine, the data and the terminal")
    add_sample(command("sample", commands.sample, "draw ETL9G-like record files from a font (not handwriting)"))
    add_prepare(command("prepare", commands.prepare, "turn record files into a dataset of small pictures"))
    add_verify(command("verify", commands.verify, "check that a dataset is whole and looks like characters"))
    add_train(command("train", commands.train, "train a network; goes on when this terminal is lost"))
    command("runs", commands.runs, "list all runs, newest first")
    for name, function, help in (
        ("stop", commands.stop, "stop a run at its next batch, with a checkpoint"),
        ("attach", commands.attach, "follow a run, wherever it was started"),
        ("publish", commands.publish, "make a run's model the one in models/, and keep it there"),
        ("delete", commands.delete, "remove a run's directory"),
    ):
        command(name, function, help).add_argument(
            "run", metavar="RUN", help="name of the run, or its beginning, or 'latest'"
        )
    networks = command("networks", commands.networks, "list the networks: parameters, MACs, file size")
    networks.add_argument(
        "--size", type=positive, default=64, metavar="N", help="picture side in pixels (default 64)"
    )
    networks.add_argument("--classes", type=positive, default=3036, metavar="N", help="outputs (default 3036)")
    add_evaluate(command("evaluate", commands.evaluate, "measure a model on a split of a dataset"))
    add_predict(command("predict", commands.predict, "say what characters image files show"))
    add_export(
        command("export", commands.workbench, "write a model as ONNX or SafeTensors, or its mapping"), common
    )
    inspect = command("inspect", commands.inspect, "show what operators ONNX files hold and which engines run them")
    inspect.add_argument("models", nargs="+", type=Path, metavar="MODEL.onnx")
    compare = command("compare", commands.compare, "put two to four ONNX files side by side: parity, size, latency")
    compare.add_argument("models", nargs="+", type=Path, metavar="MODEL.onnx", help="the first is the reference")
    compare.add_argument(
        "--data-dir", type=Path, default=Path("dataset"), metavar="DIR", help="real samples for parity"
    )
    pooling = command("pooling", commands.pooling, "show what each pooling type does to a model")
    add_model_path(pooling)
    pooling.add_argument("--data-dir", type=Path, default=Path("dataset"), metavar="DIR", help="real test samples")
    return top


def add_demo(parser: Parser) -> None:
    parser.add_argument(
        "--output-dir", type=Path, default=Path("demo"), metavar="DIR", help="its own folder (default demo)"
    )
    parser.add_argument("--classes", type=positive, default=sample.Spec.classes, metavar="N", help="characters")
    parser.add_argument("--sets", type=positive, default=sample.Spec.sets, metavar="N", help="hands")
    parser.add_argument("--epochs", type=positive, default=None, metavar="N", help="epochs of training")
    parser.add_argument("--size", type=positive, default=64, metavar="N", help="picture side in pixels")
    parser.add_argument("--seed", type=int, default=0, metavar="S")


def add_sample(parser: Parser) -> None:
    parser.add_argument("--output-dir", type=Path, default=sample.Spec.output_dir, metavar="DIR")
    parser.add_argument(
        "--classes",
        type=positive,
        default=sample.Spec.classes,
        metavar="N",
        help=f"how many of the 3,036 characters (default {sample.Spec.classes})",
    )
    parser.add_argument(
        "--sets",
        type=positive,
        default=sample.Spec.sets,
        metavar="N",
        help=f"data sets, each drawn by a hand of its own, four to a file (default {sample.Spec.sets})",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="same seed, same files (default 0)")


def add_prepare(parser: Parser) -> None:
    parser.add_argument(
        "--etl-dir", type=Path, default=prepare.Spec.etl_dir, metavar="DIR", help="what to prepare (default ETL9G)"
    )
    parser.add_argument(
        "--output-dir", type=Path, default=prepare.Spec.output_dir, metavar="DIR", help="(default dataset)"
    )
    parser.add_argument(
        "--size", type=positive, default=prepare.Spec.size, metavar="N", help="picture side (default 64)"
    )
    parser.add_argument(
        "--workers", type=positive, default=None, metavar="N", help="processes (default: one a core)"
    )
    parser.add_argument(
        "--format",
        choices=("etl9g", "etl8g", "kuzushiji", "images"),
        default=None,
        help="what lies there (default: recognised)",
    )


def add_verify(parser: Parser) -> None:
    parser.add_argument("--data-dir", type=Path, default=Path("dataset"), metavar="DIR")
    parser.add_argument("--test-model", action="store_true", help="let a network take one step on the dataset")
    parser.add_argument(
        "--contact-sheet", type=Path, default=None, metavar="FILE.png", help="draw samples to a picture"
    )
    parser.add_argument(
        "--unusual",
        type=positive,
        default=0,
        nargs="?",
        const=10,
        metavar="N",
        help="find the N samples of each class that are least like it (default 10)",
    )


def add_train(parser: Parser) -> None:
    parser.add_argument("--data-dir", type=Path, default=train.Spec.data_dir, metavar="DIR")
    parser.add_argument(
        "--network", default=None, metavar="NAME", help="see: kanji-tui networks (default kanjinet)"
    )
    parser.add_argument(
        "--recipe",
        choices=RECIPES,
        default=None,
        help="where all numbers come from: a first look, the usual, as accurate as can be, the original scripts' "
        "(default: standard for kanjinet, original for the others)",
    )
    parser.add_argument("--epochs", type=int, default=None, metavar="N", help="(default: the recipe's)")
    parser.add_argument("--batch-size", type=int, default=None, metavar="N", help="(default: the recipe's)")
    parser.add_argument("--learning-rate", type=float, default=None, metavar="X", help="(default: the recipe's)")
    parser.add_argument(
        "--sample-limit", type=int, default=None, metavar="N", help="train on N samples, stratified"
    )
    parser.add_argument(
        "--split",
        choices=("writer", "random"),
        default=None,
        help="writer: no data set is both trained on and tested (default)",
    )
    parser.add_argument(
        "--split-shares", type=shares, default=None, metavar="70/15/15", help="train/validation/test"
    )
    parser.add_argument("--fold", default=None, metavar="k/n", help="test on fold k of n, learn from the others")
    parser.add_argument("--seed", type=int, default=None, metavar="S")
    parser.add_argument("--config", type=Path, default=None, metavar="FILE.yaml", help="any field of the recipe")
    parser.add_argument("--resume", default=None, metavar="RUN", help="go on from this run's last checkpoint")
    parser.add_argument(
        "--detach", action="store_true", help="start it and return; follow with: kanji-tui attach RUN"
    )


def add_evaluate(parser: Parser) -> None:
    add_model_path(parser)
    parser.add_argument("--data-dir", type=Path, default=Path("dataset"), metavar="DIR")
    parser.add_argument("--split", choices=("test", "val", "train", "all"), default=evaluate.Spec.split)


def add_predict(parser: Parser) -> None:
    add_model_path(parser)
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    parser.add_argument("--invert", action="store_true", help="swap ink and paper after the automatic choice")


def add_export(parser: Parser, common: Parser) -> None:
    kinds = parser.add_subparsers(metavar="KIND", required=True, title="kinds")
    onnx = kinds.add_parser(
        "onnx", parents=[common], help="an ONNX file, run in its engines before it gets its name"
    )
    add_model_path(onnx)
    onnx.add_argument(
        "--data-dir", type=Path, default=Path("dataset"), metavar="DIR", help="real samples for parity"
    )
    onnx.add_argument(
        "--target-backend", choices=("tract", "ort-tract", "strict"), default=export_onnx.Spec.target_backend
    )
    onnx.add_argument("--output-path", type=Path, default=None, metavar="FILE")
    onnx.add_argument("--full-parity", action="store_true", help="compare on every test sample, not 1,000")
    onnx.add_argument(
        "--pooling-type",
        choices=export_onnx.POOLING_TYPES,
        default=None,
        help="before the classifier; see: kanji-tui pooling (default: as trained)",
    )
    onnx.add_argument(
        "--quantize", choices=export_onnx.QUANTISATIONS, default=None, help="8-bit or half-precision numbers"
    )
    onnx.add_argument(
        "--image-size", type=positive, default=None, metavar="N", help="picture side (default: as trained)"
    )
    onnx.set_defaults(command=commands.export_onnx)
    tensors = kinds.add_parser("safetensors", parents=[common], help="weights and the model's card in one file")
    add_model_path(tensors)
    tensors.add_argument("--output-path", type=Path, default=None, metavar="FILE")
    tensors.add_argument("--verify", action="store_true", help="read it back and compare bit for bit")
    tensors.add_argument("--no-metadata", action="store_true", help="leave the card out")
    tensors.set_defaults(command=commands.export_safetensors)
    mapping = kinds.add_parser("mapping", parents=[common], help="class numbers to characters")
    mapping.add_argument(
        "--model-path", type=Path, default=None, metavar="FILE", help="(default: all 3,036 classes)"
    )
    mapping.add_argument("--output-path", type=Path, default=None, metavar="FILE")
    mapping.set_defaults(command=commands.export_mapping)


def add_model_path(parser: Parser) -> None:
    parser.add_argument(
        "--model-path",
        type=Path,
        default=evaluate.DEFAULT_MODEL,
        metavar="FILE",
        help=f".pth, .safetensors or .onnx (default {evaluate.DEFAULT_MODEL})",
    )


def positive(text: str) -> int:
    """A whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is too small: 1 or more")
    return value


def shares(text: str) -> tuple[float, float, float]:
    """`70/15/15` as three numbers."""
    try:
        train, validation, test = (float(part) for part in text.split("/"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not three numbers like 70/15/15") from None
    return train, validation, test
