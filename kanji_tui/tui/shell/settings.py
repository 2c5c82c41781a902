"""What the workbench remembers from one start to the next: $XDG_CONFIG_HOME/kanji-tui/settings.json."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from kanji_tui.errors import KanjiError
from kanji_tui.system.files import read_json, write_json


@dataclass(frozen=True)
class Settings:
    """`look`: the name of the chosen theme, empty while none was chosen."""

    look: str = ""


def settings_file() -> Path:
    """Where the settings are kept; $XDG_CONFIG_HOME counts only as an absolute path, as its standard says."""
    chosen = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    folder = chosen if chosen.is_absolute() else Path("~/.config").expanduser()
    return folder / "kanji-tui" / "settings.json"


def read_settings() -> Settings:
    """The settings as they were kept; the defaults where there are none, or none that can be read."""
    try:
        look = read_json(settings_file()).get("look")
    except (KanjiError, RuntimeError):  # RuntimeError: a user without a home
        return Settings()
    return Settings(look if isinstance(look, str) else "")


def write_settings(settings: Settings) -> None:
    """Keep the settings, whole or not at all; KanjiError where they cannot be written."""
    write_json(settings_file(), asdict(settings))
