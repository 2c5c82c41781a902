"""Parses the name of a cross-validation fold: `2/5` is the second of five. Does not import numpy."""

import re

from kanji_tui.errors import UsageError


def parse_fold(text: str) -> tuple[int, int]:
    """`2/5` as two numbers; UsageError where the text names no fold."""
    if match := re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text):
        number, count = int(match[1]), int(match[2])
        if count >= 2 and 1 <= number <= count:
            return number, count
    raise UsageError(
        f"'{text}' is not a fold", "write --fold 1/5 ... --fold 5/5 for five folds; there are at least two"
    )
