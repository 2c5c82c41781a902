"""What a request of the service may hold: a PNG or JPEG image, or strokes as JSON. Anything else is refused.

The kind is found from the bytes, since programs send images under many content types.
"""

import json
from codecs import BOM_UTF8
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from kanji_tui.data.image_files import NOT_READABLE, TooManyPixels, decode_colours
from kanji_tui.errors import KanjiError, first_line
from kanji_tui.recognition.recogniser import check_strokes, count_points

MOST_BYTES = 4 * 2**20
MOST_PIXELS = 16 * 2**20  # of an image as it is decoded; a larger JPEG is decoded at a fraction of its size
MOST_POINTS = 10_000  # of a drawing; a minute of a quick pen has some 4,000
MOST_TOP, DEFAULT_TOP = 100, 10
MAGIC = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG"}
KINDS = 'send a PNG or JPEG image, or {"strokes": [[[x, y], ...], ...]}'


class Refusal(KanjiError):
    """A request that is not answered. `status`: the HTTP status, 4xx or 503."""

    def __init__(self, status: int, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.status = status

    def to_json(self) -> dict[str, str | int]:
        return {"message": self.message, "remedy": self.remedy, "code": self.status}


def read_top(text: str | None) -> int:
    """How many candidates are asked for; Refusal unless a whole number from 1 to MOST_TOP."""
    if text is None:
        return DEFAULT_TOP
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MOST_TOP):
        raise Refusal(400, f"top must be a whole number from 1 to {MOST_TOP}")
    return int(text)


def read_body(body: bytes) -> np.ndarray | list[np.ndarray]:
    """An image's colours, uint8 (H, W, 3) or (H, W), or strokes, each float64 (N, 2).

    Raises Refusal for anything else.
    """
    for magic, kind in MAGIC.items():
        if body.startswith(magic):
            return _decode(body, kind)
    text = body.removeprefix(BOM_UTF8)  # which Windows writes before a text
    if text.lstrip()[:1] in (b"{", b"["):
        return _strokes(text)
    if not body:
        raise Refusal(400, "the request has no body", KINDS)
    raise Refusal(415, "the body is neither a PNG or JPEG image nor JSON", KINDS)


def _decode(body: bytes, kind: str) -> np.ndarray:
    try:
        return decode_colours(body, (kind,), MOST_PIXELS)
    except (TooManyPixels, Image.DecompressionBombError):
        most = f"at most {MOST_PIXELS >> 20} megapixels are read"
        raise Refusal(413, f"the image has too many pixels: {most}", "send a smaller copy of it") from None
    except UnidentifiedImageError:  # its message names an object of ours
        raise Refusal(400, f"the {kind} image is damaged", KINDS) from None
    except NOT_READABLE as error:
        raise Refusal(400, f"the {kind} image is damaged: {first_line(error)}", KINDS) from None


def _strokes(body: bytes) -> list[np.ndarray]:
    try:
        value: Any = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"the body is no JSON: {first_line(error)}", KINDS) from None
    if not isinstance(value, dict) or set(value) != {"strokes"} or not isinstance(value["strokes"], list):
        raise Refusal(400, "the JSON must be an object with the field strokes, a list", KINDS)
    if count_points(value["strokes"]) > MOST_POINTS:
        raise Refusal(413, f"the strokes have more than {MOST_POINTS:,} points", "send fewer")
    try:
        return check_strokes(value["strokes"])
    except KanjiError as error:
        raise Refusal(400, error.message, error.remedy) from None


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not a number")
