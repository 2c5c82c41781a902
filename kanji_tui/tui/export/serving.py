"""Starts and stops the service from a screen; its address stands in the status line while it runs."""

from pathlib import Path

from kanji_tui.jobs import serve
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.messages import Done
from kanji_tui.web.paths import INDEX
from kanji_tui.web.results import ExportedPage
from kanji_tui.workspace.state import State

FREE_PORT = 0


def toggle_serving(screen: WorkbenchScreen) -> None:
    """Stop the service if it runs; else serve the newest exported page, or the published or built-in model."""
    from kanji_tui.runs.run_directory import RunDirectory

    running = screen.state.active("serve")
    for view in running:  # without a question: nothing is lost by it
        screen.worker.ask(screen, Done, RunDirectory(view.path).request_stop, f"stop {view.name}")
    if not running:
        spec = serve.Spec(newest_page(screen.state), port=FREE_PORT)
        what = f"the page in {spec.folder}" if spec.folder else "the model; to make a page of it: e"
        screen.notify(f"serving {what}. The address is in the status line; W stops it", timeout=8, markup=False)
        screen.worker.start_job(screen, "serve", spec)


def newest_page(state: State) -> Path | None:
    """The folder of the newest exported page that still exists."""
    for view in state.of("export_web"):
        if isinstance(view.result, ExportedPage) and (Path(view.result.path) / INDEX).is_file():
            return Path(view.result.path)
    return None
