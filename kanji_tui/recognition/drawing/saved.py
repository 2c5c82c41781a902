"""Saves drawings as labelled samples, samples/<character>/<UTC time>-<n>.png, for `prepare --format images`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from PIL import Image

from kanji_tui.characters.jis import jis_to_character
from kanji_tui.data.folder_names import parse_class
from kanji_tui.errors import UsageError
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.strokes import Stroke, render
from kanji_tui.system.files import inside, replacing, writing_failed


def save_sample(strokes: Sequence[Stroke], label: str, style: StrokeStyle, folder: Path) -> Path:
    """Save a drawing, dark ink on white, in the subfolder of its character; returns the file's path.

    `label` is the character, its JIS code (4544) or its code point (U+7530). Raises UsageError for anything else.
    """
    character = jis_to_character(parse_class(label, "jis") or 0)
    if character is None:
        raise UsageError(
            f"'{label}' is not a character of JIS X 0208",
            "give the character, its JIS code or code point: 田, 4544",
        )
    image = Image.fromarray(render(strokes, style))
    path = _reserve(inside(folder, character))
    try:
        with replacing(path) as beside:
            image.save(beside, "PNG")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _reserve(folder: Path) -> Path:
    """A new empty file in `folder`, named by the time; two processes never get the same one."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            path = folder / f"{stamp}-{number}.png"
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise writing_failed(folder, error) from error
    raise AssertionError("numbers do not end")
