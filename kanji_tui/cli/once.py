"""`kanji-tui --once`: the contents of the screens, printed as sentences and plain tables, also for screen readers.

Reads what the screens read and runs the same jobs; needs neither a terminal nor textual.
"""

import time
from argparse import Namespace
from collections.abc import Callable

from kanji_tui.cli.output import put, put_json
from kanji_tui.cli.render import plain_lines
from kanji_tui.errors import KanjiError
from kanji_tui.events import SilentReport
from kanji_tui.preflight.all_checks import Folders, run_checks
from kanji_tui.presentation.data import dataset_screen
from kanji_tui.presentation.document import Document
from kanji_tui.presentation.inspection import inspector_screen
from kanji_tui.presentation.preflight import preflight_screen
from kanji_tui.presentation.recognition import draw_screen
from kanji_tui.presentation.samples import browser_screen
from kanji_tui.presentation.training import shown_run, training_screen
from kanji_tui.system.gpu import read_gpus
from kanji_tui.workspace.lineage import published_lineage
from kanji_tui.workspace.opened_dataset import OpenedDataset
from kanji_tui.workspace.run_log import read_log
from kanji_tui.workspace.run_views import Watch
from kanji_tui.workspace.snapshot import WorkspaceSnapshot, next_step, read_workspace
from kanji_tui.workspace.state import State

READING_SECONDS = 60.0


def once(args: Namespace) -> int:
    """Print the chosen screen, or all screens."""
    state = read_state()
    names = list(SCREENS) if args.once == "all" else [args.once]
    shown = []
    for name in names:
        digit = list(SCREENS).index(name) + 1
        lines = [f"Screen {digit}, {name.title()}", "", *plain_lines(SCREENS[name](state))]
        shown.append({"screen": name, "lines": lines})
        if not args.json:
            put("\n".join([*lines, *([""] if name != names[-1] else [])]))
    if args.json:
        put_json({"screens": shown})
    return 0


def read_state() -> State:
    """The workspace, all runs and the GPUs."""
    watch = Watch()
    watch.list()
    deadline = time.monotonic() + READING_SECONDS
    views = {view.name: view for view in watch.poll(READING_SECONDS)}
    while watch.behind and time.monotonic() < deadline:
        views |= {view.name: view for view in watch.poll(READING_SECONDS)}
    return State(views, read_workspace(), tuple(read_gpus()))


# the screens


def preflight(state: State) -> Document:
    return preflight_screen(run_checks(Folders(), SilentReport()).checks, next_step(_workspace(state)))


def dataset(state: State) -> Document:
    overview, problem = None, ""
    if _workspace(state).dataset is not None:
        try:
            overview = OpenedDataset().overview()
        except KanjiError as error:
            problem = f"The dataset cannot be used: {error.message}. To do: {error.remedy}"
    workspace = _workspace(state)
    return dataset_screen(
        workspace.files,
        overview,
        problem,
        state.newest("verify", state="finished"),
        state.active("sample", "prepare", "verify"),
        workspace.changed,
        published_lineage(workspace, state.runs),
    )


def training(state: State) -> Document:
    views = state.of("train")
    log = read_log(shown_run(views)) if views else ()
    return training_screen(views, state.gpus, log, state.published)


SCREENS: dict[str, Callable[[State], Document]] = {
    "preflight": preflight,
    "dataset": dataset,
    "training": training,
    "inspector": inspector_screen,
    "browser": browser_screen,
    "draw": draw_screen,
}


def _workspace(state: State) -> WorkspaceSnapshot:
    return state.workspace or WorkspaceSnapshot()
