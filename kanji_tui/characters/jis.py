"""Converts between JIS X 0208 codes and characters.

A JIS code is row and cell, each plus 0x20, as one 16-bit number: 0x4544 is 田. The tables are those of Python's
`iso2022_jp` codec, which follows JIS X 0208-1990.
"""

from functools import cache

from kanji_tui.allowed import matching

JIS = matching(r"(0x)?[0-9A-Fa-f]{4}", "a JIS code of four hexadecimal digits")


@cache
def jis_to_character(jis: int) -> str | None:
    """The character of a JIS X 0208 code, or None where the code has none."""
    row, cell = divmod(jis, 256)
    if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
        return None
    try:
        return (b"\x1b$B" + bytes((row, cell)) + b"\x1b(B").decode("iso2022_jp")
    except UnicodeDecodeError:
        return None


def character_of(jis: int) -> str:
    """The character of a JIS X 0208 code for display: `?` where the code has none."""
    return jis_to_character(jis) or "?"


@cache
def character_to_jis(character: str) -> int | None:
    """The JIS X 0208 code of one character, or None where it has none."""
    try:
        encoded = character.encode("iso2022_jp")
    except UnicodeEncodeError:
        return None
    if len(encoded) != 8 or not encoded.startswith(b"\x1b$B"):
        return None
    return encoded[3] * 256 + encoded[4]


def parse_code_point(text: str) -> int | None:
    """The JIS X 0208 code of a code point like `U+7530`, or None."""
    try:
        return character_to_jis(chr(int(text[2:], 16))) if text[:2].upper() == "U+" else None
    except (ValueError, OverflowError):
        return None


def name_jis(jis: int) -> str:
    """The code as text: four hexadecimal digits, `4544`."""
    return f"{jis:04X}"


def script(jis: int) -> str:
    """The script of a code: hiragana, katakana, kanji or symbol."""
    row = jis >> 8
    if row == 0x24:
        return "hiragana"
    if row == 0x25:
        return "katakana"
    return "kanji" if row >= 0x30 else "symbol"
