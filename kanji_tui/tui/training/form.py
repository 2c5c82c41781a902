"""The form of a new training: a line for every field of TrainConfig, made from its type and its help.

What most trainings choose comes first. A field left empty takes the recipe's value, which stands in it in grey.
"""

import types
import typing
from collections.abc import Callable
from dataclasses import Field as Setting
from dataclasses import fields
from functools import cache, partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from kanji_tui.errors import KanjiError
from kanji_tui.jobs import probe, train
from kanji_tui.networks.registry import NETWORKS
from kanji_tui.paths import DATA_DIR, MODELS_DIR
from kanji_tui.presentation.document import Styled
from kanji_tui.presentation.training import estimate
from kanji_tui.runs import question
from kanji_tui.system.plain_data import from_plain
from kanji_tui.training.config import DEFAULT_NETWORK, TrainConfig, help_of, resolve
from kanji_tui.training.results import Probed
from kanji_tui.tui.shell.form import Field, FormScreen, Parse
from kanji_tui.tui.shell.messages import Answered, QuestionFailed
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.tui.widgets.choice import Choice
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.workspace.command_line import train_arguments, train_command

OF_RECIPE, OF_NETWORK = "recipe's", "network's own"
UNSAID = ("", OF_RECIPE, OF_NETWORK)
GROUPS: dict[str, tuple[str, ...]] = {
    "": (
        "network", "recipe", "epochs", "batch_size", "learning_rate", "split", "split_shares", "fold",
        "sample_limit", "seed",
    ),
    "precision and memory": ("precision", "pieces", "detect_anomaly"),
    "augmentation": (
        "rotation", "shear", "scale", "shift", "elastic", "stroke_width", "erase", "noise", "noise_share", "fade",
    ),
}  # fmt: skip
THE_REST = "optimiser and schedule"  # comes second, and has every field that no other group names


class TimeProbed(Answered[Probed]):
    """How long the training will take, measured in a child over a few real steps."""


class TrainForm(FormScreen):
    """A form that can measure how long the training will take, and copy the command line that starts it."""

    AROUND = 14
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "probe", "Time it"),
        Binding("ctrl+y", "copy", "Copy"),
    ]

    def __init__(self, worker: Worker) -> None:
        _recipes_own.cache_clear()  # the machine may have other GPUs than when the last form was open
        super().__init__("Train a network", "", _fields(), "Train", check=problem_of)
        self._worker = worker
        self._probed: tuple[str, ...] = ()
        self._estimate = ""

    def below(self) -> ComposeResult:
        yield KeyValues(id="estimate")

    def on_mount(self) -> None:
        self.query_one(
            ".dialog"
        ).border_subtitle = "^t time and memory   ^y copy command   enter trains   esc cancels"
        self._show_estimate("ctrl+t measures time and memory over a few real steps")

    def on_unmount(self) -> None:
        self._worker.drop(self, TimeProbed)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._forget()

    def on_choice_changed(self, event: Choice.Changed) -> None:
        self._forget()

    def _spec(self) -> train.Spec | None:
        """What the form asks for, None while something in it is wrong."""
        values, wrong = self._read()
        return None if wrong else train.Spec(DATA_DIR, MODELS_DIR, read_config(values))

    def action_probe(self) -> None:
        spec = self._spec()
        if spec is not None and not self._probed:
            self._probed = tuple(train_arguments(spec))
            self._show_estimate("measuring over a few real steps ...")
            wanted = probe.Spec(spec.data_dir, spec.config)
            self._worker.ask_child(
                self, TimeProbed, lambda: question.ask("probe", wanted), partial(question.read_answer, "probe")
            )

    def _forget(self) -> None:
        """What was measured is no longer what the fields say."""
        if self._probed:
            self._worker.drop(self, TimeProbed)
            self._probed = ()
            self._show_estimate("changed since it was measured: ctrl+t measures again")

    def on_time_probed(self, message: TimeProbed) -> None:
        if self._probed:
            self._show_estimate(estimate(message.value))

    def on_question_failed(self, message: QuestionFailed) -> None:
        self._probed = ()
        self._show_estimate(f"cannot be measured: {message.error.message}")

    def _show_estimate(self, text: str) -> None:
        self.query_one("#estimate", KeyValues).show_line((Styled("estimate  ", "accent"), text))

    def action_copy(self) -> None:
        spec = self._spec()
        if spec is not None:
            command = train_command(spec)
            self.app.copy_to_clipboard(command)
            self.notify(command, title="copied", markup=False, timeout=8)


def read_config(values: dict[str, Any]) -> TrainConfig:
    """The config that the form's values make, resolved."""
    return resolve(TrainConfig(**values))


def problem_of(values: dict[str, Any]) -> str:
    """What the config itself says against the values; empty when nothing."""
    try:
        read_config(values)
    except KanjiError as error:
        return f"{error.message}; {error.remedy}"
    return ""


def grouped() -> dict[str, list[str]]:
    """Every field of TrainConfig by group, in the order of the form."""
    named = {name for names in GROUPS.values() for name in names}
    rest = [f.name for f in fields(TrainConfig) if f.name not in named]
    first, *others = GROUPS.items()
    return {first[0]: list(first[1]), THE_REST: rest, **{title: list(names) for title, names in others}}


def _fields() -> tuple[Field, ...]:
    hints = typing.get_type_hints(TrainConfig)
    settings = {f.name: f for f in fields(TrainConfig)}
    return tuple(_field(settings[name], hints[name], group) for group, names in grouped().items() for name in names)


def _field(setting: Setting[Any], hint: Any, group: str) -> Field:
    """The line of one setting: a choice where its type has few values, else a text."""
    name, default = setting.name, setting.default
    optional = type(None) in typing.get_args(hint)
    choices = _choices(name, hint)
    value = _text(default)
    if choices and optional:
        value = OF_NETWORK if name == "recipe" else OF_RECIPE
        choices = (value, *choices)
    return Field(
        name=name,
        label=name.replace("_", " "),
        value=value,
        help=_help(name, bool(choices) and optional),
        parse=_parse(name, hint, bool(choices)),
        choices=choices,
        placeholder=_grey(name) if optional else "",
        group=group,
    )


def _choices(name: str, hint: Any) -> tuple[str, ...]:
    if name == "network":
        return tuple(NETWORKS)
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) or _is_union(hint) else (hint,)
    for part in parts:
        if typing.get_origin(part) is typing.Literal:
            return tuple(map(str, typing.get_args(part)))
        if part is bool:
            return ("no", "yes")
    return ()


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.Union


def _parse(name: str, hint: Any, chosen: bool) -> Parse:
    """Text to value by the type of the config's field, in the words that a config file would be refused with."""
    lists = any(typing.get_origin(part) is tuple for part in (hint, *typing.get_args(hint)))

    def parse(text: str) -> Any:
        if text in UNSAID:
            return None if type(None) in typing.get_args(hint) else getattr(TrainConfig(), name)
        plain: Any = {"yes": True, "no": False}[text] if chosen and text in ("yes", "no") else text
        if lists:
            plain = [_number(part) for part in text.split("/")]
        elif not chosen:
            plain = _number(text) if name != "fold" else text
        try:
            return getattr(from_plain(TrainConfig, {name: plain}), name)
        except KanjiError as error:
            raise ValueError(error.message.removeprefix("the settings: ").removeprefix(f"{name} ")) from None

    return parse


def _number(text: str) -> int | float | str:
    """The number that stands there; the text itself where none does, for the config to refuse."""
    for kind in (int, float):
        try:
            return kind(text.replace(",", "").replace("_", ""))
        except ValueError:
            continue
    return text


def _grey(name: str) -> Callable[[dict[str, str]], str]:
    """The recipe's value, for the network and the recipe that the form names."""

    def grey(texts: dict[str, str]) -> str:
        value = getattr(_recipe_of(texts), name, None)
        return f"{_text(value)} (recipe)" if value is not None else {"sample_limit": "all"}.get(name, "none")

    return grey


def _recipe_of(texts: dict[str, str]) -> TrainConfig | None:
    return _recipes_own(texts.get("network", DEFAULT_NETWORK), texts.get("recipe", ""))


@cache
def _recipes_own(network: str, recipe: str) -> TrainConfig | None:
    """What the recipe says, asked once: it asks the driver. None for a network that cannot be built here."""
    try:
        return resolve(TrainConfig(network=network, recipe=None if recipe in UNSAID else recipe))  # type: ignore[arg-type]
    except KanjiError:
        return None


def _help(name: str, from_recipe: bool) -> str | Callable[[dict[str, str]], str]:
    """The config's line of help as a sentence, with what the network is, or what the recipe chooses."""
    text = help_of(name)
    said = f"{text[:1].upper()}{text[1:]}."
    if name == "network":
        return lambda texts: NETWORKS[texts[name]].description
    if from_recipe:
        whose = "The network's" if name == "recipe" else "Recipe's"
        return lambda texts: f"{said} {whose}: {_text(getattr(_recipe_of(texts), name, None))}."
    return said


def _text(value: Any) -> str:
    """A value as it is typed."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "/".join(f"{part:g}" for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
