"""The widgets by themselves: lists, curves, images, forms."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import overload
from unittest.mock import patch

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.color import Color
from textual.geometry import Size
from textual.message import Message
from textual.messages import Layout

from kanji_tui.jobs.train import Spec
from kanji_tui.networks.registry import NetworkEntry
from kanji_tui.paths import BUILT_IN
from kanji_tui.preflight.all_checks import PreparedDataset
from kanji_tui.presentation.document import Column, Row, Styled
from kanji_tui.training.config import TrainConfig, configure
from kanji_tui.tui.dataset.forms import existing_folder
from kanji_tui.tui.shell.form import whole
from kanji_tui.tui.shell.theme import INK
from kanji_tui.tui.training import form as training_form
from kanji_tui.tui.training.form import TrainForm, advice, problem_of, read_spec, train_fields
from kanji_tui.tui.widgets.image_view import braille, half_blocks, resample
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.list_table import ListTable
from tests.tui.conftest import painted, resized, shows, text_of


@pytest.fixture(autouse=True)
def no_frame_for_nobody() -> None:
    """Every frame is rendered: what a widget paints is seen here."""


class Lazy(Sequence[Row]):
    """A hundred thousand rows that count how many were made."""

    def __init__(self) -> None:
        self.made = 0

    def __len__(self) -> int:
        return 100_000

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        assert isinstance(place, int)
        self.made += 1
        return Row(str(place), ("漢", f"row {place}"))


class Bare(App[None]):
    """An app with nothing but our colours."""

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(INK)
        self.theme = INK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return INK.variables


class OneList(Bare):
    def __init__(self, rows: Sequence[Row], *columns: Column) -> None:
        super().__init__()
        self.rows = rows
        self.columns = columns or (Column("", 2), Column("what", 0), Column("n", 6, right=True))

    def compose(self) -> ComposeResult:
        yield ListTable(*self.columns)

    def on_mount(self) -> None:
        self.query_one(ListTable).show(self.rows)


async def test_a_list_makes_only_the_rows_one_sees() -> None:
    rows = Lazy()
    app = OneList(rows)
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("tab", "end")
        await pilot.pause()
        assert "row 99999" in text_of(pilot)
        assert rows.made < 300


async def test_japanese_stands_in_line() -> None:
    rows = [Row("1", ("漢", "kanji", "1")), Row("2", ("a", "ascii", "22"))]
    app = OneList(rows)
    async with app.run_test(size=(40, 8)) as pilot:
        await pilot.pause()
        lines = text_of(pilot).splitlines()
        ends = {cell_len(line) for line in lines if "kanji" in line or "ascii" in line}
        assert len(ends) == 1


async def test_a_row_in_another_colour_is_painted_again() -> None:
    app = OneList([Row("1", ("a", Styled("file", "bad")))])
    async with app.run_test(size=(40, 8)) as pilot:
        rows = app.query_one(ListTable)
        for style, variable in (("bad", "error"), ("good", "success")):
            rows.show([Row("1", ("a", Styled("file", style)))])
            await pilot.pause()
            colours = {
                segment.style.color.name for strip in painted(pilot) for segment in strip if "file" in segment.text
            }
            assert colours == {Color.parse(app.theme_variables[variable]).hex.lower()}


async def test_the_cursor_of_a_list_paints_two_lines() -> None:
    app = OneList([Row(str(number), ("a", f"row {number}", "")) for number in range(9)])
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("tab")
        await pilot.pause()
        rows, lines = app.query_one(ListTable), []
        line = rows.render_line
        rows.render_line = lambda y: lines.append(y) or line(y)
        await pilot.press("down")
        await pilot.pause()
        assert rows.cursor == 1
        assert lines == [1, 2]  # below the titles


async def test_key_values_are_laid_out_again_only_when_their_height_is_another() -> None:
    app, layouts = OneList([]), []

    def hook(message: Message) -> None:
        if isinstance(message, Layout):
            layouts.append(message.widget)

    async with app.run_test(size=(40, 12), message_hook=hook) as pilot:
        pairs = KeyValues(name_width=6)
        await app.mount(pairs)
        pairs.show([("one", "1"), ("two", "2")])
        await shows(pilot, "two   2")
        layouts.clear()
        pairs.show([("one", "10"), ("two", "20")])
        await pilot.pause()
        assert "two   20" in text_of(pilot)
        assert not layouts
        pairs.show([("one", "10"), ("two", "20"), ("three", "30")])
        await pilot.pause()
        assert "three 30" in text_of(pilot)
        assert layouts
        pairs.show([("one", "word " * 20)])
        await pilot.pause()
        assert pairs.size.height == sum("word word" in line for line in text_of(pilot).splitlines()) == 3
        with patch.object(KeyValues, "content_size", Size(0, 0)):  # laid out, but on a busy machine not told so yet
            pairs.show([("one", "1")])
        await pilot.pause()
        assert pairs.size.height == 1


async def test_the_cursor_passes_headings_and_keeps_its_row() -> None:
    rows = [Row("g", ("group",), heading=True), Row("1", ("a", "one", "")), Row("2", ("b", "two", ""))]
    app = OneList(rows)
    async with app.run_test(size=(40, 8)) as pilot:
        shown = app.query_one(ListTable)
        assert shown.current is not None
        assert shown.current.key == "1"
        await pilot.press("tab", "down", "up", "up")
        assert shown.current.key == "1"
        await pilot.press("down")
        shown.show([rows[0], Row("0", ("c", "none", "")), *rows[1:]])
        assert shown.current.key == "2"


async def test_columns_that_do_not_fit_are_omitted() -> None:
    columns = Column("", 10), Column("", 0), Column("", 10, right=True)
    app = OneList([Row("1", ("first", "the second column", "third"))], *columns)
    async with app.run_test(size=(40, 4)) as pilot:
        for width, shown in ((40, "first      the second column       third"), (25, "first      the second co…")):
            await resized(pilot, (width, 4))
            assert text_of(pilot).splitlines()[0] == shown


def test_images_keep_their_ink_when_resampled() -> None:
    pixels = bytes(255 if 8 <= x < 24 and 8 <= y < 24 else 0 for y in range(32) for x in range(32))
    for side in (12, 16, 32, 40, 64):
        grey = resample(pixels, 32, side)
        assert sum(map(sum, grey)) / side**2 / 255 == pytest.approx(0.25, abs=0.01)


def test_an_image_in_braille_and_in_half_blocks() -> None:
    pixels = bytes(255 if x == y else 0 for y in range(32) for x in range(32))
    dots = braille(pixels, 32, 16, 8).plain.split("\n")
    assert len(dots) == 8
    assert dots[0][0] == "⠑⢄"[0]
    assert dots[0][1] == "⢄"
    assert dots[0][5] == "⠀"
    greys = half_blocks(pixels, 32, 40, 20, Color.parse("black"), Color.parse("white"))
    assert [len(line) for line in greys.plain.split("\n")] == [32] * 16
    assert half_blocks(bytes(1024), 32, 40, 20, Color.parse("black"), Color.parse("white")).plain


@pytest.mark.parametrize(("size", "columns"), [(33, 40), (5, 40), (3, 36), (41, 40)])
def test_an_image_of_an_odd_size_takes_an_even_number_of_columns(size: int, columns: int) -> None:
    blocks = half_blocks(bytes(size**2), size, 40, 20, Color.parse("black"), Color.parse("white"))
    assert [len(line) for line in blocks.plain.split("\n")] == [columns] * (columns // 2)


def test_fields_show_what_is_wrong() -> None:
    assert whole(2, 10)("1_0") == 10
    assert whole(1, empty=True)("") is None
    for text in ("1", "11", "1.5", "x", ""):
        with pytest.raises(ValueError, match=r"\w"):
            whole(2, 10)(text)
    with pytest.raises(ValueError, match="no folder"):
        existing_folder("/nowhere/at/all")


def test_the_form_of_a_training_gives_a_resolved_config() -> None:
    values = {
        "network": "v2.1", "epochs": None, "batch_size": 32, "learning_rate": None, "split": "random",
        "split_shares": (80.0, 20.0, 0.0), "sample_limit": None, "seed": 3,
    }  # fmt: skip
    config = read_spec(values).config
    assert (config.epochs, config.batch_size, config.split_shares) == (30, 32, (80.0, 20.0, 0.0))
    assert problem_of(values) == ""
    assert "split shares" in problem_of({**values, "split_shares": (0.0, 50.0, 50.0)})
    assert read_spec({**values, "network": "kanjinet", "init": BUILT_IN}).init == BUILT_IN
    assert "is a kanjinet" in problem_of({**values, "init": BUILT_IN})


def test_the_form_has_a_line_for_every_field_of_the_config() -> None:
    form = {field.name: field for field in train_fields()}
    others = ("init", "init_file", "name", "note")
    assert sorted(form) == sorted([*others, *(field.name for field in fields(TrainConfig))])
    texts = {name: field.value for name, field in form.items()}
    for name, field in form.items():
        output = field.help(texts) if callable(field.help) else field.help
        assert output, name
        if not field.choices:
            grey = field.placeholder(texts) if callable(field.placeholder) else field.placeholder
            assert field.value or grey, name


@pytest.fixture
def opened_form(home: Path) -> Iterator[None]:
    """What a form that is opened now knows of recipes, and forgets afterwards."""
    TrainForm(None, None)  # type: ignore[arg-type]
    yield
    TrainForm(None, None)  # type: ignore[arg-type]


def test_a_network_that_cannot_be_built_here_has_no_recipe_and_ends_nothing(opened_form: None, monkeypatch) -> None:
    monkeypatch.setattr(NetworkEntry, "missing", property(lambda network: bool(network.needs)))
    form = {field.name: field for field in train_fields()}
    texts = {name: field.value for name, field in form.items()} | {"network": "zoo-vit"}
    assert form["epochs"].placeholder(texts) == "none"
    assert "not installed" in problem_of({"network": "zoo-vit"})


def test_the_recipe_is_resolved_once_for_all_fields(opened_form: None, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(training_form, "configure", lambda *named: asked.append(named) or configure(*named))
    form = train_fields()
    texts = {field.name: field.value for field in form}
    assert len([field.placeholder(texts) for field in form if callable(field.placeholder)]) > 10
    assert len(asked) == 1


@pytest.mark.parametrize(("samples", "size", "said"), [(285, 64, True), (286, 64, False), (285, 32, False)])
def test_the_form_proposes_the_built_in_model_where_there_are_few_samples(samples, size, said) -> None:
    """70 % of the samples are trained on; 20 a class are not few."""
    assert bool(advice(PreparedDataset(samples, 10, size))) == said
    assert advice(None) == ""


def test_an_untouched_form_is_the_default_spec() -> None:
    form = train_fields()
    texts = {field.name: field.value for field in form}
    asked = [field for field in form if field.only is None or field.only(texts)]
    assert "init_file" not in [field.name for field in asked]
    values = {field.name: field.parse(field.value) for field in asked}
    assert read_spec(values) == Spec()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "1_000", 1000), ("learning_rate", "1e-3", 1e-3), ("betas", "0.9/0.95", (0.9, 0.95)),
        ("decay_everything", "yes", True), ("optimiser", "sgd", "sgd"), ("fold", "2/5", "2/5"),
        ("fold", "", None), ("noise", "0", 0.0), ("split_shares", "85/15/0", (85.0, 15.0, 0.0)),
    ],
)  # fmt: skip
def test_fields_of_the_config_are_read_by_their_type(name: str, text: str, value: object) -> None:
    field = next(field for field in train_fields() if field.name == name)
    assert field.parse(text) == value


@pytest.mark.parametrize(
    ("name", "text"), [("epochs", "1.5"), ("epochs", "many"), ("betas", "0.9"), ("split_shares", "70/30")]
)
def test_fields_refuse_what_the_config_would(name: str, text: str) -> None:
    field = next(field for field in train_fields() if field.name == name)
    with pytest.raises(ValueError, match="need"):
        field.parse(text)
