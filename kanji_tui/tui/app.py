"""The workbench: six screens, one worker thread, and the messages between them."""

import gc
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.actions import parse
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.driver import Driver
from textual.filter import LineFilter

from kanji_tui.presentation.tabs import SCREENS, TABS
from kanji_tui.tui.shell.arrival import stamp_arrivals
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.confirm import ConfirmScreen
from kanji_tui.tui.shell.messages import Done, GpusRead, QuestionFailed, RunsChanged, WorkspaceRead
from kanji_tui.tui.shell.nothing_hidden import NothingHidden
from kanji_tui.tui.shell.palette import Actions, NamedAction, Palette
from kanji_tui.tui.shell.queued_keys import QueuedKeysApp
from kanji_tui.tui.shell.settings import read_settings, write_settings
from kanji_tui.tui.shell.shorter_output import sending_less
from kanji_tui.tui.shell.signals import follow_signals, terminal_is_closed
from kanji_tui.tui.shell.style_sheet import StyleSheet
from kanji_tui.tui.shell.theme import INK, PAPER, TERMINAL, THEMES
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.workspace.state import State

if TYPE_CHECKING:
    from kanji_tui.workspace.run_views import RunView

SWITCH_SECONDS = 0.01
TERMINAL_SECONDS = 0.5  # between two checks that there still is one, in which Textual keeps a processor busy
SCREEN_CLASSES = {
    "preflight": "PreflightScreen",
    "dataset": "DatasetScreen",
    "training": "TrainingScreen",
    "inspector": "InspectorScreen",
    "browser": "BrowserScreen",
    "draw": "DrawScreen",
}  # in the folder of that name


def screen_class(name: str) -> type[WorkbenchScreen]:
    """The class of a screen; imported when first asked for, so the first paint waits for no other screen."""
    module = import_module(f"kanji_tui.tui.{name}.screen")
    found: type[WorkbenchScreen] = getattr(module, SCREEN_CLASSES[name])
    return found


class Workbench(QueuedKeysApp):
    """Works on the current directory; keeps nothing but its settings anywhere else."""

    TITLE = "kanji-tui"
    CSS_PATH = Path("app.tcss")
    COMMANDS: ClassVar = {Actions}
    DEFAULT_MODE = "preflight"
    BINDINGS: ClassVar[list[BindingType]] = [
        *[Binding(str(digit), f"go('{mode}')", show=False) for digit, mode in enumerate(SCREENS, start=1)],
        Binding("question_mark", "help", "Help", show=False, key_display="?"),
        Binding("f2", "next_theme", "Theme", show=False),
        Binding("f3", "screenshot", "Screenshot", show=False, priority=True),  # also in dialogs
        Binding("q,ctrl+q", "leave", "Leave", show=False),
    ]

    def __init__(self) -> None:
        self._line_filter = NothingHidden(())
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)  # None would only make colours grey
        self.state = State()
        self.worker = Worker(self)
        self.animation_level = "none"
        for theme in THEMES:
            self.register_theme(theme)
        self.settings = read_settings()
        self.theme = self._first_theme()
        self.stylesheet = StyleSheet(variables=self.get_css_variables())
        for mode in SCREENS:
            self.add_mode(mode, partial(self._make_screen, mode))

    def get_driver_class(self) -> type[Driver]:
        stamp_arrivals()
        return sending_less(super().get_driver_class())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Everything that is painted goes through these: nothing hidden in a text reaches the terminal."""
        before = tuple(super().get_line_filters())
        if before != self._line_filter.before:
            self._line_filter = NothingHidden(before)
        return [self._line_filter]

    def _make_screen(self, mode: str) -> WorkbenchScreen:
        return screen_class(mode)(self.state, self.worker)

    def _first_theme(self) -> str:
        """The theme chosen last; the terminal's own colours where it has fewer than 256."""
        if self.no_color or self.console.color_system not in ("truecolor", "256"):
            return TERMINAL.name
        return self.settings.theme if self.settings.theme in {theme.name for theme in THEMES} else INK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colours for Textual's own themes, which the palette offers too."""
        theme = self.current_theme
        return (TERMINAL if theme.ansi else INK if theme.dark else PAPER).variables

    @property
    def front(self) -> WorkbenchScreen | None:
        """The screen of the current mode, under any dialog."""
        bottom = self.screen_stack[0] if self.screen_stack else None
        return bottom if isinstance(bottom, WorkbenchScreen) else None

    def delay_update(self, delay: float = 0.05) -> None:
        """Paint another screen as soon as it is laid out: that takes some 10 ms, and Textual waits 50."""
        super().delay_update(min(delay, SWITCH_SECONDS))

    def on_mount(self) -> None:
        self.call_after_refresh(self.worker.start)
        follow_signals(self._end_by)
        if not self.is_headless:
            self.set_interval(TERMINAL_SECONDS, self._end_without_terminal)

    def _end_without_terminal(self) -> None:
        if terminal_is_closed():
            self._end_by(signal.SIGHUP)

    def _end_by(self, signum: signal.Signals) -> None:
        """Give the terminal back as it was, and end; the exit code is the one that a shell gives to that signal."""
        self.exit(return_code=128 + signum, message=f"ended by {signum.name}; jobs that were running continue")

    def on_unmount(self) -> None:
        gc.unfreeze()  # as the screens left it
        if self.worker.is_alive():
            self.worker.close()

    # messages of the worker

    def on_runs_changed(self, message: RunsChanged) -> None:
        for name in message.gone:
            self.state.runs.pop(name, None)
        for view in message.views:
            before = self.state.runs.get(view.name)
            self.state.runs[view.name] = view
            if before is not None and before.active and not view.active:
                self._notify_end(view)
        self._refresh_screen()

    def on_workspace_read(self, message: WorkspaceRead) -> None:
        self.state.workspace = message.workspace
        self._refresh_screen()

    def on_gpus_read(self, message: GpusRead) -> None:
        self.state.gpus = message.gpus
        self._refresh_screen()

    def on_question_failed(self, message: QuestionFailed) -> None:
        """An error that no screen asked for."""
        self.notify(message.error.message, severity="error", timeout=10, markup=False)

    def _refresh_screen(self) -> None:
        if self.front is not None:
            self.front.refresh_state()

    def _notify_end(self, view: "RunView") -> None:
        """Notify how a run ended, with the remedy if it failed."""
        if view.state == "failed" and view.failure:
            remedy = f"\n{view.failure.remedy}" if view.failure.remedy else ""
            self.notify(
                f"{view.failure.message}{remedy}",
                title=f"{view.title} failed",
                severity="error",
                timeout=12,
                markup=False,
            )
        elif view.state == "lost":
            self.notify(
                f"its process is gone; its log: {view.path / 'log.txt'}",
                title=f"{view.title} crashed",
                severity="error",
                timeout=12,
                markup=False,
            )
        else:
            self.notify(f"{view.title} {view.state}", timeout=4, markup=False)

    # actions of every screen

    def go(self, mode: str) -> None:
        """Show another screen; not while a dialog is open."""
        if len(self.screen_stack) == 1:
            self.switch_mode(mode)

    def action_go(self, mode: str) -> None:
        self.go(mode)

    def do_on(self, mode: str, action: str) -> None:
        """Go to a screen and run one of its actions."""
        self.switch_mode(mode)

        async def do() -> None:
            if self.front is None or mode != self.front.MODE:
                return
            if not await self.run_action(action, self.front):
                self.notify("not possible now", timeout=4)

        self.call_after_refresh(do)

    def action_help(self) -> None:
        if self.front is not None:
            from kanji_tui.tui.shell.help import HelpScreen

            self.push_screen(HelpScreen(self.front.MODE.title(), self.front.ABOUT, self.front.own_bindings()))

    def action_next_theme(self) -> None:
        """Show the next theme and save it for the next start."""
        names = [theme.name for theme in THEMES]
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else INK.name
        self.settings = saved = replace(self.settings, theme=self.theme)
        if self.front is not None:
            self.worker.ask(self.front, Done, lambda: write_settings(saved), "settings")

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Save the screen as an SVG file in the home folder, and show its path."""
        name = filename or f"screenshot-{time.strftime('%Y%m%dT%H%M%S')}.svg"
        try:
            saved = self.save_screenshot(name, path or str(Path.cwd()))
        except OSError as error:
            self.notify(f"the screenshot cannot be saved: {error}", severity="error", timeout=10, markup=False)
            return
        self.notify(saved, title="screenshot saved", timeout=8, markup=False)

    def named_actions(self) -> Iterator[NamedAction]:
        """All actions for the palette, those of the current screen first."""
        here = self.front.MODE if self.front else ""
        for _, mode, title in sorted(TABS, key=lambda tab: tab[1] != here):
            for binding in screen_class(mode).own_bindings():
                _, action, parameters = parse(binding.action)
                if mode == here and self.front and self.front.check_action(action, parameters) is False:
                    continue
                name = f"{title}: {binding.description} ({binding.key_display or binding.key})"
                about = binding.tooltip or binding.description
                yield NamedAction(name, about, partial(self.do_on, mode, binding.action))
        for digit, mode, title in TABS:
            yield NamedAction(f"Go to {title} ({digit})", f"Screen {digit}", partial(self.go, mode))
        yield NamedAction("Help (?)", "The keys of this screen", self.action_help)
        yield NamedAction("Theme (f2)", "Dark, light, or the terminal's own colours", self.action_next_theme)
        yield NamedAction("Screenshot (f3)", "Save the screen as an SVG file", partial(self.action_screenshot))
        yield NamedAction("Leave (q)", "Running jobs continue", self.action_leave)

    def action_command_palette(self) -> None:
        if not CommandPalette.is_open(cast(App[object], self)):
            self.push_screen(Palette(placeholder="an action, by name", id="--command-palette"))

    def action_leave(self) -> None:
        active = self.state.active()
        if not active:
            self.exit()
            return
        names = "\n".join(f"  {view.title}   {view.name}" for view in active)
        how = "To follow it, open the workbench again or type:\n  kanji-tui attach RUN"
        text = f"These jobs continue after you leave:\n\n{names}\n\n{how}"

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                self.exit(
                    message="\n".join(f"{view.title} continues: kanji-tui attach {view.name}" for view in active)
                )

        self.push_screen(ConfirmScreen("Leave", text, "Leave", "Stay"), answered)


def run_workbench() -> int:
    """Open the workbench in this terminal; returns the exit code when the user leaves or a signal ends it."""
    gc.set_threshold(700, 10, 500)  # a full garbage collection delays a key: do a fiftieth of them
    app = Workbench()
    app.run()
    return app.return_code or 0
