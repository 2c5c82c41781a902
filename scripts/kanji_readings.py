"""Write the readings of the JIS level-1 kanji from KANJIDIC2: kanji_tui/characters/facts/readings.tsv.

    pip install jamdict-data==1.5    # a database of 310 MiB, into an environment of its own
    python scripts/kanji_readings.py

KANJIDIC2 is of the Electronic Dictionary Research and Development Group (EDRDG), CC BY-SA 4.0; the package holds it
as of 17 April 2021.
"""

import sqlite3
from collections import defaultdict
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from kanji_tui.characters.character_sets import CLOSING, ITERATION, ZERO
from kanji_tui.characters.classes import etl9g_classes
from kanji_tui.characters.jis import character_of

FILE = Path(__file__).parents[1] / "kanji_tui" / "characters" / "facts" / "readings.tsv"
PACKAGE, VERSION = "jamdict-data", "1.5"
QUERY = """
    SELECT literal, r_type, value FROM reading
    JOIN rm_group ON rm_group.id = gid JOIN character ON character.id = cid
    WHERE r_type IN ('ja_on', 'ja_kun') ORDER BY reading.rowid
"""
HEAD = """\
# kanji, on-readings, kun-readings: KANJIDIC2 (EDRDG, CC BY-SA 4.0) of {}, from the package {} {}
# A full stop stands before the okurigana, a hyphen where something precedes or follows. In the order of JIS X 0208.
kanji\ton\tkun
"""


def main() -> None:
    if (found := version(PACKAGE)) != VERSION:
        raise SystemExit(f"{PACKAGE} {found} is installed: give its date in this script, then change VERSION")
    package = find_spec("jamdict_data")
    assert package is not None
    assert package.origin is not None
    readings: dict[tuple[str, str], list[str]] = defaultdict(list)
    with sqlite3.connect(Path(package.origin).with_name("jamdict.db")) as database:
        for kanji, kind, reading in database.execute(QUERY):
            if reading not in readings[kanji, kind]:
                readings[kanji, kind].append(reading)
    others = (character_of(jis) for jis in (ITERATION, CLOSING, ZERO))
    kanji = (*others, *(known.character for known in etl9g_classes() if known.jis >= 0x3000))
    rows = ((each, *(" ".join(readings[each, kind]) for kind in ("ja_on", "ja_kun"))) for each in kanji)
    lines = ["\t".join(row) for row in rows if any(row[1:])]
    FILE.write_text(HEAD.format("17 April 2021", PACKAGE, VERSION) + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines):,} kanji in {FILE}, {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
