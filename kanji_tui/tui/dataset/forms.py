"""The forms of the Dataset screen."""

from pathlib import Path
from typing import Any

from kanji_tui.characters.character_sets import CHARACTER_SETS, codes_of
from kanji_tui.data.defaults import SAMPLE_SOURCES
from kanji_tui.jobs import sample
from kanji_tui.tui.shell.form import Field, FormScreen, whole

MOST_CLASSES = 3200  # in the largest set
SIZES = ("32", "48", "64", "96", "128")
DETECTED = "detected"
LABELS_HELP = {
    DETECTED: "Folders of images may be named by four hexadecimal digits: a Unicode code point or a JIS code. "
    "Read as the one that gives more characters.",
    "unicode": "Four hexadecimal digits are a Unicode code point: folder 7530 has images of 田.",
    "jis": "Four hexadecimal digits are a JIS code: folder 4544 has images of 田.",
    "character": "Only folders named like 田 or U+7530 are read, not those named by four hexadecimal digits.",
}
QUARANTINE_HELP = {
    "no": "If at least 10 records, and more than 1 % of all, are unusable, preparing fails and changes nothing.",
    "yes": "However many records are unusable, the others are prepared. quarantine.tsv lists the unusable ones.",
}


def sample_form() -> FormScreen:
    """Characters, writers, seed and source of a synthetic sample."""
    return FormScreen(
        "Make a synthetic sample",
        "SYNTHETIC SAMPLE, not handwriting. Each synthetic writer has a style: slant, size, stroke width, shapes.",
        (
            Field(
                "classes",
                "characters",
                str(sample.Spec.classes),
                "How many characters of the set, evenly spread. More characters take longer to train.",
                whole(2, MOST_CLASSES),
            ),
            Field(
                "characters",
                "set",
                sample.Spec.characters,
                {
                    "etl9g": "The 3,036 hiragana and kanji of ETL9G.",
                    "kana": "148 hiragana and katakana, without the small ones.",
                    "all": "3,200: both, and the small kana, 々 〆 〇, digits and Latin letters.",
                },
                choices=CHARACTER_SETS,
            ),
            Field(
                "sets",
                "writers",
                str(sample.Spec.sets),
                "How many synthetic writers. Each writes every character once; a file holds four writers.",
                whole(1, 1000),
            ),
            Field(
                "seed",
                "seed",
                str(sample.Spec.seed),
                "The same seed makes the same files, byte for byte.",
                whole(0),
            ),
            Field(
                "source",
                "source",
                sample.Spec.source,
                {
                    "strokes": "Strokes of KanjiVG (pip install kanjivg). Closer to handwriting than a font.",
                    "font": "Glyphs of a Japanese font. Quick to learn, but unlike handwriting.",
                },
                choices=SAMPLE_SOURCES,
            ),
        ),
        "Make",
        check=_problem_of_sample,
    )


def _problem_of_sample(values: dict[str, Any]) -> str:
    """Whether the set has so many characters."""
    most = len(codes_of(values["characters"]))
    return f"characters must be from 2 to {most:,}, all of the set" if values["classes"] > most else ""


def prepare_form(folder: str, size: int) -> FormScreen:
    """The folder of the input, the size of the images, and what to do about doubtful input."""
    return FormScreen(
        "Prepare a dataset",
        "",
        (
            Field(
                "etl_dir",
                "input folder",
                folder,
                "A folder with ETL9G or ETL8G files, pairs of Kuzushiji npz files, or a subfolder of images for "
                "each character. Nothing in it is changed. Tab completes.",
                existing_folder,
                path=(),
            ),
            Field(
                "size",
                "image side",
                str(size),
                "The width and height of the images in pixels. 64 is usual; 32 trains about four times as fast.",
                int,
                choices=SIZES if str(size) in SIZES else (str(size), *SIZES),
            ),
            Field(
                "labels",
                "labels",
                DETECTED,
                LABELS_HELP,
                lambda text: None if text == DETECTED else text,
                choices=tuple(LABELS_HELP),
            ),
            Field(
                "accept_quarantine",
                "accept quarantine",
                "no",
                QUARANTINE_HELP,
                lambda text: text == "yes",
                choices=tuple(QUARANTINE_HELP),
            ),
        ),
        "Prepare",
    )


def existing_folder(text: str) -> Path:
    """An existing folder; `~` is the home folder."""
    if not text:
        raise ValueError("type the path of a folder")
    path = Path(text).expanduser()
    if not path.is_dir():
        raise ValueError(f"'{text}' is a file" if path.exists() else f"there is no folder '{text}'")
    return path
