"""What a model says of a picture: its candidates with a bar for each probability."""

from textual.content import Content
from textual.widget import Widget

from kanji_tui.characters.jis import name_jis
from kanji_tui.tui.widgets.formatting import bar
from kanji_tui.workspace.thumbnails import Candidate


class ProbabilityBars(Widget):
    """One line a candidate, best first."""

    DEFAULT_CSS = """
    ProbabilityBars { height: auto; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._candidates: tuple[Candidate, ...] = ()
        self._otherwise = ""

    def show(self, candidates: tuple[Candidate, ...], otherwise: str) -> None:
        """`otherwise` is what to say where there are no candidates."""
        if (candidates, otherwise) != (self._candidates, self._otherwise):
            moved = len(candidates) != len(self._candidates) or otherwise != self._otherwise
            self._candidates, self._otherwise = candidates, otherwise
            self.refresh(layout=moved)

    def render(self) -> Content:
        if not self._candidates:
            return Content.styled(self._otherwise, "$quiet")
        width = max(4, self.content_size.width - 18)
        lines = [
            Content.assemble(
                (candidate.character, "bold $success" if candidate.right else "bold"),
                (f" {name_jis(candidate.jis)} ", "$quiet"),
                bar(candidate.probability, width),
                f" {100 * candidate.probability:5.1f} %",
            )
            for candidate in self._candidates
        ]
        return Content("\n").join(lines)
