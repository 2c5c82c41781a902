"""The GPUs of a run: each value with its trend over time, or N/A with the driver's reason."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from kanji_tui.presentation.status import gpu_value
from kanji_tui.tui.widgets.pane_title import set_pane_title
from kanji_tui.workspace.condensed import Value
from kanji_tui.workspace.gpu_history import GpuHistory

LABELS = {"utilisation": "util", "memory": "mem", "power": "power", "temperature": "temp", "energy": "energy"}
BARS = " ▁▂▃▄▅▆▇█"
LABEL_WIDTH, VALUE_WIDTH, GAP = 7, 13, 2
WIDEST_TREND = 32
TWO_COLUMNS = 76


class GpuPane(VerticalScroll):
    """A heading and a few lines for each GPU; scrolls when they do not fit."""

    DEFAULT_CSS = """
    GpuPane { height: auto; max-height: 10; scrollbar-size-vertical: 1; }
    """

    def compose(self) -> ComposeResult:
        yield GpuLines()

    def show(self, gpus: tuple[GpuHistory, ...], otherwise: str) -> None:
        """`otherwise` is shown if the run reported no GPU."""
        set_pane_title(self, "GPU" if len(gpus) != 1 else f"GPU  {gpus[0].now.name}")
        self.query_one(GpuLines).show(gpus, otherwise)


class GpuLines(Widget):
    """The lines of all GPUs."""

    DEFAULT_CSS = """
    GpuLines { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._gpus: tuple[GpuHistory, ...] = ()
        self._otherwise = ""

    def show(self, gpus: tuple[GpuHistory, ...], otherwise: str) -> None:
        if (gpus, otherwise) != (self._gpus, self._otherwise):
            height_changed = len(gpus) != len(self._gpus)
            self._gpus, self._otherwise = gpus, otherwise
            self.refresh(layout=height_changed)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.content_size.width))

    def _lines(self, width: int) -> list[Content]:
        if not self._gpus:
            return [_quiet(self._otherwise).truncate(width, ellipsis=True)]
        return [line for gpu in self._gpus for line in gpu_lines(gpu, width, len(self._gpus) > 1)]


def gpu_lines(gpu: GpuHistory, width: int, named: bool) -> list[Content]:
    """The lines of one GPU in `width` cells: its values in one column or two."""
    columns = 2 if width >= TWO_COLUMNS else 1
    room = (width - GAP * (columns - 1)) // columns
    cells = [_value_line(gpu, name, room) for name in LABELS]
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    lines = [Content(" " * GAP).join([cell.pad_right(room - cell.cell_length) for cell in row]) for row in rows]
    return [_quiet(f"{gpu.index}  {gpu.now.name}"), *lines] if named else lines


def _value_line(gpu: GpuHistory, name: str, width: int) -> Content:
    label = _quiet(LABELS[name].ljust(LABEL_WIDTH))
    value = gpu.last(name)
    if value is None:
        return (label + "N/A  " + _quiet(gpu.reason(name))).truncate(width, ellipsis=True)
    text = gpu_value(gpu, name).ljust(VALUE_WIDTH)
    room = min(WIDEST_TREND, width - LABEL_WIDTH - VALUE_WIDTH)
    return label + text + Content.styled(trend(gpu.values[name], room, _ceiling(gpu, name)), "$primary")


def _ceiling(gpu: GpuHistory, name: str) -> float | None:
    """The value of a full bar; None: the highest value of the run."""
    if name == "utilisation":
        return 1.0
    return float(gpu.now.memory_total) if name == "memory" and gpu.now.memory_total else None


def trend(values: Sequence[Value], width: int, ceiling: float | None = None) -> str:
    """The values as a row of bars, the newest at the right; of more than `width` values, means of neighbours.

    An unknown value leaves a gap; a known one has at least the lowest bar.
    """
    count, bars = len(values), max(0, min(width, len(values)))
    means = [_mean(values[n * count // bars : (n + 1) * count // bars]) for n in range(bars)]
    top = ceiling or max((mean for mean in means if mean is not None), default=0.0) or 1.0
    steps = len(BARS) - 1
    return "".join(" " if mean is None else BARS[max(1, min(steps, round(mean / top * steps)))] for mean in means)


def _mean(values: Sequence[Value]) -> Value:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _quiet(text: str) -> Content:
    return Content.styled(text, "$quiet")
