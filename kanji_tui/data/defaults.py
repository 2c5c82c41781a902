"""Names and defaults of the data package for modules that must not load numpy."""

IMAGE_SIZE = 64  # default side of a dataset's images in pixels
SAMPLE_CLASSES = 120
SAMPLE_SETS = 40
SAMPLE_SOURCES = ("strokes", "font")  # what synthetic writers write from, the default first
SYNTHETIC_SOURCE = "drawn sample"  # the source of a dataset made from the files of `kanji-tui sample`
SYNTHETIC = "synthetic, not handwriting"


def name_source(source: str) -> str:
    """The source as lists show it, filters find it and CSV has it."""
    return "synthetic" if source == SYNTHETIC_SOURCE else source


def describe_source(source: str) -> str:
    """The source of a dataset or model as people read it: files keep an older name of synthetic samples."""
    return "synthetic samples, not handwriting" if source == SYNTHETIC_SOURCE else source
