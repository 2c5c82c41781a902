"""The state that all screens show. Only the app's message handlers change it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanji_tui.events import Gpu
    from kanji_tui.workspace.run_views import RunView
    from kanji_tui.workspace.snapshot import WorkspaceSnapshot


@dataclass
class State:
    """`runs` by name; `workspace` is None until it is first read."""

    runs: "dict[str, RunView]" = field(default_factory=dict)
    workspace: "WorkspaceSnapshot | None" = None
    gpus: "tuple[Gpu, ...]" = ()

    @property
    def published(self) -> str:
        """The name of the published run, whose model is in models/; empty if no run made that model."""
        return self.workspace.model.run if self.workspace and self.workspace.model else ""

    def of(self, *jobs: str) -> "list[RunView]":
        """The runs of these jobs, newest first; without `jobs` all runs."""
        views = [view for view in self.runs.values() if not jobs or view.job in jobs]
        return sorted(views, key=lambda view: (view.started, view.name), reverse=True)

    def active(self, *jobs: str) -> "list[RunView]":
        """The active runs of these jobs, newest first."""
        return [view for view in self.of(*jobs) if view.active]

    def newest(self, *jobs: str, state: str = "") -> "RunView | None":
        """The newest run of these jobs, with `state` only of those in it."""
        return next((view for view in self.of(*jobs) if not state or view.state == state), None)
