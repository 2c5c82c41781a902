"""The commands that analyse predictions: suspects, saliency."""

from argparse import Namespace
from pathlib import Path

from kanji_tui.cli.options import AddCommand, Parser, add_model_path
from kanji_tui.cli.render import show
from kanji_tui.cli.running import run_here
from kanji_tui.errors import UsageError
from kanji_tui.jobs.feature_maps import Spec as FeatureMapsSpec
from kanji_tui.jobs.saliency import Spec as SaliencySpec
from kanji_tui.jobs.suspects import Spec as SuspectsSpec
from kanji_tui.paths import DATA_DIR


def add(command: AddCommand) -> None:
    """Add this file's commands."""
    add_suspects(command("suspects", suspects, "list suspected label errors: a confident model disagrees"))
    add_saliency(command("saliency", saliency, "show where in an image the evidence for a character lies"))


def add_suspects(parser: Parser) -> None:
    add_model_path(parser)
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, metavar="DIR")
    parser.add_argument(
        "--split",
        choices=("test", "val", "train", "all"),
        default=SuspectsSpec.split,
        help="the model was trained on the labels of train, so errors may be hidden there (default test)",
    )
    parser.add_argument("--output-path", type=Path, default=None, metavar="FILE.tsv", help="write all as a table")


def suspects(args: Namespace) -> int:
    spec = SuspectsSpec(args.model_path, args.data_dir, args.split, args.output_path)
    show(run_here("suspects", spec), args.json)
    return 0


def add_saliency(parser: Parser) -> None:
    add_model_path(parser)
    parser.add_argument("image", nargs="?", type=Path, metavar="IMAGE", help="an image file")
    parser.add_argument(
        "--sample",
        type=int,
        nargs="+",
        default=[],
        metavar="N",
        help="instead: samples, by number",
    )
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, metavar="DIR")
    parser.add_argument("--character", default=None, metavar="C", help="(default: the predicted one)")
    parser.add_argument(
        "--output-path",
        type=Path,
        default=None,
        metavar="FILE.png",
        help="draw the map, with a .npy beside it",
    )
    layers = parser.add_mutually_exclusive_group()
    layers.add_argument(
        "--layer",
        default="",
        metavar="NAME",
        help="instead: the feature maps of this layer",
    )
    layers.add_argument(
        "--layers",
        action="store_true",
        help="list the layers of the model, with the feature maps of each if there is an image",
    )
    parser.add_argument(
        "--channels",
        type=int,
        default=FeatureMapsSpec.channels,
        metavar="N",
        help="feature maps of a layer at most, those that vary most over the image (default %(default)s)",
    )


def saliency(args: Namespace) -> int:
    if args.layer or args.layers:
        return feature_maps(args)
    spec = SaliencySpec(
        args.model_path, args.data_dir, tuple(args.sample), args.image, args.character, args.output_path
    )
    show(run_here("saliency", spec), args.json)
    return 0


def feature_maps(args: Namespace) -> int:
    if args.character is not None:
        raise UsageError("feature maps are the same for every character", "leave --character away")
    spec = FeatureMapsSpec(
        args.model_path,
        args.data_dir,
        tuple(args.sample),
        args.image,
        args.layer,
        args.channels,
        args.output_path,
    )
    show(run_here("feature_maps", spec), args.json)
    return 0
