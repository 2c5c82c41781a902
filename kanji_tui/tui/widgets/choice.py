"""A choice of one of a few values, changed in place with the arrow keys: `< writer >`."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Choice(Widget, can_focus=True):
    """`value` is always one of `values`. For an empty one `meant` is shown: what it stands for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "cycle(-1)", "Previous", show=False),
        Binding("right,space", "cycle(1)", "Next", show=False),
    ]
    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; background: $panel; padding: 0 1; }
    Choice:focus { background: $cursor; text-style: bold; }
    """

    value: reactive[str] = reactive("")
    meant: reactive[str] = reactive("")

    class Changed(Message):
        def __init__(self, choice: "Choice") -> None:
            super().__init__()
            self.choice = choice

    def __init__(self, values: tuple[str, ...], value: str, id: str | None = None) -> None:
        super().__init__(id=id)
        self.values = values
        self.set_reactive(Choice.value, value if value in values else values[0])

    def action_cycle(self, step: int) -> None:
        self.value = self.values[(self.values.index(self.value) + step) % len(self.values)]

    def on_click(self) -> None:
        self.action_cycle(1)

    def watch_value(self) -> None:
        self.post_message(self.Changed(self))

    def render(self) -> Content:
        arrow = "$accent" if self.has_focus else "$faint"
        return Content.assemble(("< ", arrow), self.value or (self.meant, "$quiet"), (" >", arrow))
