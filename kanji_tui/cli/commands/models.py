"""The commands for a model: evaluate, predict, export."""

from argparse import Namespace
from pathlib import Path

from kanji_tui.cli.console import print_error
from kanji_tui.cli.options import AddCommand, Parser, add_characters, add_model_path, positive
from kanji_tui.cli.render import show
from kanji_tui.cli.running import run_here
from kanji_tui.errors import KanjiError
from kanji_tui.export.options import POOLING_TYPES, QUANTISATIONS
from kanji_tui.jobs.evaluate import Spec as EvaluateSpec
from kanji_tui.jobs.export_mapping import Spec as MappingSpec
from kanji_tui.jobs.export_onnx import Spec as OnnxSpec
from kanji_tui.jobs.export_safetensors import Spec as SafetensorsSpec
from kanji_tui.jobs.export_web import Spec as WebSpec
from kanji_tui.jobs.predict import Spec as PredictSpec
from kanji_tui.paths import DATA_DIR
from kanji_tui.recognition.results import Predicted, Unreadable


def add(command: AddCommand, common: Parser) -> None:
    """Add this file's commands; `common` holds the options of all commands."""
    add_evaluate(command("evaluate", evaluate, "measure a model's accuracy on a split of a dataset"))
    add_predict(command("predict", predict, "recognise the characters in image files"))
    add_export(
        command("export", export_onnx, "export a model as ONNX, SafeTensors or a web page, or its mapping"), common
    )


def add_evaluate(parser: Parser) -> None:
    parser.add_argument(
        "--model-path",
        nargs="+",
        type=Path,
        default=[EvaluateSpec.model_path],
        metavar="FILE",
        help=f".pth, .safetensors or .onnx (default {EvaluateSpec.model_path}); several files are evaluated as an "
        "ensemble: the mean of their probabilities",
    )
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, metavar="DIR")
    parser.add_argument("--split", choices=("test", "val", "train", "all"), default=EvaluateSpec.split)
    add_characters(parser)


def evaluate(args: Namespace) -> int:
    first, *others = args.model_path
    spec = EvaluateSpec(first, args.data_dir, args.split, tuple(others), args.characters)
    show(run_here("evaluate", spec), args.json)
    return 0


def add_predict(parser: Parser) -> None:
    add_model_path(parser)
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    add_characters(parser)
    parser.add_argument("--invert", action="store_true", help="swap ink and paper after their detection")
    parser.add_argument(
        "--show", action="store_true", help="show the image that the model gets; with --json: its pixels"
    )


def predict(args: Namespace) -> int:
    spec = PredictSpec(tuple(args.images), args.model_path, args.invert, args.show, args.characters)
    result: Predicted = run_here("predict", spec)
    if args.json or result.error is None:
        show(result, args.json)
    if result.error is not None:
        print_error(KanjiError(result.error.message, result.error.remedy))
    return int(any(isinstance(one, Unreadable) for one in result.predictions))


def add_export(parser: Parser, common: Parser) -> None:
    kinds = parser.add_subparsers(metavar="KIND", required=True, title="kinds")
    onnx = kinds.add_parser(
        "onnx", parents=[common], help="an ONNX file, verified in its engines before it gets its name"
    )
    add_model_path(onnx)
    onnx.add_argument("--data-dir", type=Path, default=DATA_DIR, metavar="DIR", help="samples for parity")
    onnx.add_argument("--target-backend", choices=("tract", "ort-tract", "strict"), default=OnnxSpec.target_backend)
    onnx.add_argument("--output-path", type=Path, default=None, metavar="FILE")
    onnx.add_argument("--full-parity", action="store_true", help="compare on every test sample, not 1,000")
    onnx.add_argument(
        "--pooling-type",
        choices=POOLING_TYPES,
        default=None,
        help="before the classifier; see: kanji-tui pooling (default: as trained)",
    )
    onnx.add_argument(
        "--quantize",
        choices=QUANTISATIONS,
        default=None,
        help="8-bit or half precision; to compare the files: kanji-tui compare",
    )
    onnx.add_argument(
        "--image-size", type=positive, default=None, metavar="N", help="image side in pixels (default: as trained)"
    )
    onnx.set_defaults(command=export_onnx)
    tensors = kinds.add_parser("safetensors", parents=[common], help="weights and metadata in one file")
    add_model_path(tensors)
    tensors.add_argument("--output-path", type=Path, default=None, metavar="FILE")
    tensors.add_argument("--verify", action="store_true", help="read it back and compare bit for bit")
    tensors.add_argument("--no-metadata", action="store_true", help="weights only")
    tensors.set_defaults(command=export_safetensors)
    mapping = kinds.add_parser("mapping", parents=[common], help="class numbers to characters")
    mapping.add_argument(
        "--model-path", type=Path, default=None, metavar="FILE", help="(default: all 3,036 classes)"
    )
    mapping.add_argument("--output-path", type=Path, default=None, metavar="FILE")
    mapping.set_defaults(command=export_mapping)
    web = kinds.add_parser("web", parents=[common], help="a page that recognises handwriting in the browser")
    add_model_path(web)
    web.add_argument(
        "--output-path", type=Path, default=None, metavar="DIR", help="the page's folder (default models/web)"
    )
    web.add_argument(
        "--runtime",
        default=None,
        metavar="DIR|npm",
        help="where ONNX Runtime Web comes from; npm: download it once into the cache (default: the cache)",
    )
    web.set_defaults(command=export_web)


def export_onnx(args: Namespace) -> int:
    spec = OnnxSpec(
        args.model_path,
        args.data_dir,
        args.target_backend,
        args.output_path,
        args.full_parity,
        args.pooling_type,
        args.quantize,
        args.image_size,
    )
    show(run_here("export_onnx", spec), args.json)
    return 0


def export_safetensors(args: Namespace) -> int:
    spec = SafetensorsSpec(args.model_path, args.output_path, args.verify, not args.no_metadata)
    show(run_here("export_safetensors", spec), args.json)
    return 0


def export_mapping(args: Namespace) -> int:
    spec = MappingSpec(args.model_path, args.output_path)
    show(run_here("export_mapping", spec), args.json)
    return 0


def export_web(args: Namespace) -> int:
    show(run_here("export_web", WebSpec(args.model_path, args.output_path, args.runtime)), args.json)
    return 0
