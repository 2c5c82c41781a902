"""Names and numbers of the data that others show without opening any; free of numpy."""

IMAGE_SIZE = 64  # pixels a side of a dataset's images, unless told otherwise
SAMPLE_CLASSES = 120
SAMPLE_SETS = 40
DRAWN = "drawn sample"  # the source of a dataset that `kanji-tui sample` drew
