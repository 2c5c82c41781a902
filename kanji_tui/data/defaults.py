"""Names and defaults of the data package for modules that must not load numpy."""

IMAGE_SIZE = 64  # default side of a dataset's images in pixels
SAMPLE_CLASSES = 120
SAMPLE_SETS = 40
SAMPLE_SOURCES = ("strokes", "font")  # what synthetic writers write from, the default first
SYNTHETIC_SOURCE = "drawn sample"  # the source of a dataset made from the files of `kanji-tui sample`
