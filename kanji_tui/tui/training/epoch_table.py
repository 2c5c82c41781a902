"""The epochs of a run in the original scripts' columns, newest first, the best one marked."""

from functools import partial

from textual.content import Content

from kanji_tui.events import Epoch
from kanji_tui.presentation.document import Column, LazyRows, Row
from kanji_tui.tui.widgets import formatting
from kanji_tui.tui.widgets.list_table import ListTable


class EpochTable(ListTable):
    """Losses as they are, accuracies in percent; what does not fit is left out from the right."""

    DEFAULT_CSS = "EpochTable { height: 1fr; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(
            Column("ep", 4),
            Column("loss", 5, right=True),
            Column("acc", 5, right=True),
            Column("val loss", 8, right=True),
            Column("val acc", 7, right=True),
            Column("lr", 7, right=True),
            Column("time", 5, right=True),
            Column("top-3", 6, right=True),
            Column("top-5", 6, right=True),
            Column("clean", 6, right=True),
            Column("samples/s", 10, right=True),
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
    clean = epoch.train_clean_top1
    cells = (
        f"{epoch.epoch}{'*' if is_best else ''}",
        f"{epoch.train_loss:.3f}",
        _percent(epoch.train_top1),
        f"{epoch.val_loss:.3f}",
        _percent(epoch.val_top1),
        f"{epoch.learning_rate:.1e}",
        formatting.duration(epoch.seconds) if epoch.seconds >= 10 else f"{epoch.seconds:.1f}s",
        _percent(epoch.val_top3),
        _percent(epoch.val_top5),
        "-" if clean is None else _percent(clean),
        formatting.count(epoch.samples_per_second),
    )
    return Row(str(epoch.epoch), tuple(Content.styled(cell, style) for cell in cells))


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f}"[:5].rstrip(".")
