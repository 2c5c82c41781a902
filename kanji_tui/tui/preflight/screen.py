"""Screen 1: is everything ready? Each check with its verdict, what was found, and the remedy."""

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from kanji_tui.presentation.document import join, text_of
from kanji_tui.presentation.preflight import CHECK_COLUMNS, check_table, next_line, report_lines, summary_line
from kanji_tui.system.check import Check
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.messages import Answered, QuestionFailed
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.list_table import ListTable

if TYPE_CHECKING:
    from kanji_tui.system.child import Child
    from kanji_tui.workspace.snapshot import WorkspaceSnapshot


class QuickChecked(Answered[tuple[Check, ...]]):
    """The checks that this process can do at once."""


class SampleSourcesChecked(Answered[list[Check]]):
    """Whether a synthetic sample can be made, from a child that searched for strokes and fonts."""


class TorchChecked(Answered[list[Check]]):
    """The checks that need torch, from a child that imported it."""


class PreflightScreen(WorkbenchScreen):
    """Shows the quick checks at once, and those that need torch or fonts when a child has answered."""

    MODE = "preflight"
    CSS_PATH = "preflight.tcss"
    ABOUT = "Checks of this machine, the data and the terminal. Each remedy can be pasted into a shell."
    AUTO_FOCUS = "#checks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "rerun", "Verify", tooltip="Run all checks again"),
        Binding("y", "copy_remedy", "Copy remedy", tooltip="Copy the remedy of the highlighted check"),
        Binding("Y", "copy_report", "Copy report", tooltip="Copy all checks as text"),
    ]

    def body(self) -> ComposeResult:
        yield KeyValues(id="summary")
        checks = ListTable(*CHECK_COLUMNS, id="checks", title="checks", empty="checking ...")
        checks.add_class("pane")
        yield checks
        with Vertical(id="remedy-pane", classes="pane") as pane:
            pane.border_title = "details and remedy"
            yield KeyValues(id="remedy")

    def on_mount(self) -> None:
        self._quick: tuple[Check, ...] = ()
        self._slow: dict[type, list[Check]] = {}
        self._problem = ""
        self._waiting: set[type] = set()
        self.action_rerun()

    def action_rerun(self) -> None:
        self._waiting, self._problem = {SampleSourcesChecked, TorchChecked}, ""
        self.worker.ask(self, QuickChecked, _quick_checks)
        self.worker.ask_child(self, SampleSourcesChecked, _start_sample_checks, _read_sample_checks)
        self.worker.ask_child(self, TorchChecked, _start_torch_checks, _read_torch_checks)
        self.refresh_state()

    def on_quick_checked(self, message: QuickChecked) -> None:
        self._quick = message.value
        self.show_state()

    def on_sample_sources_checked(self, message: SampleSourcesChecked) -> None:
        self._take(SampleSourcesChecked, message.value)

    def on_torch_checked(self, message: TorchChecked) -> None:
        self._take(TorchChecked, message.value)

    def _take(self, question: type, checks: list[Check]) -> None:
        self._waiting.discard(question)
        self._slow[question] = checks
        self.show_state()

    def shows_failure(self, message: QuestionFailed) -> bool:
        if message.question not in (SampleSourcesChecked, TorchChecked):
            return False
        self._waiting.discard(message.question)
        self._problem = message.error.message
        self.show_state()
        return True

    def checks(self) -> list[Check]:
        """All checks so far, in the order of their groups."""
        slow = [check for checks in self._slow.values() for check in checks]
        return sorted([*self._quick, *slow], key=_group_order)

    def show_state(self) -> None:
        checks, workspace = self.checks(), self.state.workspace
        self.query_one("#checks", ListTable).show(check_table(checks).rows)
        summary = summary_line(checks, bool(self._waiting), bool(self._problem))
        step = next_line(_next_step(workspace) if workspace else None)
        self.query_one("#summary", KeyValues).show_line(join("\n", [summary, step]))

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        self.query_one("#remedy", KeyValues).show_line(join("\n", message.row.details))

    def _highlighted(self) -> Check | None:
        row = self.query_one("#checks", ListTable).current
        return next((check for check in self.checks() if row and f"{check.group}/{check.name}" == row.key), None)

    def action_copy_remedy(self) -> None:
        check = self._highlighted()
        if check is None or not check.remedy:
            self.notify("nothing to do for this check", timeout=3)
            return
        self.app.copy_to_clipboard(check.remedy)
        self.notify("remedy copied", timeout=3)

    def action_copy_report(self) -> None:
        lines = map(text_of, report_lines(self.checks()))
        self.app.copy_to_clipboard("\n".join(lines) + "\n")
        self.notify("report copied", timeout=3)


# The first paint shows this screen, so these functions import what they need only when they are called.


def _quick_checks() -> tuple[Check, ...]:
    from kanji_tui.preflight.all_checks import Folders, quick_checks

    return tuple(quick_checks(Folders()))


def _start_sample_checks() -> "Child":
    from kanji_tui.preflight.all_checks import start_sample_checks

    return start_sample_checks()


def _read_sample_checks(child: "Child") -> list[Check]:
    from kanji_tui.preflight.all_checks import read_sample_checks

    return read_sample_checks(child)


def _start_torch_checks() -> "Child":
    from kanji_tui.system.torch_facts import start

    return start()


def _read_torch_checks(child: "Child") -> list[Check]:
    from kanji_tui.preflight.all_checks import read_torch_checks

    return read_torch_checks(child)


def _group_order(check: Check) -> int:
    from kanji_tui.preflight.all_checks import GROUPS

    return GROUPS.index(check.group)


def _next_step(workspace: "WorkspaceSnapshot") -> str:
    from kanji_tui.workspace.snapshot import next_step

    return next_step(workspace)
