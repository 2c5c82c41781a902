"""What the commands on data take unless told otherwise; free of numpy, for whoever only shows it."""

IMAGE_SIZE = 64  # pixels a side of a dataset's images
SAMPLE_CLASSES = 120
SAMPLE_SETS = 40
