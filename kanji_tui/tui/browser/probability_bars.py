"""A model's candidates for a sample, with a bar for each probability."""

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from kanji_tui.presentation.recognition import candidate_line
from kanji_tui.recognition.results import Candidate
from kanji_tui.tui.widgets.content import lines_content

BESIDE_BAR = 19  # columns of a line besides its bar


class ProbabilityBars(Widget):
    """One line per candidate, best first."""

    DEFAULT_CSS = """
    ProbabilityBars { height: auto; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._candidates: tuple[Candidate, ...] = ()
        self._label, self._otherwise = "", ""

    def show(self, candidates: tuple[Candidate, ...], label: str, otherwise: str) -> None:
        """`label`: the JIS code of the sample's class; `otherwise` is shown if there are no candidates."""
        if (candidates, label, otherwise) != (self._candidates, self._label, self._otherwise):
            height_changed = len(candidates) != len(self._candidates) or otherwise != self._otherwise
            self._candidates, self._label, self._otherwise = candidates, label, otherwise
            self.refresh(layout=height_changed)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A line per candidate. What `render` gives is as wide as in the layout before, and would be wrapped."""
        return len(self._candidates) or super().get_content_height(container, viewport, width)

    def render(self) -> Content:
        if not self._candidates:
            return Content.styled(self._otherwise, "$quiet")
        width = max(4, self.content_size.width - BESIDE_BAR)
        return lines_content([candidate_line(found, self._label, width) for found in self._candidates])
