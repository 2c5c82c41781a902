"""The epochs of a run in the original scripts' columns, newest first, the best one marked."""

from functools import partial

from textual.content import Content

from kanji_tui.epoch_metrics import METRICS
from kanji_tui.events import Epoch
from kanji_tui.presentation.document import Column, LazyRows, Row
from kanji_tui.tui.widgets.list_table import ListTable


class EpochTable(ListTable):
    """Losses as they are, accuracies in percent; what does not fit is left out from the right."""

    DEFAULT_CSS = "EpochTable { height: 1fr; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(
            Column("ep", 4),
            *(Column(metric.column, metric.width, right=True) for metric in METRICS),
            id=id,
            empty="no epoch has ended yet",
            title="epochs",
        )
        self._epochs: tuple[Epoch, ...] = ()

    def show_epochs(self, epochs: tuple[Epoch, ...]) -> None:
        """The cursor stays on the newest epoch, or on the one it was moved to."""
        if epochs == self._epochs:
            return
        read = self._epochs[-1 - self.cursor].epoch if self.cursor else None
        self._epochs = epochs
        best = next((epoch.epoch for epoch in reversed(epochs) if epoch.best), None)
        newest_first = epochs[::-1]
        self.show(LazyRows(newest_first, partial(_row, best=best)))
        self.cursor = next((n for n, epoch in enumerate(newest_first) if epoch.epoch == read), self.cursor)
        self.set_title("epochs", f"* best: {best}" if best else "")


def _row(epoch: Epoch, best: int | None) -> Row:
    is_best = epoch.epoch == best
    style = "bold $success" if is_best else ""
    cells = (f"{epoch.epoch}{'*' if is_best else ''}", *(metric.text(epoch) for metric in METRICS))
    return Row(str(epoch.epoch), tuple(Content.styled(cell, style) for cell in cells))
