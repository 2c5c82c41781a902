"""The settings that the workbench keeps between starts: $XDG_CONFIG_HOME/kanji-tui/settings.json."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from kanji_tui.errors import KanjiError
from kanji_tui.system.files import read_json, write_json


@dataclass(frozen=True)
class Settings:
    """`theme`: the name of the chosen theme, empty if none was chosen."""

    theme: str = ""


def settings_file() -> Path:
    """The path of the settings; $XDG_CONFIG_HOME must be absolute, by the XDG specification."""
    chosen = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    folder = chosen if chosen.is_absolute() else Path("~/.config").expanduser()
    return folder / "kanji-tui" / "settings.json"


def read_settings() -> Settings:
    """The saved settings; the defaults where there are none that can be read."""
    try:
        saved = read_json(settings_file())
    except (KanjiError, RuntimeError):  # RuntimeError: a user without a home
        return Settings()
    theme = saved.get("theme", saved.get("look"))  # older files have the key `look`
    return Settings(theme if isinstance(theme, str) else "")


def write_settings(settings: Settings) -> None:
    """Save the settings, whole or not at all; KanjiError where they cannot be written."""
    write_json(settings_file(), asdict(settings))
