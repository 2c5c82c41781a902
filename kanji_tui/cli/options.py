"""Options of several commands, and the parsers of their values."""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from kanji_tui.allowed import MOST
from kanji_tui.characters.character_sets import CHARACTER_SETS
from kanji_tui.errors import UsageError
from kanji_tui.paths import BUILT_IN, DEFAULT_MODEL

Command = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """argparse's parser, with UsageError for what it cannot parse.

    `signed`: options whose value may begin with `-`.
    """

    signed: frozenset[str] = frozenset()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """argparse takes `--option=--` for an option without a value, and `-value` for another option."""
        given = sys.argv[1:] if args is None else list(args)
        for text in given:
            if text.startswith("--") and text.endswith("=--"):
                raise UsageError(f"{text} gives no value", f"{self.prog} --help")
        return super().parse_known_args(_joined(given, self.signed), namespace)

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"{self.prog} --help")


def _joined(given: list[str], signed: frozenset[str]) -> list[str]:
    """`--sort -best` as `--sort=-best`."""
    joined: list[str] = []
    for text in given:
        if joined and joined[-1] in signed and re.match("-[^-]", text):
            joined[-1] += f"={text}"
        else:
            joined.append(text)
    return joined


AddCommand = Callable[[str, Command, str], Parser]  # name, function, help


def add_model_path(parser: Parser) -> None:
    parser.add_argument(
        "--model-path",
        type=Path,
        default=DEFAULT_MODEL,
        metavar="FILE",
        help=f".pth, .safetensors, .onnx or {BUILT_IN} (default {DEFAULT_MODEL})",
    )


def add_characters(parser: Parser) -> None:
    parser.add_argument(
        "--characters",
        choices=CHARACTER_SETS,
        default=None,
        help="what may stand there: decides between look-alikes, 口 or ロ (default: kanji and hiragana first)",
    )


def positive(text: str) -> int:
    """A whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is too small: 1 or more")
    if value > MOST:
        raise argparse.ArgumentTypeError(f"{value} is too large: {MOST:,} or less")
    return value


def shares(text: str) -> tuple[float, float, float]:
    """`70/15/15` as three numbers."""
    try:
        train, validation, test = (float(part) for part in text.split("/"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not three numbers like 70/15/15") from None
    return train, validation, test
