"""The pane of the Browser that shows one sample: its image, its prediction, its record."""

from dataclasses import dataclass
from functools import cached_property

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from kanji_tui.characters.jis import name_jis
from kanji_tui.presentation.document import Line
from kanji_tui.presentation.samples import sample_key_values
from kanji_tui.recognition.results import Explanations
from kanji_tui.tui.browser.probability_bars import ProbabilityBars
from kanji_tui.tui.widgets.image_view import ImageView
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.map_grid import MapGrid, Maps
from kanji_tui.tui.widgets.pane_title import set_pane_title
from kanji_tui.workspace.sample_browser import Sample

STRONG = 0.6  # share of the strongest region's mean, from which a region is named too


@dataclass(frozen=True)
class SaliencyMap:
    """The saliency map of a sample for `character`: `heat` as `size` x `size` bytes, computed by `method`."""

    heat: bytes
    size: int
    method: str
    character: str

    @cached_property
    def text(self) -> str:
        """`class activation map of 田, strongest: upper left, centre`, for readers who cannot see the map."""
        return f"{self.method} of {self.character}, strongest: {strongest(self.heat, self.size)}"


def saliency_maps(explanations: Explanations) -> dict[int, SaliencyMap]:
    """The saliency maps by sample number."""
    found = {}
    for one in explanations.explained:
        if one.sample is not None:
            heat = bytes(round(255 * value) for row in one.map for value in row)
            found[one.sample] = SaliencyMap(heat, one.size, one.method, one.character)
    return found


class SamplePane(Vertical):
    """Shows a sample; after a wrong prediction beside a typical sample of the predicted class."""

    def compose(self) -> ComposeResult:
        yield KeyValues(id="message")
        with Horizontal(id="images"):
            yield ImageView(id="image")
            yield ImageView(id="other")
            yield MapGrid(id="maps")
        yield ProbabilityBars(id="bars")
        yield KeyValues(id="sample-details", name_width=10)

    def on_mount(self) -> None:
        self.border_title = "sample"
        self.query_one("#other", ImageView).display = False

    def show_message(self, message: Line) -> None:
        """Show what to do next, or what is wrong."""
        self.query_one("#message", KeyValues).show_line(message)

    def show_none(self) -> None:
        """Show that there is no sample."""
        set_pane_title(self, "sample")
        self.query_one("#image", ImageView).show(b"", 0)
        self.query_one("#other", ImageView).display = False
        self.set_class(False, "-maps")
        self.query_one(MapGrid).show(None)
        self.query_one(ProbabilityBars).show((), "", "")
        self.query_one("#sample-details", KeyValues).show([])

    def show(
        self, sample: Sample, saliency: SaliencyMap | None, maps: Maps | None, otherwise: str, low: bool
    ) -> None:
        """`saliency` is laid over the image, `maps` are beside it; `otherwise`: if the sample was not predicted."""
        title = f"{sample.character}  {name_jis(sample.jis)}"
        other = sample.other
        if other is not None:
            title += f"  predicted as  {other.caption}  {sample.candidates[0].jis}"
        set_pane_title(self, title)
        caption = f"this {sample.character}" if other is not None else ""
        heat = saliency.heat if saliency is not None and saliency.size == sample.size else b""
        self.query_one("#image", ImageView).show(sample.pixels, sample.size, heat, caption)
        beside = self.query_one("#other", ImageView)
        beside.display = other is not None and not self.screen.has_class("-maps")
        self.set_class(maps is not None, "-maps")
        self.query_one(MapGrid).show(maps)
        if other is not None:
            beside.show(other.pixels, other.size, caption=f"typical {other.caption}")
        self.query_one(ProbabilityBars).show(sample.candidates, name_jis(sample.jis), otherwise)
        text = saliency.text if saliency is not None else ""
        details = sample_key_values(sample, text, low, self.content_size.width)
        self.query_one("#sample-details", KeyValues).show(details.pairs)


def strongest(heat: bytes, size: int) -> str:
    """The regions of an image, out of nine, in which the heat is strongest; at most three of them."""
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
