"""What a person calls a run and says of it: `about.json` in its directory, which may be edited at any time."""

import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from kanji_tui.allowed import TEXT, at_most, matching
from kanji_tui.errors import KanjiError
from kanji_tui.system.files import parse_json, read_bytes, write_json
from kanji_tui.system.plain_data import from_plain

ABOUT = "about.json"
NAME_LENGTH, NOTE_LENGTH = 80, 4000  # characters
MOST_BYTES = 2**20  # of the file
LINE = matching(r"[^\x00-\x1f\x7f\ud800-\udfff]*", "one line of text")


@dataclass(frozen=True)
class About:
    """`name`: a short one, beside that of the directory. `note`: what the run is for. Both may be empty."""

    name: Annotated[str, LINE, at_most(NAME_LENGTH)] = ""
    note: Annotated[str, TEXT, at_most(NOTE_LENGTH)] = ""


def about_from(name: str | None, note: str | None, before: About | None = None) -> About:
    """`before` with the name and the note that are given; UsageError for a text that cannot be one."""
    given = {key: text.strip() for key, text in (("name", name), ("note", note)) if text is not None}
    return from_plain(About, {**asdict(before or About()), **given}, "the run")


def read_about(run: Path) -> About:
    """What about.json in the run's directory says, as far as it fits; the note says what does not.

    A person may have written it: a longer text is cut, and one that is not readable is no reason to lose the other.
    """
    try:
        known = _read(run)
    except KanjiError as error:
        return About(note=error.message)
    name, note = (text if isinstance(text := known.get(key), str) else "" for key in ("name", "note"))
    line = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", name).split())
    return About(_cut(line, NAME_LENGTH, "…"), _cut(note, NOTE_LENGTH, f" … (of {len(note):,} characters)"))


def write_about(run: Path, about: About) -> None:
    """Write what is new into about.json in the run's directory; all else there stays as a person wrote it.

    KanjiError where the file cannot be read, since what it says would be lost, and where the run was deleted.
    """
    if not run.is_dir():
        raise KanjiError(f"the run {run.name} was deleted", "see which there are: kanji-tui runs")
    known, shown = _read(run), asdict(read_about(run))
    new = {key: text for key, text in asdict(about).items() if key not in known or text != shown[key]}
    write_json(run / ABOUT, {**known, **new})


def _read(run: Path) -> dict[str, Any]:
    """The file's fields; none where there is no file."""
    path = run / ABOUT
    if not os.path.lexists(path):
        return {}
    try:
        return parse_json(read_bytes(path, MOST_BYTES), path)
    except KanjiError as error:
        raise KanjiError(error.message, f"repair {path} in an editor, or delete it") from None


def _cut(text: str, most: int, end: str) -> str:
    """The text, or its beginning and `end`; halves of characters are shown as what they are not."""
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= most else whole[: most - len(end)] + end


def about_of_resumed(spec: Any) -> About:
    """What is said of the run that a spec resumes: the run that goes on is about the same."""
    resumed = getattr(spec, "resume", None)
    with suppress(KanjiError):  # a new run begins without what cannot be read of the other
        if isinstance(resumed, Path) and _read(resumed):
            return read_about(resumed)
    return About()


def continued_run(spec: dict[str, Any]) -> str | None:
    """The name of the run that the plain spec of a run resumes; None where it began anew."""
    resumed = spec.get("resume")
    return Path(resumed).name if isinstance(resumed, str) and resumed else None
