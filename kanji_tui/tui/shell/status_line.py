"""The line that is on every screen: the running job with its progress and time left, and the GPU."""

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from kanji_tui.data.defaults import SYNTHETIC_SOURCE
from kanji_tui.tui.widgets import formatting

if TYPE_CHECKING:
    from kanji_tui.events import Gpu, Progress
    from kanji_tui.workspace.run_views import RunView
    from kanji_tui.workspace.snapshot import WorkspaceSnapshot

BAR = 12


class StatusLine(Widget):
    """Show what runs; where nothing does, what there is: dataset, model, exports."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._content = Content()
        self._left, self._right = Content(), Content()

    def show(self, runs: "list[RunView]", gpus: "tuple[Gpu, ...]", place: "WorkspaceSnapshot | None") -> None:
        """`runs` are the active ones, newest first; repaints only when the line says something else."""
        self._left = running(runs) if runs else what_there_is(place)
        self._right = gpu_words(gpus)
        self._compose_line()

    def on_resize(self) -> None:
        self._compose_line()

    def _compose_line(self) -> None:
        width = max(0, self.content_size.width)
        right = self._right if self._right.cell_length < width // 2 else Content()
        room = max(0, width - right.cell_length - (2 if right.cell_length else 0))
        left = self._left.truncate(room, ellipsis=True)
        line = left.pad_right(width - left.cell_length - right.cell_length) + right
        if not line.is_same(self._content):
            self._content = line
            self.refresh()

    def render(self) -> Content:
        return self._content


def what_there_is(place: "WorkspaceSnapshot | None") -> Content:
    """The dataset, the published model and the exports in a line."""
    if place is None:
        return formatting.quiet("looking at what is here")
    parts = ["idle"]
    if place.dataset is not None and not place.dataset.problem:
        drawn = ", drawn" if place.dataset.source == SYNTHETIC_SOURCE else ""
        parts.append(f"dataset {place.dataset.samples:,} x {place.dataset.classes:,} classes{drawn}")
    else:
        parts.append("no dataset")
    if place.model is not None:
        parts.append(f"model {place.model.network} {formatting.percent(place.model.accuracy)}")
    else:
        parts.append("no model")
    if place.onnx:
        parts.append(f"{len(place.onnx)} ONNX")
    return formatting.quiet("   ".join(parts))


def running(runs: "list[RunView]") -> Content:
    """The newest job in a line: name, bar, done, rate, time left, and how many others there are."""
    view = runs[0]
    parts = [Content.styled(view.title, "bold $primary")]
    progress = view.progress
    if progress is None:
        parts.append(formatting.quiet(view.state))
    else:
        parts.extend(progress_words(progress))
    if len(runs) > 1:
        parts.append(formatting.quiet(f"+{len(runs) - 1} more"))
    return Content("  ").join(parts)


def progress_words(progress: "Progress") -> list[Content]:
    """A progress as its parts: bar, percent, phase, time left."""
    parts = []
    if progress.total:
        share = progress.done / progress.total
        parts.append(formatting.bar(share, BAR) + Content(f" {100 * share:3.0f} %"))
    parts.append(Content(f"{progress.phase} {progress.item}".strip()))
    if progress.remaining is not None:
        parts.append(Content(f"{formatting.duration(progress.remaining)} left"))
    return parts


def gpu_words(gpus: "tuple[Gpu, ...]") -> Content:
    """The first GPU in a line, `+n` for the others; N/A where the driver gives no value."""
    if not gpus:
        return Content()
    gpu = gpus[0]
    short = gpu.name.removeprefix("NVIDIA ").removeprefix("GeForce ").split(" MIG")[0]
    busy = "N/A" if gpu.utilisation is None else f"{100 * gpu.utilisation:.0f} %"
    parts = [short, busy]
    if gpu.memory_used is not None and gpu.memory_total:
        parts.append(f"{gpu.memory_used / 2**30:.0f}/{gpu.memory_total / 2**30:.0f} GiB")
    if gpu.power is not None:
        parts.append(f"{gpu.power:.0f} W")
    if gpu.temperature is not None:
        parts.append(f"{gpu.temperature:.0f} C")
    if len(gpus) > 1:
        parts.append(f"+{len(gpus) - 1}")
    return formatting.quiet("GPU ") + Content(" ".join(parts))
