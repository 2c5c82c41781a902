"""The epochs of a run, newest first, the best one marked."""

from kanji_tui.events import Epoch
from kanji_tui.presentation.training import EPOCH_COLUMNS, epoch_table
from kanji_tui.tui.widgets.list_table import ListTable


class EpochTable(ListTable):
    """Losses as they are, accuracies in percent; columns that do not fit are omitted from the right."""

    DEFAULT_CSS = "EpochTable { height: 1fr; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(*EPOCH_COLUMNS, id=id, empty="no epoch has ended yet", title="epochs")
        self._epochs: tuple[Epoch, ...] = ()

    def show_epochs(self, epochs: tuple[Epoch, ...]) -> None:
        """The cursor stays on the newest epoch, or on the one it was moved to."""
        if epochs == self._epochs:
            return
        read = self._epochs[-1 - self.cursor].epoch if self.cursor else None
        self._epochs = epochs
        table = epoch_table(epochs)
        self.show(table.rows)
        newest_first = epochs[::-1]
        self.cursor = next((n for n, epoch in enumerate(newest_first) if epoch.epoch == read), self.cursor)
        self.set_title(table.title, table.about)
