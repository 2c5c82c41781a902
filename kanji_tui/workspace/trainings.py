"""Trainings: a run and what was resumed from it are one training in parts."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kanji_tui.workspace.run_views import RunView


@dataclass(frozen=True)
class Training:
    """The parts of one training, oldest first; the last one has the epochs of all."""

    parts: tuple[RunView, ...]

    @property
    def last(self) -> RunView:
        return self.parts[-1]

    def has(self, run: str) -> bool:
        """Whether the run with this name is one of the parts."""
        return any(part.name == run for part in self.parts)


def trainings(views: Iterable[RunView]) -> list[Training]:
    """A training for each run that no other goes on with, in the order of the runs.

    A resumption that ended before it had an epoch continues nothing: the run before it still counts.
    """
    known = {view.name: view for view in views}
    continued = {view.continues for view in known.values() if view.epochs or view.active}
    return [Training(_parts(view, known)) for view in known.values() if view.name not in continued]


def with_steps_before(view: RunView, known: dict[str, RunView]) -> RunView:
    """The run, with what the parts before it measured inside their epochs, up to where it went on."""
    steps = view.steps
    for part in reversed(_parts(view, known)[:-1]):
        first = steps[0].step if steps else math.inf
        steps = (*(point for point in part.steps if point.step < first), *steps)
    return view if len(steps) == len(view.steps) else replace(view, steps=steps)


def _parts(view: RunView, known: dict[str, RunView]) -> tuple[RunView, ...]:
    parts = [view]
    while (before := known.get(parts[0].continues or "")) is not None and before not in parts:
        parts.insert(0, before)
    return tuple(parts)
