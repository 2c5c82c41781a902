"""Reads the name of a class folder as a character of JIS X 0208. Does not import numpy.

A folder is named by the character (田), its code point (U+7530, u7530, uni7530), or hexadecimal digits: a code
point, 7530 or 0x7530 (so writes the etlcdb-image-extractor, which the database's site names), or a JIS code, 4544.
Four digits may be both: the code points of 684 of ETL9G's 3,036 classes are JIS codes of other characters. So all
names of digits are read alike: as code points or as JIS codes, whichever makes more of them characters.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from kanji_tui.characters.jis import character_of, character_to_jis, jis_to_character, parse_code_point
from kanji_tui.errors import UsageError

LABELS = {"unicode": "Unicode code points", "jis": "JIS codes", "character": "no characters"}
DIGITS = re.compile(r"(0x)?([0-9a-f]{1,6})", re.IGNORECASE)
CODE_POINT = re.compile(r"(?:u\+|uni|u)([0-9a-f]{4,6})", re.IGNORECASE)
FIRST_BARE = 0x3000  # kana and kanji begin here: a folder 2026 is a year, not an ellipsis


@dataclass(frozen=True)
class Reading:
    """How folder names of hexadecimal digits are read: a key of LABELS, or empty where no folder has such a name.

    `notice` says what was decided where some names could have been read otherwise; else it is empty.
    """

    labels: str
    notice: str = ""


def choose_reading(names: Iterable[str], labels: str | None = None) -> Reading:
    """The reading of the names of a dataset's folders; `labels` None: decided from all of them together.

    Raises UsageError for labels that are not in LABELS.
    """
    if labels is not None and labels not in LABELS:
        raise UsageError(f"the labels '{labels}' are not known", f"choose one of: {', '.join(LABELS)}")
    digits = [name for name in names if DIGITS.fullmatch(name.strip())]
    if not digits or labels is not None:
        return Reading(labels if digits and labels else "")
    characters = {each: {name for name in digits if parse_class(name, each)} for each in ("unicode", "jis")}
    chosen, other = "unicode", "jis"
    if len(characters["jis"]) > len(characters["unicode"]):
        chosen, other = other, chosen
    both = sorted(characters["unicode"] & characters["jis"])
    if not both:
        return Reading(chosen)
    jis = parse_class(both[0], chosen) or 0
    return Reading(
        chosen,
        f"folder names of hexadecimal digits are read as {LABELS[chosen]}: {both[0]} is {character_of(jis)}. "
        f"As {LABELS[chosen]} {len(characters[chosen]):,} of {len(digits):,} are characters, as {LABELS[other]} "
        f"{len(characters[other]):,}. To read them otherwise: --labels {other}",
    )


def parse_class(name: str, labels: str) -> int | None:
    """The JIS X 0208 code of a folder's name, or None; `labels`: how hexadecimal digits are read, see LABELS.

    Composes the name first: macOS stores が as two letters.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if len(name) == 1:
        return character_to_jis(name)
    if match := CODE_POINT.fullmatch(name):
        return parse_code_point(f"U+{match[1]}")
    if not (match := DIGITS.fullmatch(name)):
        return None
    prefix, digits = match.groups()
    code = int(digits, 16)
    if labels == "jis":
        return code if len(digits) == 4 and jis_to_character(code) else None
    if labels == "character" or (not prefix and (len(digits) != 4 or code < FIRST_BARE)):
        return None
    return character_to_jis(chr(code)) if code <= 0x10FFFF else None
