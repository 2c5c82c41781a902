"""Screen 1: does everything stand? Each check with its verdict, what was found, and what to type."""

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from kanji_tui.presentation.document import Column, Row
from kanji_tui.system.check import Check
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.messages import Answered, QuestionFailed
from kanji_tui.tui.widgets import formatting
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.list_table import ListTable

if TYPE_CHECKING:
    from kanji_tui.system.child import Child
    from kanji_tui.workspace.snapshot import WorkspaceSnapshot


class QuickChecked(Answered[tuple[Check, ...]]):
    """What this process can check at once."""


class FontsChecked(Answered[list[Check]]):
    """Whether a sample can be drawn, from a child that searched for fonts."""


class TorchChecked(Answered[list[Check]]):
    """What only torch knows, from a child that imported it."""


class PreflightScreen(WorkbenchScreen):
    """The quick checks are there at once, those that need torch when a child has answered."""

    MODE = "preflight"
    CSS_PATH = "preflight.tcss"
    ABOUT = "Checks of this machine, the data and the terminal. Each remedy can be pasted into a shell."
    AUTO_FOCUS = "#checks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "rerun", "Rerun"),
        Binding("c", "copy_remedy", "Copy remedy", tooltip="Copy the remedy of the highlighted check"),
        Binding("y", "copy_report", "Copy report", tooltip="Copy all checks as text"),
    ]

    def body(self) -> ComposeResult:
        yield KeyValues(id="summary")
        checks = ListTable(
            Column("", 4), Column("", 18), Column("", 0), id="checks", title="checks", empty="looking ..."
        )
        checks.add_class("pane")
        yield checks
        with Vertical(id="remedy-pane", classes="pane") as pane:
            pane.border_title = "found and remedy"
            yield Static(id="remedy")

    def on_mount(self) -> None:
        self._quick: tuple[Check, ...] = ()
        self._slow: dict[type, list[Check]] = {}
        self._problem = ""
        self._waiting: set[type] = set()
        self.action_rerun()

    def action_rerun(self) -> None:
        self._waiting, self._problem = {FontsChecked, TorchChecked}, ""
        self.worker.ask(self, QuickChecked, _quick_checks)
        self.worker.ask_child(self, FontsChecked, _start_font_checks, _read_font_checks)
        self.worker.ask_child(self, TorchChecked, _start_torch_checks, _read_torch_checks)
        self.state_moved()

    def on_quick_checked(self, message: QuickChecked) -> None:
        self._quick = message.value
        self.show_state()

    def on_fonts_checked(self, message: FontsChecked) -> None:
        self._take(FontsChecked, message.value)

    def on_torch_checked(self, message: TorchChecked) -> None:
        self._take(TorchChecked, message.value)

    def _take(self, question: type, checks: list[Check]) -> None:
        self._waiting.discard(question)
        self._slow[question] = checks
        self.show_state()

    def shows_failure(self, message: QuestionFailed) -> bool:
        if message.question not in (FontsChecked, TorchChecked):
            return False
        self._waiting.discard(message.question)
        self._problem = message.error.message
        self.show_state()
        return True

    def checks(self) -> list[Check]:
        """All that is known by now, in the order of the groups."""
        slow = [check for checks in self._slow.values() for check in checks]
        return sorted([*self._quick, *slow], key=_group_order)

    def show_state(self) -> None:
        checks = self.checks()
        rows: list[Row] = []
        group = ""
        for check in checks:
            if check.group != group:
                group = check.group
                rows.append(Row(group, (group,), heading=True))
            rows.append(
                Row(f"{check.group}/{check.name}", (formatting.verdict(check.verdict), check.name, check.found))
            )
        self.query_one("#checks", ListTable).show(rows)
        self.query_one("#summary", KeyValues).say(self._summary(checks))

    def _summary(self, checks: list[Check]) -> Content:
        marks = {verdict: sum(check.verdict == verdict for check in checks) for verdict in formatting.VERDICTS}
        counted = Content("  ").join(
            [
                Content.assemble(formatting.verdict(verdict), f" {number}")
                for verdict, number in marks.items()
                if number or verdict == "ok"
            ]
        )
        if self._waiting:
            counted += formatting.quiet("   asking torch and CUDA ...")
        elif self._problem:
            counted += Content.styled("   torch could not be asked", "$error")
        place = self.state.place
        step = _next_step(place) if place else "looking at what is here"
        return counted + Content("\n") + Content.assemble(("next  ", "bold $accent"), step)

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        check = self._highlighted()
        if check is None:
            return
        found = Content.assemble(formatting.verdict(check.verdict), "  ", (check.name, "bold"), f"  {check.found}")
        remedy = (
            Content.styled(f"\n{check.remedy}", "$primary") if check.remedy else formatting.quiet("\nnothing to do")
        )
        self.query_one("#remedy", Static).update(found + remedy)

    def _highlighted(self) -> Check | None:
        row = self.query_one("#checks", ListTable).current
        return next((check for check in self.checks() if row and f"{check.group}/{check.name}" == row.key), None)

    def action_copy_remedy(self) -> None:
        check = self._highlighted()
        if check is None or not check.remedy:
            self.notify("this check needs no remedy", timeout=3)
            return
        self.app.copy_to_clipboard(check.remedy)
        self.notify("remedy copied", timeout=3)

    def action_copy_report(self) -> None:
        self.app.copy_to_clipboard(report_text(self.checks()))
        self.notify("report copied", timeout=3)


# The first paint is this screen's, and waits for none of what these import.


def _quick_checks() -> tuple[Check, ...]:
    from kanji_tui.preflight.all_checks import Folders, quick_checks

    return tuple(quick_checks(Folders()))


def _start_font_checks() -> "Child":
    from kanji_tui.preflight.all_checks import start_font_checks

    return start_font_checks()


def _read_font_checks(child: "Child") -> list[Check]:
    from kanji_tui.preflight.all_checks import read_font_checks

    return read_font_checks(child)


def _start_torch_checks() -> "Child":
    from kanji_tui.system.torch_facts import start

    return start()


def _read_torch_checks(child: "Child") -> list[Check]:
    from kanji_tui.preflight.all_checks import read_torch_checks

    return read_torch_checks(child)


def _group_order(check: Check) -> int:
    from kanji_tui.preflight.all_checks import GROUPS

    return GROUPS.index(check.group)


def _next_step(place: "WorkspaceSnapshot") -> str:
    from kanji_tui.workspace.snapshot import next_step

    return next_step(place)


def report_text(checks: list[Check]) -> str:
    """All checks as plain text, a group under its heading."""
    lines: list[str] = []
    group = ""
    for check in checks:
        if check.group != group:
            group = check.group
            lines.append(f"\n{group}")
        mark = formatting.verdict(check.verdict).plain
        lines.append(f"  {mark:<4}  {check.name}: {check.found}")
        if check.remedy:
            lines.append(f"        {check.remedy}")
    return "\n".join(lines).strip() + "\n"
