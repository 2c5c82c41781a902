"""The job `networks`: the cost of each network."""

from dataclasses import dataclass

from kanji_tui.events import Report
from kanji_tui.networks.results import Networks


@dataclass(frozen=True)
class Spec:
    """`size` pixels a side, `classes` outputs."""

    size: int = 64
    classes: int = 3036


def run(spec: Spec, report: Report) -> Networks:
    from kanji_tui.networks.summary import summarise_all

    return Networks(summarise_all(spec.size, spec.classes))
