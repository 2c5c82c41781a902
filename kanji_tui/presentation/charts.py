"""The curves of a training: metrics chosen by a pattern, of one run or of several compared runs."""

from kanji_tui.epoch_metrics import METRICS, EpochMetric
from kanji_tui.presentation.curve_data import Chart, Points, Series, Window
from kanji_tui.workspace.run_query import fits
from kanji_tui.workspace.run_views import RunView

MOST_RUNS = 4
LETTERS = "abcd"
RUN_STYLES = ("accent", "primary", "good", "warning")
SIDE_STYLES = {"train": "primary", "val": "accent", "clean": "good"}


def matching(pattern: str) -> tuple[EpochMetric, ...]:
    """The metrics whose name matches the pattern; without a pattern the default ones."""
    if not pattern:
        return tuple(metric for metric in METRICS if metric.usual)
    return tuple(metric for metric in METRICS if fits(pattern, metric.name))


def points(view: RunView, metric: EpochMetric) -> Points:
    """The metric at each epoch that has it."""
    values = ((float(epoch.epoch), metric.of(epoch)) for epoch in view.epochs)
    return tuple((x, y) for x, y in values if y is not None)


def whole_window(views: list[RunView]) -> Window:
    """From the first epoch to the last planned epoch of any of the runs."""
    planned = [float(view.epochs[-1].epochs) for view in views if view.epochs]
    return 1.0, max([2.0, *planned])


def charts(
    views: list[RunView], pattern: str, scale: str, window: Window, cursor: float | None
) -> tuple[Chart, ...]:
    """A chart for each kind of metric that matches the pattern, in the order of METRICS.

    One run has a colour for each side. Several runs have a colour and a letter each, a to d, and their training
    curves are dotted.
    """
    chosen = matching(pattern)
    best = views[0].best if len(views) == 1 else None
    return tuple(
        Chart(
            title=title,
            series=_series(views, [metric for metric in chosen if metric.chart == title]),
            window=window,
            percent=next(metric.percent for metric in chosen if metric.chart == title),
            scale=scale,
            best=float(best.epoch) if best else None,
            cursor=cursor,
        )
        for title in dict.fromkeys(metric.chart for metric in chosen)
    )


def _series(views: list[RunView], metrics: list[EpochMetric]) -> tuple[Series, ...]:
    if len(views) <= 1:
        return tuple(
            Series(m.side or m.chart, SIDE_STYLES.get(m.side, "accent"), points(view, m), mark=m.side[:1])
            for view in views
            for m in metrics
        )
    main = next((m for m in metrics if m.side == "val"), metrics[-1])
    return tuple(
        Series("", style, points(view, m), mark=letter if m is main else "", dotted=m is not main)
        for view, letter, style in zip(views, LETTERS, RUN_STYLES, strict=False)
        for m in sorted(metrics, key=lambda m: m is main)
    )


def legend(views: list[RunView]) -> list[tuple[str, str, RunView]]:
    """(letter, style, run) of the compared runs."""
    return list(zip(LETTERS, RUN_STYLES, views, strict=False))
