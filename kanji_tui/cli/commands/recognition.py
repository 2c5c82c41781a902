"""The commands about what a model sees: suspects, saliency."""

from argparse import Namespace
from pathlib import Path

from kanji_tui.cli.options import AddCommand, Parser, add_model_path
from kanji_tui.cli.render import show
from kanji_tui.cli.running import run_here
from kanji_tui.jobs.saliency import Spec as SaliencySpec
from kanji_tui.jobs.suspects import Spec as SuspectsSpec
from kanji_tui.paths import DATA_DIR


def add(command: AddCommand) -> None:
    """Add this file's commands."""
    add_suspects(command("suspects", suspects, "list the samples whose label a trained model is sure is wrong"))
    add_saliency(command("saliency", saliency, "show what in a picture speaks for a character"))


def add_suspects(parser: Parser) -> None:
    add_model_path(parser)
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, metavar="DIR")
    parser.add_argument(
        "--split",
        choices=("test", "val", "train", "all"),
        default=SuspectsSpec.split,
        help="of the train split the model learned the labels, wrong ones too (default test)",
    )
    parser.add_argument("--output-path", type=Path, default=None, metavar="FILE.tsv", help="write them as a table")


def suspects(args: Namespace) -> int:
    spec = SuspectsSpec(args.model_path, args.data_dir, args.split, args.output_path)
    show(run_here("suspects", spec), args.json)
    return 0


def add_saliency(parser: Parser) -> None:
    add_model_path(parser)
    parser.add_argument("image", nargs="?", type=Path, metavar="IMAGE", help="an image file")
    parser.add_argument(
        "--sample", type=int, nargs="+", default=[], metavar="N", help="or samples of the dataset, by number"
    )
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, metavar="DIR")
    parser.add_argument("--character", default=None, metavar="C", help="(default: the one the model sees)")
    parser.add_argument(
        "--output-path", type=Path, default=None, metavar="FILE.png", help="draw it, with the array beside as .npy"
    )


def saliency(args: Namespace) -> int:
    spec = SaliencySpec(
        args.model_path, args.data_dir, tuple(args.sample), args.image, args.character, args.output_path
    )
    show(run_here("saliency", spec), args.json)
    return 0
