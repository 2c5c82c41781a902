"""Exits with a message if this Python is too old; runs on any Python."""

import sys

NEEDED = (3, 11)
if sys.version_info[:2] < NEEDED:
    sys.exit(
        "kanji-tui needs Python 3.11 or newer, and this is {}.{}. With another: make PYTHON=python3.12 run".format(
            *sys.version_info[:2]
        )
    )
