"""The commands for ONNX files: inspect, compare, pooling."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kanji_tui.cli.console import print_error
from kanji_tui.cli.options import AddCommand, Parser, add_model_path
from kanji_tui.cli.output import put_json
from kanji_tui.cli.render import show
from kanji_tui.cli.running import run_here
from kanji_tui.errors import KanjiError
from kanji_tui.inspection.given_inputs import input_shape
from kanji_tui.inspection.results import Compared, Inspected
from kanji_tui.jobs.compare import Spec as CompareSpec
from kanji_tui.jobs.inspect import Spec as InspectSpec
from kanji_tui.jobs.pooling import Spec as PoolingSpec
from kanji_tui.paths import DATA_DIR
from kanji_tui.presentation.document import Document
from kanji_tui.presentation.inspection import inspection_document
from kanji_tui.presentation.present import present
from kanji_tui.runs.process import as_json
from kanji_tui.runs.run_directory import list_runs
from kanji_tui.workspace.snapshot import read_workspace


def add(command: AddCommand) -> None:
    """Add this file's commands."""
    parser = command("inspect", inspect, "show the operators of ONNX files and which engines run them")
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL.onnx")
    parser.add_argument("--nodes", action="store_true", help="list every node: module, shapes, attributes")
    add_inputs(parser)
    parser = command("compare", compare, "compare two to four ONNX files: parity, size, latency")
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL.onnx", help="the first is the reference")
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, metavar="DIR", help="samples for parity")
    add_inputs(parser)
    parser = command("pooling", pooling, "measure a model's size, accuracy and speed by pooling type")
    add_model_path(parser)
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, metavar="DIR", help="test samples")


def add_inputs(parser: Parser) -> None:
    """The options for the inputs of models, for which made-up ones do not fit."""
    parser.add_argument(
        "--input",
        action="append",
        type=input_shape,
        default=[],
        metavar="NAME=SHAPE,TYPE",
        help="the shape, and if you like the type, of an input: --input x=1x64,float32; may be repeated",
    )
    parser.add_argument(
        "--inputs", type=Path, default=None, metavar="FILE.npz", help="the inputs, as arrays by name"
    )


def inspect(args: Namespace) -> int:
    result = run_here("inspect", InspectSpec(tuple(args.models), tuple(args.input), args.inputs))

    def document(result: Inspected) -> Document:
        workspace = read_workspace()
        here = workspace if workspace.dataset or workspace.model else None  # else there is nothing to compare with
        return inspection_document(result, here, [run.name for run in list_runs()], args.nodes)

    return show_models(result, args.json, bool(result.inspected), document)


def compare(args: Namespace) -> int:
    result = run_here("compare", CompareSpec(tuple(args.models), args.data_dir, tuple(args.input), args.inputs))
    return show_models(result, args.json, bool(result.compared), present)


def show_models(
    result: Inspected | Compared, json: bool, answered: bool, document: Callable[[Any], Document]
) -> int:
    """Print the errors of single files and the answers about others, if there are any; returns the exit code."""
    for model in result.failed:
        print_error(KanjiError(model.error.message, model.error.remedy))
    if json:
        failure = {} if answered else {"error": as_json(result.failed[0].error)}
        put_json(as_json(result) | failure)
    elif answered:
        show(result, False, document)
    if answered:
        return 1 if result.failed else 0
    return int(result.failed[0].error.code)


def pooling(args: Namespace) -> int:
    show(run_here("pooling", PoolingSpec(args.model_path, args.data_dir)), args.json)
    return 0
