"""The curves of a training: metrics chosen by a pattern, of one run or of several compared runs."""

from collections.abc import Callable, Sequence

from kanji_tui.epoch_metrics import METRICS, EpochMetric
from kanji_tui.presentation.curve_data import X_AXES, Chart, LineKind, Points, Series, Window
from kanji_tui.presentation.document import Line, Styled, cells_of, join, text_of
from kanji_tui.system.numbers import moment
from kanji_tui.workspace.run_curves import StepPoint
from kanji_tui.workspace.run_query import fits
from kanji_tui.workspace.run_views import RunView

GAP = "  "  # between the names of the legend
COLOURS = ("accent", "primary", "good", "warning")
MOST_RUNS = 2 * len(COLOURS)
LETTERS = "abcdefgh"
RUN_STYLES = 2 * COLOURS
SIDE_STYLES = {"train": "primary", "val": "accent", "clean": "good"}
STEPS: dict[str, Callable[[StepPoint], float | None]] = {
    "loss": lambda point: point.loss,
    "top-1": lambda point: point.top1,
    "learning rate": lambda point: point.learning_rate,
    "samples/s": lambda point: point.samples_per_second,
}  # what is measured inside an epoch, by the title of its chart


def matching(pattern: str) -> tuple[EpochMetric, ...]:
    """The metrics whose name matches the pattern; without a pattern the default ones."""
    if not pattern:
        return tuple(metric for metric in METRICS if metric.usual)
    return tuple(metric for metric in METRICS if fits(pattern, metric.name))


def steps_an_epoch(view: RunView) -> float | None:
    """The steps of an epoch; None in runs of versions that did not report steps."""
    last = next((point for point in reversed(view.steps) if point.position > 0), None)
    return last.step / last.position if last else None


def usable_axis(views: Sequence[RunView], wanted: str) -> str:
    """The x axis to draw: the wanted one, or epochs where a run did not report its steps."""
    known = wanted != "step" or all(steps_an_epoch(view) for view in views)
    return wanted if known else X_AXES[0]


def place_of(view: RunView, epoch: float, axis: str) -> float:
    """Where the end of an epoch is on the x axis: its number, the steps or the seconds of training until then."""
    if axis == "step":
        return epoch * (steps_an_epoch(view) or 1.0)
    if axis == "time":
        return sum(each.seconds for each in view.epochs if each.epoch <= epoch)
    return epoch


def points(view: RunView, metric: EpochMetric, axis: str = X_AXES[0]) -> Points:
    """The metric at each epoch that has it."""
    values = ((place_of(view, float(epoch.epoch), axis), metric.of(epoch)) for epoch in view.epochs)
    return tuple((x, y) for x, y in values if y is not None)


def step_points(view: RunView, chart: str, axis: str = X_AXES[0]) -> Points:
    """What was measured inside the epochs for this chart; empty where nothing was."""
    of = STEPS.get(chart)
    if of is None:
        return ()
    x_of = {"epoch": lambda p: p.position, "step": lambda p: p.step, "time": lambda p: p.seconds}[axis]
    return tuple((x_of(point), y) for point in view.steps if (y := of(point)) is not None)


def whole_window(views: Sequence[RunView], axis: str = X_AXES[0]) -> Window:
    """From the first epoch, or from 0 where steps were reported, to the last planned epoch of any of the runs.

    Before the first epoch has ended, to its end. By time, to the last point.
    """
    first = 0.0 if any(view.steps for view in views) else 1.0
    planned = [float(view.epochs[-1].epochs) for view in views if view.epochs]
    if axis == "time":
        times = [place_of(view, float("inf"), axis) for view in views]
        return 0.0, max([1.0, *times, *(point.seconds for view in views for point in view.steps)])
    if axis == "step":
        ends = [place_of(view, float(view.epochs[-1].epochs), axis) for view in views if view.epochs]
        return 0.0, max([1.0, *(ends or [steps_an_epoch(view) or 1.0 for view in views])])
    if not planned:
        return first, first + 1.0
    return first, max([2.0, *planned])


def charts(
    views: Sequence[RunView],
    pattern: str,
    scale: str,
    window: Window,
    cursor: float | None,
    axis: str = X_AXES[0],
) -> tuple[Chart, ...]:
    """A chart for each kind of metric that matches the pattern, in the order of METRICS.

    `window` and `cursor` are epochs, whatever the axis. One run has a colour for each side, and a faint curve of
    what was measured inside its epochs. Several runs have a letter each and a colour; the lines of the fifth to
    eighth are dashed, with the colours of the first four. Training curves are dotted, of up to four runs.
    """
    chosen = matching(pattern)
    best = views[0].best if len(views) == 1 else None
    return tuple(
        Chart(
            title=title,
            series=_series(views, title, [metric for metric in chosen if metric.chart == title], axis),
            window=_on_axis(window, views, axis),
            percent=next(metric.percent for metric in chosen if metric.chart == title),
            scale=scale,
            best=place_of(views[0], float(best.epoch), axis) if best else None,
            cursor=None if cursor is None or not views else place_of(views[0], cursor, axis),
            x=axis,
        )
        for title in dict.fromkeys(metric.chart for metric in chosen)
    )


def _on_axis(window: Window, views: Sequence[RunView], axis: str) -> Window:
    """The same share of the x axis as the window of epochs."""
    if axis == X_AXES[0]:
        return window
    (first, last), (low, high) = whole_window(views), whole_window(views, axis)
    return tuple(low + (place - first) / (last - first) * (high - low) for place in window)  # type: ignore[return-value]


def _series(views: Sequence[RunView], title: str, metrics: list[EpochMetric], axis: str) -> tuple[Series, ...]:
    if len(views) > 1:
        return _series_of_runs(views, title, metrics, axis)
    found: list[Series] = []
    for view in views:
        inside = step_points(view, title, axis)
        of_sides = any(metric.side for metric in metrics)
        if inside:
            found.append(Series("steps", "faint" if of_sides else "accent", inside))
        if not inside or of_sides:
            found += [
                Series(m.side or title, SIDE_STYLES.get(m.side, "accent"), points(view, m, axis), mark=m.side[:1])
                for m in metrics
            ]
    return tuple(found)


def _series_of_runs(
    views: Sequence[RunView], title: str, metrics: list[EpochMetric], axis: str
) -> tuple[Series, ...]:
    main = next((m for m in metrics if m.side == "val"), metrics[-1])
    others = [m for m in metrics if m is not main] if len(views) <= len(COLOURS) else []
    found: list[Series] = []
    for number, (letter, style, view) in enumerate(legend(views)):
        if view.epochs:
            found += [Series("", style, points(view, m, axis), line="dotted") for m in others]
        own = points(view, main, axis) if view.epochs else step_points(view, title, axis)
        found.append(Series("", style, own, mark=letter, line=line_of(number)))
    return tuple(found)


def legend(views: Sequence[RunView]) -> list[tuple[str, str, RunView]]:
    """(letter, style, run) of the compared runs."""
    return list(zip(LETTERS, RUN_STYLES, views, strict=False))


def line_of(number: int) -> LineKind:
    """The line of the run with this number, from 0: with its colour it is that of no other run."""
    return "solid" if number < len(COLOURS) else "dashed"


def run_names(views: Sequence[RunView]) -> list[Line]:
    """Letter, name and start of the compared runs, in their colours."""
    return [Styled(f"{letter} {view.label} {moment(view.started)}", style) for letter, style, view in legend(views)]


def legend_lines(names: Sequence[Line], width: int) -> list[Line]:
    """The names in lines of `width` cells, none of them broken."""
    lines: list[list[Line]] = [[]]
    room = width
    for name in names:
        cells = cells_of(text_of(name))
        if lines[-1] and cells > room:
            lines.append([])
            room = width
        lines[-1].append(name)
        room -= cells + len(GAP)
    return [join(GAP, line) for line in lines if line]
