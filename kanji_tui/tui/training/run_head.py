"""The head of the Training screen: what the chosen run is, how far it came, how fast, on what."""

from textual.content import Content

from kanji_tui.training.results import Trained
from kanji_tui.tui.widgets import formatting
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.workspace.run_views import RunView

GAP = Content("  ")


class RunHead(KeyValues):
    """Two lines: what the run is and how good, what it does now or how it ended."""

    def show(self, view: RunView | None, published: bool, ready: bool) -> None:  # type: ignore[override]
        """`ready`: there is a dataset to train on."""
        if view is None:
            hint = "n trains a network on the dataset" if ready else "no dataset to train on yet: press 2"
            self.say(formatting.next_words(hint) + "\n")
            return
        self.say(GAP.join(_first_line(view)) + "\n" + GAP.join(_second_line(view, published)))


def _first_line(view: RunView) -> list[Content]:
    state = Content.styled("stopping", "bold $warning") if view.stopping else formatting.state(view.state)
    parts = [Content.styled(view.network or view.job, "bold"), state]
    if view.active and view.progress:
        parts.append(formatting.quiet(view.progress.phase))
    if view.best:
        parts.append(Content(f"best {formatting.percent(view.best.val_top1)}"))
    trained = view.result
    if isinstance(trained, Trained) and trained.test is not None:
        parts.append(Content.styled(f"test {formatting.percent(trained.test.top1)}", "bold $success"))
    return parts


def _second_line(view: RunView, published: bool) -> list[Content]:
    if view.failure:
        return [Content.styled(view.failure.message, "$error") + "\n" + formatting.quiet(view.failure.remedy)]
    if not view.active:
        return _ended(view, published)
    progress = view.progress
    if progress is None:
        return [formatting.quiet("starting: torch is being loaded")]
    parts = [Content.styled(progress.item or progress.phase, "$primary")]
    if progress.rate is not None:
        parts.append(Content(f"{formatting.count(progress.rate)} {progress.unit}/s"))
    if progress.remaining is not None:
        parts.append(Content(f"{formatting.duration(progress.remaining)} left"))
    return parts


def _ended(view: RunView, published: bool) -> list[Content]:
    if view.state == "lost":
        return [formatting.quiet("its process is gone: u goes on from its last checkpoint")]
    if view.state == "stopped":
        return [formatting.quiet("stopped by you: u goes on from its checkpoint")]
    parts = [Content.styled("published", "$accent")] if published else []
    parts.append(formatting.next_words("e exports, 5 browses" if published else "P publishes, e exports"))
    trained = view.result
    if isinstance(trained, Trained):
        parts.append(formatting.quiet(f"took {formatting.duration(trained.seconds)} on {trained.device}"))
        parts.append(formatting.quiet(f"{formatting.count(trained.samples_per_second)} samples/s"))
    return parts
