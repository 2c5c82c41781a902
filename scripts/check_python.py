"""Says in one sentence when this Python is too old; runs on any Python."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "kanji-tui needs Python 3.11 or newer, and this is {}.{}. With another one: make PYTHON=python3.12 run".format(
            *sys.version_info[:2]
        )
    )
