"""The layer whose feature maps the Browser shows, and the dialog that offers all."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from kanji_tui.presentation.feature_maps import LAYER_COLUMNS, choice_of_channels, layer_table
from kanji_tui.recognition.results import Layer, LayerMaps
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.map_grid import Maps, SmallMap


class LayerChoice:
    """One of the model's `layers`, by its `name`; it stays the same from sample to sample."""

    def __init__(self) -> None:
        self.layers: tuple[Layer, ...] = ()
        self.name = ""

    def offer(self, layers: tuple[Layer, ...]) -> None:
        """The layers of the model; of one without the chosen layer the first is chosen."""
        self.layers = layers
        if self.name not in [layer.name for layer in layers]:
            self.name = layers[0].name

    def choose(self, name: str) -> None:
        """Choose a layer, if the model has it; it may be another model than when its layers were listed."""
        if name in [layer.name for layer in self.layers]:
            self.name = name

    def forget(self) -> None:
        """There is another model, whose layers are not known yet."""
        self.layers = ()

    @property
    def index(self) -> int:
        return [layer.name for layer in self.layers].index(self.name)

    def step(self, step: int) -> None:
        """Choose the next layer, or the one before; not beyond the ends."""
        self.name = self.layers[max(0, min(len(self.layers) - 1, self.index + step))].name

    def maps(self, found: tuple[LayerMaps, ...]) -> Maps:
        """The maps of the chosen layer."""
        layer = self.layers[self.index]
        maps = next(one.maps for one in found if one.layer == layer.name)
        return Maps(
            title=f"{layer.name}  {self.index + 1} of {len(self.layers)}",
            about=tuple(choice_of_channels(number, layer) for number in range(len(maps) + 1)),
            size=layer.width,
            maps=tuple(SmallMap(str(one.channel), bytes.fromhex(one.levels)) for one in maps),
        )


class LayerScreen(ModalScreen[str | None]):
    """Gives the name of the chosen layer, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,M", "close", "Close")]
    DEFAULT_CSS = """
    LayerScreen ListTable { height: auto; max-height: 65vh; }
    """

    def __init__(self, choice: LayerChoice) -> None:
        super().__init__()
        self._choice = choice

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide") as dialog:
            dialog.border_title = "feature maps: layers in the order in which they run"
            dialog.border_subtitle = "enter chooses   esc closes"
            yield ListTable(*LAYER_COLUMNS)

    def on_mount(self) -> None:
        table = self.query_one(ListTable)
        table.show(layer_table(self._choice.layers).rows)
        table.select(self._choice.name)
        table.focus()

    def on_list_table_chosen(self, message: ListTable.Chosen) -> None:
        self.dismiss(message.row.key)

    def action_close(self) -> None:
        self.dismiss(None)
