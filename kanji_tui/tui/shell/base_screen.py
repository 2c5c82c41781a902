"""The base of all screens: top bar, status line and keys around a body; errors, questions to the user, stopping."""

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.screen import Screen

from kanji_tui.tui.shell.confirm import ConfirmScreen
from kanji_tui.tui.shell.key_line import KeyLine
from kanji_tui.tui.shell.messages import Done, JobStarted, QuestionFailed
from kanji_tui.tui.shell.status_line import StatusLine
from kanji_tui.tui.shell.top_bar import TopBar
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.workspace.state import State

if TYPE_CHECKING:
    from kanji_tui.workspace.run_views import RunView

SETTLED_SECONDS = 1.0


class WorkbenchScreen(Screen[None]):
    """A screen between the top bar and the status line. Subclasses give `body` and `show_state`."""

    MODE: ClassVar[str]
    ABOUT: ClassVar[str]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012 as Textual declares it

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__()
        self.state = state
        self.worker = worker

    def compose(self) -> ComposeResult:
        yield TopBar(self.MODE)
        with Container(id="body"):
            yield from self.body()
        yield StatusLine()
        yield KeyLine()

    def body(self) -> ComposeResult:
        """The widgets of this screen."""
        yield from ()

    def show_state(self) -> None:
        """Show the current state; called when the screen comes to the front and when the state changed."""

    def on_mount(self) -> None:
        # The objects of a screen and of its first answers live as long as the screen. A full garbage collection
        # that visits them would delay a key by 70 ms.
        self.set_timer(SETTLED_SECONDS, gc.freeze)

    def on_screen_resume(self) -> None:
        self.refresh_state()

    def on_resize(self) -> None:
        self.call_after_refresh(self.refresh_state)  # what fits depends on the size

    def refresh_state(self) -> None:
        """Repaint what changed in the state; cheap when nothing did."""
        if not self.is_mounted or not self.app.is_running:  # an app that is ending has removed the widgets
            return
        self.query_one(StatusLine).show(self.state.active(), self.state.gpus, self.state.workspace)
        self.show_state()
        self.refresh_bindings()

    @classmethod
    def own_bindings(cls) -> list[Binding]:
        """The keys of this screen that have a description, for help and palette."""
        return [binding for binding in cls.BINDINGS if isinstance(binding, Binding) and binding.description]

    def show_error(self, message: str, remedy: str = "") -> None:
        """Notify what went wrong and what to do about it."""
        text = Content(message) + (Content.styled(f"\n{remedy}", "$quiet") if remedy else Content())
        self.notify(text.markup, severity="error", timeout=10)

    def on_question_failed(self, message: QuestionFailed) -> None:
        message.stop()  # or the app would say it a second time
        if not self.shows_failure(message):
            self.show_error(message.error.message, message.error.remedy)

    def shows_failure(self, message: QuestionFailed) -> bool:
        """Whether the screen shows the failure itself, in the place of the answer; else it becomes a notice."""
        return False

    # Textual calls the handlers of all classes of a screen, so a subclass's handler does not call super().

    def on_job_started(self, message: JobStarted) -> None:
        self.worker.poll_now()

    def stop_run(self, view: "RunView") -> None:
        """Ask the user, then the run to stop; a run that is stopping is not asked again."""
        from kanji_tui.presentation.questions import stop_question
        from kanji_tui.runs.run_directory import RunDirectory

        if view.stopping:
            self.notify(f"{view.title} is already stopping", timeout=4)
            return

        def stop() -> None:
            self.worker.ask(self, Done, RunDirectory(view.path).request_stop, f"stop {view.name}")
            self.notify(f"{view.title} stops at its next batch or file", timeout=4)

        self.confirm("Stop this job?", stop_question(view), "Stop", stop)

    def confirm_if(self, text: str, title: str, then: Callable[[], Any]) -> None:
        """Ask whether to replace what `text` describes, and call `then` after a yes; at once where it is empty."""
        if text:
            self.confirm(title, text, "Replace", then)
        else:
            then()

    def confirm(self, title: str, text: str, yes: str, then: Callable[[], Any]) -> None:
        """Ask the user, and call `then` after a yes."""

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                then()

        self.app.push_screen(ConfirmScreen(title, text, yes, "Cancel"), answered)
