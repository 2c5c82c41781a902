"""The note and the settings of a run, beside or below its curves."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from kanji_tui.presentation.run_page import chosen_settings
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.pane_title import set_pane_title
from kanji_tui.workspace.run_views import RunView


class SettingsPane(Vertical):
    """The settings that differ from those of compared runs come first; the list scrolls once it has the focus."""

    DEFAULT_CSS = """
    SettingsPane { height: 1fr; min-height: 5; }
    SettingsPane #note { max-height: 50%; }
    SettingsPane #settings { height: 1fr; }
    """

    def compose(self) -> ComposeResult:
        yield KeyValues(id="note")
        yield ListTable(id="settings", empty="no setting matches: press f, esc")

    def show(self, view: RunView, compared: Sequence[RunView], pattern: str) -> None:
        """Show the settings of `view` that match the pattern, beside those of the `compared` runs if they fit."""
        note, settings = self.query_one("#note", KeyValues), self.query_one("#settings", ListTable)
        text = " ".join(view.about.note.split())
        note.display = bool(text)
        note.show_line(text)
        table = chosen_settings(view, compared, pattern)
        settings.show_columns(table.columns)
        settings.show(table.rows)
        set_pane_title(self, table.title, table.about)
