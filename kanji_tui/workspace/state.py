"""What the workbench knows and every screen may show. Only the app's message handlers change it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanji_tui.events import Gpu
    from kanji_tui.workspace.run_views import RunView
    from kanji_tui.workspace.snapshot import WorkspaceSnapshot


@dataclass
class State:
    """`runs` by name; `place` is None until it was first read."""

    runs: "dict[str, RunView]" = field(default_factory=dict)
    place: "WorkspaceSnapshot | None" = None
    gpus: "tuple[Gpu, ...]" = ()

    @property
    def published(self) -> str:
        """The name of the run whose model is the one in models/; empty where none of the runs made it."""
        return self.place.model.run if self.place and self.place.model else ""

    def of(self, *jobs: str) -> "list[RunView]":
        """The runs of these jobs (of all without any), newest first."""
        views = [view for view in self.runs.values() if not jobs or view.job in jobs]
        return sorted(views, key=lambda view: (view.started, view.name), reverse=True)

    def active(self, *jobs: str) -> "list[RunView]":
        """Those of them that run now."""
        return [view for view in self.of(*jobs) if view.active]

    def newest(self, *jobs: str, state: str = "") -> "RunView | None":
        """The newest of them, in this state where one is given."""
        return next((view for view in self.of(*jobs) if not state or view.state == state), None)
