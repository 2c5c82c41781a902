"""The forms of the Dataset screen."""

from pathlib import Path

from kanji_tui.data.defaults import SAMPLE_SOURCES
from kanji_tui.errors import KanjiError
from kanji_tui.jobs import sample
from kanji_tui.tui.shell.form import Field, FormScreen, whole

CLASSES = 3036
SIZES = ("32", "48", "64", "96", "128")
DETECTED = "detected"
LABELS_HELP = {
    DETECTED: "Folders of images named by four hexadecimal digits are read as code points or as JIS codes, "
    "whichever makes more of them characters.",
    "unicode": "A folder of images named 7530 is U+7530, 田.",
    "jis": "A folder of images named 4544 is JIS 4544, 田.",
    "character": "Hexadecimal digits are no labels: only folders named like 田 or U+7530 count.",
}
QUARANTINE_HELP = {
    "no": "Where more than 1 % of the records, and at least 10, are unusable, nothing is changed.",
    "yes": "Prepare the other records, however many are unusable. quarantine.tsv lists them.",
}


def sample_form() -> FormScreen:
    """Classes, writers and seed of a synthetic sample."""
    return FormScreen(
        "Make a synthetic sample",
        "SYNTHETIC SAMPLE, not handwriting: strokes or a font, bent and drawn in another way for each writer.",
        (
            Field(
                "classes",
                "characters",
                str(sample.Spec.classes),
                f"How many of the {CLASSES:,} characters, hiragana and kanji. More take longer to train.",
                whole(2, CLASSES),
            ),
            Field(
                "sets",
                "writers",
                str(sample.Spec.sets),
                "Synthetic writers: each writes every character once, four in a file. A split never divides one.",
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
                    "strokes": "The strokes of KanjiVG (pip install kanjivg): closest to handwriting.",
                    "font": "The glyphs of a Japanese font: learned fast, far from handwriting.",
                },
                choices=SAMPLE_SOURCES,
            ),
        ),
        "Make",
    )


def prepare_form(folder: str, size: int) -> FormScreen:
    """The folder of the record files, the size of the images, and what to do about doubtful input."""
    return FormScreen(
        "Prepare a dataset",
        "",
        (
            Field(
                "etl_dir",
                "record files",
                folder,
                "The folder with ETL9G or ETL8G files, Kuzushiji npz pairs, or a folder of images for each "
                "character. They are only read.",
                existing_folder,
            ),
            Field(
                "size",
                "image side",
                str(size),
                "In pixels. 64 is usual; 32 trains about four times as fast.",
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
    path = Path(text).expanduser()
    if not text or not path.is_dir():
        raise KanjiError(f"there is no folder '{text}'")
    return path
