"""The epochs of a run, newest first, the best one marked."""

from textual.content import Content

from kanji_tui.events import Epoch
from kanji_tui.tui.widgets import words
from kanji_tui.tui.widgets.rows import Column, Row, Rows


class EpochTable(Rows):
    """Losses as they are, accuracies in percent."""

    DEFAULT_CSS = "EpochTable { height: 1fr; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(
            Column("ep", 4),
            Column("loss", 5, right=True),
            Column("top-1", 5, right=True),
            Column("val", 5, right=True),
            Column("top-1", 5, right=True),
            Column("top-5", 5, right=True),
            Column("rate", 7, right=True),
            Column("time", 6, right=True),
            Column("samples/s", 10, right=True),
            id=id,
            empty="no epoch has ended yet",
            title="epochs",
        )

    def show_epochs(self, epochs: tuple[Epoch, ...]) -> None:
        best = next((epoch.epoch for epoch in reversed(epochs) if epoch.best), None)
        rows = [_row(epoch, epoch.epoch == best) for epoch in reversed(epochs)]
        at_top = self.cursor == 0
        self.show(rows, keep=not at_top)


def _row(epoch: Epoch, best: bool) -> Row:
    style = "bold $success" if best else ""
    mark = "*" if best else ""
    cells = (
        f"{epoch.epoch}{mark}",
        f"{epoch.train_loss:.3f}",
        f"{100 * epoch.train_top1:.1f}",
        f"{epoch.val_loss:.3f}",
        f"{100 * epoch.val_top1:.1f}",
        f"{100 * epoch.val_top5:.1f}",
        f"{epoch.learning_rate:.1e}",
        words.duration(epoch.seconds) if epoch.seconds >= 10 else f"{epoch.seconds:.1f} s",
        words.count(epoch.samples_per_second),
    )
    return Row(str(epoch.epoch), tuple(Content.styled(cell, style) for cell in cells))
