"""An app that queues keys: none is handled before what the one before it did is done.

A terminal sends several keys in one packet: on a slow line, by a macro, when text is pasted without brackets. A key
that opens a prompt, a form or a screen takes Textual several rounds of its event loop; the keys behind it would go
to what was there before, and could stop a training that nobody meant to stop. A question is answered by no key that
was typed before it was there: nobody had read it.
"""

import asyncio
import time
from collections import deque

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen

from kanji_tui.tui.shell.confirm import ConfirmScreen

ROUNDS = 3  # the key, the message that it sends (a line was entered), and the one that follows (the prompt closed)
PATIENCE = 2.0  # seconds to wait for a new screen or its field; then keys go where they can


class QueuedKeysApp(App[None]):
    """Handles keys and pasted texts one after the other."""

    def __init__(self, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._keys: deque[events.Key | events.Paste] = deque()
        self._handling = False
        self._handled = 0.0  # when the last key was

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._keys.append(event)
            if not self._handling:
                await self._handle_next()
            return
        await super().on_event(event)

    async def _handle_next(self) -> None:
        """Handle the first key that waits, and then follow it."""
        screen = self.screen
        if isinstance(screen, ConfirmScreen):
            self._keys = deque(key for key in self._keys if key.time > screen.asked_at)
        self._handling = bool(self._keys)
        if self._keys:
            target = self.focused or self.screen
            await super().on_event(self._keys.popleft())
            self._follow(target, target, ROUNDS)

    def _follow(self, node: DOMNode | None, first: DOMNode, rounds: int) -> None:
        """Go behind the key from the widget that got it, `first`, up to the app; a message overtakes no other.

        From a dialog by way of the screen below, which is told how the dialog ended and may open another.
        Another round goes behind the messages that were sent in the last one: enter in a prompt is handled by two.
        """
        below: DOMNode = next(iter(self.screen_stack), self)
        while node is not None and node is not self:
            above = below if isinstance(node, Screen) and node is not below else node.parent
            if node.is_running and node.call_later(self._follow, above, first, rounds):
                return
            node = above
        if rounds > 1:
            self.call_later(self._follow, first, first, rounds - 1)
            return
        self._handled = time.monotonic()
        self.call_later(self.call_later, self._settle)  # behind a change of focus, which comes after the action

    async def _settle(self) -> None:
        """Handle the next key once the screen that the last one may have opened can take it."""
        if self._is_opening() and time.monotonic() - self._handled < PATIENCE:
            await asyncio.sleep(0)  # let the others go on
            self.call_later(self._settle)
            return
        await self._handle_next()

    def _is_opening(self) -> bool:
        """Whether the front screen is not there yet, or is a dialog that has not focused its field."""
        screen = self.screen
        if not screen.is_mounted:
            return True
        return isinstance(screen, ModalScreen) and screen.focused is None and bool(screen.focus_chain)
