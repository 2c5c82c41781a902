"""ctrl+p: every action of every screen by name."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.actions import parse
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.widgets import Input

from kanji_tui.tui.screens import screen_class
from kanji_tui.tui.widgets.top_bar import TABS

if TYPE_CHECKING:
    from kanji_tui.tui.app import Workbench


class Palette(CommandPalette):
    """Textual's palette with a cursor that stands still."""

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False


class Actions(Provider):
    """Goes to the screen that has the action, where that is another one, and does it there."""

    async def discover(self) -> Hits:
        for name, about, do in self._all():
            yield DiscoveryHit(name, do, help=about)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, about, do in self._all():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), do, help=about)

    def _all(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """(name, what it does, the deed); those of the screen one is on come first."""
        app: Workbench = self.app  # type: ignore[assignment]
        here = app.front.MODE if app.front else ""
        for _, mode, title in sorted(TABS, key=lambda tab: tab[1] != here):
            for binding in screen_class(mode).own_bindings():
                _, action, parameters = parse(binding.action)
                if mode == here and app.front and app.front.check_action(action, parameters) is False:
                    continue
                key = binding.key_display or binding.key
                about = binding.tooltip or binding.description
                yield f"{title}: {binding.description} ({key})", about, partial(app.do_on, mode, binding.action)
        for digit, mode, title in TABS:
            yield f"Go to {title} ({digit})", f"Screen {digit}", partial(app.go, mode)
        yield "Help (?)", "The keys of this screen", app.action_help
        yield "Look (f2)", "Dark, light, or the terminal's own colours; kept", app.action_turn_look
        yield "Picture of the screen (f3)", "An SVG file", partial(app.action_screenshot)
        yield "Leave (q)", "Running jobs go on", app.action_leave
