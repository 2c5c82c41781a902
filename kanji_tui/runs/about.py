"""What a person calls a run and says of it: `about.json` in its directory, which may be edited at any time."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from kanji_tui.allowed import TEXT, at_most, matching
from kanji_tui.errors import KanjiError
from kanji_tui.system.files import write_json
from kanji_tui.system.plain_data import from_plain, read_as

ABOUT = "about.json"
LINE = matching(r"[^\x00-\x1f\x7f\ud800-\udfff]*", "one line of text")


@dataclass(frozen=True)
class About:
    """`name`: a short one, beside that of the directory. `note`: what the run is for. Both may be empty."""

    name: Annotated[str, LINE, at_most(80)] = ""
    note: Annotated[str, TEXT, at_most(4000)] = ""


def about_from(name: str | None, note: str | None, before: About | None = None) -> About:
    """`before` with the name and the note that are given; UsageError for a text that cannot be one."""
    given = {key: text.strip() for key, text in (("name", name), ("note", note)) if text is not None}
    return from_plain(About, {**asdict(before or About()), **given}, "the run")


def read_about(run: Path) -> About:
    """What about.json in the run's directory says; nothing where it is missing or damaged."""
    try:
        return read_as(About, run / ABOUT)
    except KanjiError:
        return About()


def write_about(run: Path, about: About) -> None:
    """Replace about.json in the run's directory."""
    write_json(run / ABOUT, asdict(about))


def about_of_resumed(spec: Any) -> About:
    """What is said of the run that a spec resumes: the run that goes on is about the same."""
    resumed = getattr(spec, "resume", None)
    return read_about(resumed) if isinstance(resumed, Path) else About()


def continued_run(spec: dict[str, Any]) -> str | None:
    """The name of the run that the plain spec of a run resumes; None where it began anew."""
    resumed = spec.get("resume")
    return Path(resumed).name if isinstance(resumed, str) and resumed else None
