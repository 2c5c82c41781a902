"""What the user chose of the list of runs: which of them, which columns, which order."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kanji_tui.errors import UsageError
from kanji_tui.workspace.run_fields import Fields, fields_of_view
from kanji_tui.workspace.run_query import Term, chosen, field_named, in_order, readable_words
from kanji_tui.workspace.run_views import RunView
from kanji_tui.workspace.trainings import Training, trainings

RUNS, COLUMNS, ORDER = "runs", "columns", "order"  # what is typed


@dataclass(frozen=True)
class RunChoice:
    """`texts` are what was typed, by topic. `problem`: what in the last one cannot be read.

    Without `columns` the list has the usual ones; without an `order` the newest run is first.
    """

    texts: tuple[tuple[str, str], ...] = ()
    query: tuple[Term, ...] = ()
    columns: tuple[str, ...] = ()
    order: str = ""
    problem: str = ""

    def text(self, topic: str) -> str:
        return dict(self.texts).get(topic, "")

    def typed(self, topic: str, text: str) -> "RunChoice":
        """The choice after `text` was typed as which runs, which columns or which order."""
        noted = replace(self, texts=tuple({**dict(self.texts), topic: text}.items()), problem="")
        try:
            if topic == RUNS:
                query, problem = readable_words(text)
                return replace(noted, query=query, problem=problem)
            if topic == COLUMNS:
                return replace(noted, columns=tuple(field_named(name) for name in text.replace(",", " ").split()))
            bare = text.strip()
            wanted = bare.removeprefix("-").strip()
            name = field_named(wanted) if wanted else ""
            return replace(noted, order=f"-{name}" if name and bare.startswith("-") else name)
        except UsageError as error:
            return replace(noted, problem=error.message)

    def listed(self, views: Iterable[RunView]) -> tuple[list[Training], int]:
        """The trainings to list, in their order, and how many there are in all."""
        every = trainings(views)
        return in_order(chosen(every, self.query, _fields), self.order, _fields), len(every)

    def note(self, listed: int, of: int) -> str:
        """The choice in a line; empty for the usual list."""
        which = self.text(RUNS).strip()
        parts = [
            self.problem or (f"{which}  {listed} of {of}" if which else ""),
            f"by {self.order}" * bool(self.order),
        ]
        return "  ".join(part for part in parts if part)


def _fields(training: Training) -> Fields:
    return fields_of_view(training.last)
