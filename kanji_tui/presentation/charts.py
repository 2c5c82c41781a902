"""The curves of a training: metrics chosen by a pattern, of one run or of several compared runs."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from kanji_tui.events import Epoch
from kanji_tui.presentation.curve_data import Chart, Points, Series, Window
from kanji_tui.workspace.run_views import RunView

MOST_RUNS = 4
LETTERS = "abcd"
RUN_STYLES = ("accent", "primary", "good", "warning")
SIDE_STYLES = {"train": "primary", "val": "accent", "clean": "good"}


@dataclass(frozen=True)
class Metric:
    """A curve: the chart it is drawn in, its side there (train, val ...) and its value of an epoch."""

    chart: str
    side: str
    of: Callable[[Epoch], float | None]
    percent: bool = False
    usual: bool = False

    @property
    def name(self) -> str:
        """The text that a pattern is matched against."""
        return f"{self.side} {self.chart}".strip()


METRICS: tuple[Metric, ...] = (
    Metric("loss", "train", lambda epoch: epoch.train_loss, usual=True),
    Metric("loss", "val", lambda epoch: epoch.val_loss, usual=True),
    Metric("top-1", "train", lambda epoch: epoch.train_top1, percent=True, usual=True),
    Metric("top-1", "clean", lambda epoch: epoch.train_clean_top1, percent=True),
    Metric("top-1", "val", lambda epoch: epoch.val_top1, percent=True, usual=True),
    Metric("top-3", "val", lambda epoch: epoch.val_top3, percent=True),
    Metric("top-5", "val", lambda epoch: epoch.val_top5, percent=True),
    Metric("learning rate", "", lambda epoch: epoch.learning_rate),
    Metric("samples/s", "", lambda epoch: epoch.samples_per_second),
    Metric("seconds", "", lambda epoch: epoch.seconds),
)


def fits(pattern: str, text: str) -> bool:
    """Whether the text matches the pattern: a regular expression, or plain text if it is not a valid one."""
    try:
        return re.search(pattern, text, re.IGNORECASE) is not None
    except re.error:
        return pattern.lower() in text.lower()


def matching(pattern: str) -> tuple[Metric, ...]:
    """The metrics whose name matches the pattern; without a pattern the usual ones."""
    if not pattern:
        return tuple(metric for metric in METRICS if metric.usual)
    return tuple(metric for metric in METRICS if fits(pattern, metric.name))


def points(view: RunView, metric: Metric) -> Points:
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


def _series(views: list[RunView], metrics: list[Metric]) -> tuple[Series, ...]:
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
