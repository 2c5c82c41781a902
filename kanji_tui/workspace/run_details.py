"""What a run's directory says beside its events: where it was computed, and what its model was made from."""

from dataclasses import dataclass, field
from pathlib import Path

from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import Lineage
from kanji_tui.paths import MODEL_INFO
from kanji_tui.runs.environment import Environment, read_environment
from kanji_tui.system.plain_data import read_as
from kanji_tui.workspace.log_times import LogLine
from kanji_tui.workspace.run_log import read_log
from kanji_tui.workspace.run_views import RunView

LOG_LINES = 500  # so many can be wrapped at once without a wait


@dataclass(frozen=True)
class RunDetails:
    """`environment` and `lineage` are None where the run did not write them; `log`: its last lines."""

    environment: Environment | None
    lineage: Lineage | None
    log: tuple[LogLine, ...]


@dataclass(frozen=True)
class _Info:
    lineage: Lineage = field(default_factory=Lineage)


def read_details(view: RunView) -> RunDetails:
    """Read a run's small files."""
    return RunDetails(read_environment(view.path), _lineage(view.path), read_log(view, LOG_LINES))


def _lineage(run: Path) -> Lineage | None:
    try:
        found = read_as(_Info, run / MODEL_INFO).lineage
    except KanjiError:
        return None
    return found if found.weights else None
