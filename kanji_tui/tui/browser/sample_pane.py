"""The pane of the Browser that shows one sample: its picture, what it is read as, where it comes from."""

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from kanji_tui.characters.jis import name_jis
from kanji_tui.recognition.results import Explanations
from kanji_tui.tui.browser.probability_bars import ProbabilityBars
from kanji_tui.tui.browser.sample_format import sample_facts
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.pane_title import set_pane_title
from kanji_tui.tui.widgets.picture import Picture
from kanji_tui.workspace.sample_browser import Sample

MAPS_KEPT = 256
STRONG = 0.6  # of the strongest ninth of the picture


@dataclass(frozen=True)
class Looks:
    """Where a model looks in a sample: `heat` as `size` x `size` bytes; `method` and `character` explained."""

    heat: bytes
    size: int
    method: str
    character: str

    @cached_property
    def words(self) -> str:
        """`class activation map of 田: strongest upper left, centre`."""
        return f"{self.method} of {self.character}: strongest {strongest(self.heat, self.size)}"


class Maps:
    """Saliency maps by sample number: the newest are kept."""

    def __init__(self) -> None:
        self._maps: OrderedDict[int, Looks] = OrderedDict()

    def __contains__(self, number: int) -> bool:
        return number in self._maps

    def of(self, number: int) -> Looks | None:
        return self._maps.get(number)

    def clear(self) -> None:
        self._maps.clear()

    def take(self, explanations: Explanations) -> None:
        """Keep the maps of samples."""
        for one in explanations.explained:
            if one.sample is not None:
                heat = bytes(round(255 * value) for row in one.map for value in row)
                self._maps[one.sample] = Looks(heat, one.size, one.method, one.character)
        while len(self._maps) > MAPS_KEPT:
            self._maps.popitem(last=False)


class SamplePane(Vertical):
    """Shows a sample; one read wrong stands beside a sample of the character it was read as."""

    def compose(self) -> ComposeResult:
        yield KeyValues(id="said")
        with Horizontal(id="pictures"):
            yield Picture(id="picture")
            yield Picture(id="other")
        yield ProbabilityBars(id="bars")
        yield KeyValues(id="facts", name_width=10)

    def on_mount(self) -> None:
        self.border_title = "sample"
        self.query_one("#other", Picture).display = False

    def say(self, words: Content) -> None:
        """What to do next, or what is the matter."""
        self.query_one("#said", KeyValues).say(words)

    def show_none(self) -> None:
        """There is no sample to show."""
        set_pane_title(self, "sample")
        self.query_one("#picture", Picture).show(b"", 0)
        self.query_one("#other", Picture).display = False
        self.query_one(ProbabilityBars).show((), "")
        self.query_one("#facts", KeyValues).show([])

    def show(self, sample: Sample, looks: Looks | None, otherwise: str, low: bool) -> None:
        """`looks` lies over the picture; `otherwise` is said where the model has not read the sample."""
        title = f"{sample.character}  {name_jis(sample.jis)}"
        other = sample.other
        if other is not None:
            title += f"  read as  {other.caption}  {name_jis(sample.candidates[0].jis)}"
        set_pane_title(self, title)
        caption = f"{sample.character}, this sample" if other is not None else ""
        heat = looks.heat if looks is not None and looks.size == sample.size else b""
        self.query_one("#picture", Picture).show(sample.pixels, sample.size, heat, caption)
        beside = self.query_one("#other", Picture)
        beside.display = other is not None
        if other is not None:
            beside.show(other.pixels, other.size, caption=f"{other.caption}, read best")
        self.query_one(ProbabilityBars).show(sample.candidates, otherwise)
        self.query_one("#facts", KeyValues).show(sample_facts(sample, looks.words if looks else "", low))


def strongest(heat: bytes, size: int) -> str:
    """In which ninths of a picture the heat is strongest, in words, at most three of them."""
    names = (
        ("upper left", "top", "upper right"),
        ("left", "centre", "right"),
        ("lower left", "bottom", "lower right"),
    )
    edges = [size * third // 3 for third in range(4)]
    means = {}
    for y, row in enumerate(names):
        for x, name in enumerate(row):
            part = b"".join(
                heat[line * size + edges[x] : line * size + edges[x + 1]] for line in range(edges[y], edges[y + 1])
            )
            means[name] = sum(part) / max(1, len(part))
    most = max(means.values())
    if most <= 0:
        return "nowhere"
    found = sorted((name for name in means if means[name] >= STRONG * most), key=lambda name: -means[name])
    return ", ".join(found[:3])
