"""The commands for the machine and the data: preflight, sample, prepare, verify."""

from argparse import Namespace
from pathlib import Path

from kanji_tui.characters.character_sets import CHARACTER_SETS
from kanji_tui.cli.options import AddCommand, Parser, positive
from kanji_tui.cli.render import show
from kanji_tui.cli.running import code_of, run_here
from kanji_tui.data.defaults import SAMPLE_SOURCES
from kanji_tui.data.folder_names import LABELS
from kanji_tui.jobs.preflight import Spec as PreflightSpec
from kanji_tui.jobs.prepare import Spec as PrepareSpec
from kanji_tui.jobs.sample import Spec as SampleSpec
from kanji_tui.jobs.verify import Spec as VerifySpec
from kanji_tui.paths import DATA_DIR


def add(command: AddCommand) -> None:
    """Add this file's commands."""
    command("preflight", preflight, "check the machine, the data and the terminal")
    add_sample(command("sample", sample, "make synthetic ETL9G record files (not handwriting)"))
    add_prepare(command("prepare", prepare, "prepare a dataset of small images from record files"))
    add_verify(command("verify", verify, "check that a dataset is complete and its images are plausible"))


def preflight(args: Namespace) -> int:
    result = run_here("preflight", PreflightSpec())
    show(result, args.json)
    return code_of(result)


def add_sample(parser: Parser) -> None:
    parser.add_argument("--output-dir", type=Path, default=SampleSpec.output_dir, metavar="DIR")
    parser.add_argument(
        "--classes",
        type=positive,
        default=None,
        metavar="N",
        help=f"how many of the characters (default {SampleSpec.classes}, with --characters kana all of them)",
    )
    parser.add_argument(
        "--sets",
        type=positive,
        default=SampleSpec.sets,
        metavar="N",
        help=f"synthetic writers, one data set each, four in a file (default {SampleSpec.sets})",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="same seed, same files (default 0)")
    parser.add_argument(
        "--characters",
        choices=CHARACTER_SETS,
        default=SampleSpec.characters,
        help="etl9g: its 3,036 classes (default); kana: hiragana, katakana, ー; all: these, small kana, 々 〆 〇, "
        "digits and Latin letters",
    )
    parser.add_argument(
        "--source",
        choices=SAMPLE_SOURCES,
        default=SampleSpec.source,
        help="what synthetic writers write: strokes of KanjiVG, or the glyphs of a Japanese font "
        f"(default {SampleSpec.source})",
    )


def sample(args: Namespace) -> int:
    classes = SampleSpec.classes if args.classes is None and args.characters != "kana" else args.classes
    spec = SampleSpec(args.output_dir, classes, args.sets, args.seed, args.source, args.characters)
    show(run_here("sample", spec), args.json)
    return 0


def add_prepare(parser: Parser) -> None:
    parser.add_argument(
        "--etl-dir", type=Path, default=PrepareSpec.etl_dir, metavar="DIR", help="the files (default ETL9G)"
    )
    parser.add_argument(
        "--output-dir", type=Path, default=PrepareSpec.output_dir, metavar="DIR", help="(default dataset)"
    )
    parser.add_argument(
        "--size", type=positive, default=PrepareSpec.size, metavar="N", help="image side in pixels (default 64)"
    )
    parser.add_argument("--workers", type=positive, default=None, metavar="N", help="threads (default: all cores)")
    parser.add_argument(
        "--format",
        choices=("etl9g", "etl8g", "kuzushiji", "images"),
        default=None,
        help="the format of the files (default: detected)",
    )
    parser.add_argument(
        "--labels",
        choices=tuple(LABELS),
        default=None,
        help="what folder names of hexadecimal digits are: code points, JIS codes, or no labels, so that only "
        "names like 田 and U+7530 count (default: decided over all folders)",
    )
    parser.add_argument(
        "--accept-quarantine",
        action="store_true",
        help="prepare even where more than 1 %% of the records, and at least 10, are unusable",
    )


def prepare(args: Namespace) -> int:
    spec = PrepareSpec(
        args.etl_dir, args.output_dir, args.size, args.workers, args.format, args.labels, args.accept_quarantine
    )
    show(run_here("prepare", spec), args.json)
    return 0


def add_verify(parser: Parser) -> None:
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, metavar="DIR")
    parser.add_argument("--test-model", action="store_true", help="train a network on the dataset for ten steps")
    parser.add_argument(
        "--contact-sheet", type=Path, default=None, metavar="FILE.png", help="draw samples to an image file"
    )
    parser.add_argument(
        "--unusual",
        type=positive,
        default=0,
        nargs="?",
        const=10,
        metavar="N",
        help="find outliers: the N samples of each class that are least like it (default 10)",
    )


def verify(args: Namespace) -> int:
    spec = VerifySpec(args.data_dir, args.test_model, args.contact_sheet, args.unusual)
    result = run_here("verify", spec)
    show(result, args.json)
    return code_of(result)
