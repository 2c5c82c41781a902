"""The forms of the Dataset screen."""

from pathlib import Path

from kanji_tui.data.defaults import SAMPLE_SOURCES
from kanji_tui.errors import KanjiError
from kanji_tui.jobs import sample
from kanji_tui.tui.shell.form import Field, FormScreen, whole

CLASSES = 3036
SIZES = ("32", "48", "64", "96", "128")


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
    """The folder of the record files and the size of the images."""
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
        ),
        "Prepare",
    )


def existing_folder(text: str) -> Path:
    """An existing folder; `~` is the home folder."""
    path = Path(text).expanduser()
    if not text or not path.is_dir():
        raise KanjiError(f"there is no folder '{text}'")
    return path
