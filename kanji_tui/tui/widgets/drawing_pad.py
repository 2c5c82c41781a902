"""A square drawing pad for the mouse or the keys; paints only the cells that change."""

import math
from collections.abc import Iterable
from itertools import groupby
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from kanji_tui.tui.widgets.pen import DOTS, Cells, Point, Stroke, ink, smooth

STEPS = 32  # of the keyboard's cursor from edge to edge
PIXELS_REACH = 0.02  # of the side: the smoothing where the terminal reports the mouse in pixels
DOT = 0.02  # of the side: how far a mouse or a finger trembles when it taps, as in web/page/pad.js
FEWEST_COLUMNS = 8
DIRECTIONS = {  # as on a number pad
    "left": (-1, 0),
    "right": (1, 0),
    "up": (0, -1),
    "down": (0, 1),
    "home": (-1, -1),
    "pageup": (1, -1),
    "end": (-1, 1),
    "pagedown": (1, 1),
}


class DrawingPad(Widget, can_focus=True):
    """`strokes` is the drawing; `beside` columns of the container stay free for other widgets."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"pad--ink", "pad--guide", "pad--cursor", "pad--pen"}
    BINDINGS: ClassVar[list[BindingType]] = [
        *[Binding(key, f"move({x},{y})", "Move", show=False) for key, (x, y) in DIRECTIONS.items()],
        *[
            Binding(f"shift+{key}", f"move({4 * x},{4 * y})", "Jump", show=False)
            for key, (x, y) in DIRECTIONS.items()
        ],
        Binding("space", "pen", "Pen", show=False),
    ]
    DEFAULT_CSS = """
    DrawingPad {
        width: auto; height: auto; border: round $rule; background: $panel; color: $quiet;
        & > .pad--ink { color: $foreground; }
        & > .pad--guide { color: $faint; }
        & > .pad--cursor { color: $primary; text-style: reverse bold; }
        & > .pad--pen { color: $accent; text-style: reverse bold; }
        &:focus { border: round $primary; }
    }
    """

    class Drawn(Message):
        """The drawing changed, or the pen went down or up."""

        def __init__(self, pad: "DrawingPad") -> None:
            super().__init__()
            self.pad = pad

    def __init__(self, beside: int, id: str | None = None) -> None:
        super().__init__(id=id)
        self.strokes: tuple[Stroke, ...] = ()
        self._beside = beside
        self._past: list[tuple[Stroke, ...]] = []
        self._future: list[tuple[Stroke, ...]] = []
        self._line: list[Point] = []  # the stroke being drawn
        self._by_mouse = False
        self._pixels = False
        self._cursor = STEPS // 2, STEPS // 2
        self._cursor_seen = True
        self._inked: dict[Stroke, Cells] = {}
        self._cells: Cells = {}

    @property
    def pen_down(self) -> bool:
        """Whether a stroke is being drawn."""
        return bool(self._line)

    @property
    def by_keys(self) -> bool:
        """Whether a stroke is being drawn with the keys; space ends it."""
        return self.pen_down and not self._by_mouse

    @property
    def holds_dot(self) -> bool:
        """Whether no more than a dot is drawn, which has no shape to read."""
        return bool(self.strokes) and all(
            math.dist(point, self.strokes[0][0]) < DOT for stroke in self.strokes for point in stroke
        )

    @property
    def can_undo(self) -> bool:
        return bool(self._past or self._line)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    # the drawing

    def undo(self) -> None:
        """Undo the last change; a stroke that is being drawn is discarded."""
        if self._line:
            self._drop_line()
        elif self._past:
            self._future.append(self.strokes)
            self._change(self._past.pop())

    def redo(self) -> None:
        if self._future:
            self._past.append(self.strokes)
            self._change(self._future.pop())

    def clear(self) -> None:
        """Remove all strokes; undo brings them back."""
        self._drop_line()
        if self.strokes:
            self.draw(())

    def draw(self, strokes: tuple[Stroke, ...]) -> None:
        """Show another drawing, as one change for undo."""
        self._past.append(self.strokes)
        self._future.clear()
        self._change(strokes)

    def _change(self, strokes: tuple[Stroke, ...]) -> None:
        self.strokes = strokes
        self._repaint_ink()
        self.post_message(self.Drawn(self))

    def _start(self, point: Point, by_mouse: bool) -> None:
        self._by_mouse = by_mouse
        self._line = [point]
        self._add_ink([point])
        self.post_message(self.Drawn(self))

    def _extend(self, point: Point) -> None:
        if point != self._line[-1]:
            self._add_ink([self._line[-1], point])
            self._line.append(point)

    def _lift(self) -> None:
        """Lift the pen: the line becomes a smooth stroke."""
        line, self._line = self._line, []
        reach = 2 / self._columns if self._by_mouse and not self._pixels else PIXELS_REACH
        self.draw((*self.strokes, smooth(line, reach)))

    def _drop_line(self) -> None:
        if self._line:
            self._line = []
            self._repaint_ink()
            self.post_message(self.Drawn(self))

    # mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1:
            if self._line:
                self._lift()
            self.capture_mouse()
            self._show_cursor(False)
            self._start(self._point(event), by_mouse=True)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._line and self._by_mouse:
            self._extend(self._point(event))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self.capture_mouse(False)
        if self._line and self._by_mouse:
            self._lift()

    def _point(self, event: events.MouseEvent) -> Point:
        """The mouse's position: its pixel where the terminal reports it, else the middle of its cell."""
        x, y = event.pointer_x - self.gutter.left, event.pointer_y - self.gutter.top
        self._pixels = self._pixels or x % 1 != 0 or y % 1 != 0
        middle = 0.0 if self._pixels else 0.5
        columns = self._columns
        return _within((x + middle) / columns), _within((y + middle) / (columns / 2))

    # keys

    def action_move(self, across: int, down: int) -> None:
        x, y = self._cursor
        self._show_cursor(True)
        before = self._cursor_cell
        self._cursor = min(STEPS, max(0, x + across)), min(STEPS, max(0, y + down))
        self._repaint((before, self._cursor_cell))
        if self._line and not self._by_mouse:
            self._extend(self._position)

    def action_pen(self) -> None:
        self._show_cursor(True)
        if self._line:
            self._lift()
        else:
            self._start(self._position, by_mouse=False)
        self._repaint((self._cursor_cell,))

    def on_blur(self) -> None:
        if self._line:
            self.capture_mouse(False)
            self._lift()

    @property
    def _position(self) -> Point:
        return self._cursor[0] / STEPS, self._cursor[1] / STEPS

    @property
    def _cursor_cell(self) -> tuple[int, int]:
        x, y = self._position
        columns = self._columns
        return min(columns - 1, int(x * columns)), min(columns // 2 - 1, int(y * columns / 2))

    def _show_cursor(self, seen: bool) -> None:
        if seen != self._cursor_seen:
            self._cursor_seen = seen
            self._repaint((self._cursor_cell,))

    # painting

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """The largest square that leaves `beside` columns free; cells are twice as high as wide."""
        across = (container.width - self._beside) // 2 * 2
        return max(FEWEST_COLUMNS, min(2 * container.height, across))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return width // 2

    @property
    def _columns(self) -> int:
        return max(FEWEST_COLUMNS, self.content_size.width)

    def on_resize(self) -> None:
        self._inked.clear()
        self._repaint_ink()
        self.refresh()

    def _repaint_ink(self) -> None:
        """Compute the ink of all strokes again and paint the cells that differ."""
        before = self._cells
        inked = {stroke: self._inked.get(stroke) or ink(stroke, self._columns) for stroke in self.strokes}
        self._inked.update(inked)
        self._cells = {}
        for cells in inked.values():
            _merge(self._cells, cells)
        if self._line:
            _merge(self._cells, ink(self._line, self._columns))
        self._repaint(cell for cell in before.keys() | self._cells if before.get(cell) != self._cells.get(cell))

    def _add_ink(self, points: list[Point]) -> None:
        fresh = ink(points, self._columns)
        changed = [cell for cell, bits in fresh.items() if bits & ~self._cells.get(cell, 0)]
        _merge(self._cells, fresh)
        self._repaint(changed)

    def _repaint(self, cells: Iterable[tuple[int, int]]) -> None:
        """Paint these cells again, in each row from the first to the last of them."""
        for row, found in groupby(sorted(cells, key=lambda cell: cell[::-1]), key=lambda cell: cell[1]):
            columns = [column for column, _ in found]
            self.refresh(Region(columns[0], row, columns[-1] - columns[0] + 1, 1))

    def render_line(self, y: int) -> Strip:
        width, paper = self.content_size.width, self.rich_style
        inked = self.get_component_rich_style("pad--ink")
        guide = self.get_component_rich_style("pad--guide")
        cursor = self._cursor_cell if self.has_focus and self._cursor_seen else None
        segments = []
        for column in range(width):
            bits = self._cells.get((column, y), 0)
            if (column, y) == cursor:
                name = "pad--pen" if self._line else "pad--cursor"
                segments.append(Segment("#" if self._line else "+", self.get_component_rich_style(name)))
            elif bits:
                segments.append(Segment(chr(0x2800 + bits), inked))
            else:
                bits = _guide(column, y, width)
                segments.append(Segment(chr(0x2800 + bits), guide) if bits else Segment(" ", paper))
        return Strip(Segment.simplify(segments), width)


def _guide(column: int, row: int, columns: int) -> int:
    """The dots of the faint cross in the middle, as on practice paper."""
    rows = columns // 2
    bits = 0
    if column == columns // 2:
        bits |= DOTS[0][0] | DOTS[2][0]
    if row == rows // 2 and not bits:
        bits |= DOTS[2 * rows % 4][0]
    return bits


def _merge(cells: Cells, more: Cells) -> None:
    for cell, bits in more.items():
        cells[cell] = cells.get(cell, 0) | bits


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))
