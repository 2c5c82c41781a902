"""`python -m kanji_tui` is `kanji-tui`."""

import sys

from kanji_tui.cli import main

sys.exit(main())
