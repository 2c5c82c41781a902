"""ctrl+p: every action of every screen by name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.widgets import Input

ABOUT_SHARE = 0.5  # what a word in the description counts, of one in the name


@dataclass(frozen=True)
class NamedAction:
    """An action as the palette lists it."""

    name: str
    about: str
    run: Callable[[], object]


class OffersActions(Protocol):
    """The app, which knows the actions of all screens."""

    def named_actions(self) -> Iterator[NamedAction]: ...


class Palette(CommandPalette):
    """Textual's palette with a cursor that does not blink."""

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False


class Actions(Provider):
    """Lists the app's actions, those of the current screen first."""

    async def discover(self) -> Hits:
        for action in self._all():
            yield DiscoveryHit(action.name, action.run, help=action.about)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in self._all():
            score = max(matcher.match(action.name), matcher.match(action.about) * ABOUT_SHARE)
            if score > 0:
                yield Hit(score, matcher.highlight(action.name), action.run, help=action.about)

    def _all(self) -> Iterator[NamedAction]:
        return cast(OffersActions, self.app).named_actions()
