"""What to type where there are no record files, or no dataset yet: the same advice everywhere."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shlex import quote

from kanji_tui.paths import DATA_DIR, ETL_DIR

INSTALL_KANJIVG = "pip install kanjivg"


def sample_command(directory: Path, joined_by: str = ", then ", install: str = INSTALL_KANJIVG) -> str:
    """What makes a synthetic sample in the folder; where KanjiVG is missing, first what installs it."""
    return f"{'' if has_kanjivg() else install + joined_by}{_command('sample', directory, ETL_DIR)}"


def dataset_advice(directory: Path) -> str:
    """How to come by a dataset in the folder: from one's own files, or from a synthetic sample."""
    prepare = _command("prepare", directory, DATA_DIR)
    return f"prepare record files or folders of images: {prepare}; without any, first: {sample_command(ETL_DIR)}"


def has_kanjivg() -> bool:
    """Whether the strokes are installed that synthetic writers write."""
    try:
        return bool(version("kanjivg"))
    except PackageNotFoundError:
        return False


def _command(name: str, directory: Path, default: Path) -> str:
    """The command that writes into the folder, which is not named where it is the default."""
    return f"kanji-tui {name}{'' if directory == default else f' --output-dir {quote(str(directory))}'}"
