"""What the screens have in common: the frame, what they know, and how jobs are started and stopped."""

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
        """Show what the state now is; called when the screen comes to the front and when something moved."""

    def on_mount(self) -> None:
        # What a screen and its first answers are made of stays: looking through it all at every full collection of
        # garbage would hold up a key for 70 ms.
        self.set_timer(SETTLED_SECONDS, gc.freeze)

    def on_screen_resume(self) -> None:
        self.state_moved()

    def on_resize(self) -> None:
        self.call_after_refresh(self.state_moved)  # what fits depends on the size

    def state_moved(self) -> None:
        """Repaint what the state has changed; cheap when it has changed nothing here."""
        if not self.is_mounted:
            return
        self.query_one(StatusLine).show(self.state.active(), self.state.gpus, self.state.place)
        self.show_state()
        self.refresh_bindings()

    @classmethod
    def own_bindings(cls) -> list[Binding]:
        """The keys of this screen that have a description, for help and palette."""
        return [binding for binding in cls.BINDINGS if isinstance(binding, Binding) and binding.description]

    def say_error(self, message: str, remedy: str = "") -> None:
        """Tell what is wrong and what to do about it."""
        text = Content(message) + (Content.styled(f"\n{remedy}", "$quiet") if remedy else Content())
        self.notify(text.markup, severity="error", timeout=10)

    def on_question_failed(self, message: QuestionFailed) -> None:
        if not self.shows_failure(message):
            self.say_error(message.error.message, message.error.remedy)

    def shows_failure(self, message: QuestionFailed) -> bool:
        """Whether the screen itself shows the failure where the answer would stand; else it is notified."""
        return False

    # Textual calls the handlers of all classes of a screen: what a screen adds needs no super().

    def on_job_started(self, message: JobStarted) -> None:
        self.worker.poll_now()

    def stop_run(self, view: "RunView") -> None:
        """Ask the run to stop; asking twice is asking once."""
        from kanji_tui.runs.run_directory import RunDirectory

        self.worker.ask(self, Done, RunDirectory(view.path).request_stop, f"stop {view.name}")
        self.notify(f"{view.title} stops at its next safe moment", timeout=4)

    def confirm(self, title: str, text: str, yes: str, then: Callable[[], Any]) -> None:
        """Ask, and do `then` only after a yes."""

        def answered(sure: bool | None) -> None:
            if sure:
                then()

        self.app.push_screen(ConfirmScreen(title, text, yes, "Cancel"), answered)
