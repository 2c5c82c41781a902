"""A one-line input whose cursor does not blink: a blinking one costs 2 kB/s over SSH."""

from textual.widgets import Input


class LineInput(Input):
    """An Input of one row without a frame."""

    DEFAULT_CSS = """
    LineInput { height: 1; border: none; padding: 0 1; background: $panel; width: 1fr; }
    LineInput:focus { border: none; background: $cursor; }
    LineInput.-invalid { color: $error; border: none; }
    LineInput.-invalid:focus { border: none; }
    """

    def __init__(
        self, value: str = "", placeholder: str = "", id: str | None = None, select_on_focus: bool = False
    ) -> None:
        super().__init__(value=value, placeholder=placeholder, id=id, compact=True, select_on_focus=select_on_focus)
        self.cursor_blink = False
