"""Makes text of others fit for a terminal: what would colour, move or reorder what is shown becomes visible text.

Everything that leaves this program as text goes through `visible` (stdout, stderr, log.txt) or through
`visible_cells` (the workbench, where the width of a text is fixed before it is painted).
"""

import re

# Controls (C0, delete, C1), marks of direction, invisible separators, separators of lines and paragraphs, tags, and
# halves of characters. Not the selectors of variants, which Japanese names need.
HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str, lines: bool = False) -> str:
    """The text with hidden characters as escapes, like \\x1b; with `lines`, line feeds stay what they are."""
    if text.isprintable():
        return text
    return HIDDEN.sub(lambda found: found[0] if lines and found[0] == "\n" else _escape(found[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    if character in NAMED:
        return NAMED[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible_json(text: str) -> str:
    """JSON on one line that says the same without hidden characters."""
    if text.isprintable():
        return text
    return HIDDEN.sub(_json_escape, text)


def _json_escape(found: re.Match[str]) -> str:
    code = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{code[place : place + 2].hex()}" for place in range(0, len(code), 2))


def visible_cells(text: str) -> str:
    """The text without hidden characters, which take no cell; a tab becomes a space."""
    return text if text.isprintable() else HIDDEN.sub(lambda found: " " if found[0] == "\t" else "", text)
