"""The form of a new training: a line for every setting, made from its description.

What most trainings choose comes first, the rest under `more`. A field left empty takes the recipe's value, which
stands in it in grey.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from kanji_tui.data.defaults import IMAGE_SIZE
from kanji_tui.errors import KanjiError
from kanji_tui.jobs import probe, train
from kanji_tui.networks.registry import NETWORKS
from kanji_tui.paths import BUILT_IN, DATA_DIR, MODELS_DIR
from kanji_tui.preflight.all_checks import PreparedDataset
from kanji_tui.presentation.document import Styled
from kanji_tui.presentation.training import estimate
from kanji_tui.runs import question
from kanji_tui.runs.about import About
from kanji_tui.training.config import DEFAULT_NETWORK, FEW_SAMPLES, SETTINGS, TrainConfig, configure
from kanji_tui.training.results import Probed
from kanji_tui.training.settings import GROUPS, MAIN, Setting
from kanji_tui.tui.shell.form import Field, FormScreen, existing_file
from kanji_tui.tui.shell.messages import Answered, QuestionFailed
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.tui.training.about_form import about_fields
from kanji_tui.tui.widgets.choice import Choice
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.workspace.command_line import train_arguments, train_command

FIRST = ("network", "recipe", "epochs", "batch_size", "learning_rate", "name")  # what is always in sight
AT_RANDOM, OF_FILE = "random", "file"
INIT = Field(
    name="init",
    label="begin from",
    value=AT_RANDOM,
    help={
        AT_RANDOM: "Begin from random weights.",
        BUILT_IN.name: "Begin from the built-in model, a kanjinet: better where there are few samples a class.",
        OF_FILE: "Begin from the weights of a model that you name in the next line.",
    },
    parse=lambda text: BUILT_IN if text == BUILT_IN.name else None,
    choices=(AT_RANDOM, BUILT_IN.name, OF_FILE),
    group=MAIN,
)
INIT_FILE = Field(
    name="init_file",
    label="model file",
    value="",
    help="A .pth or .safetensors file of the same network and image size.",
    parse=existing_file,
    placeholder="a path; tab completes it",
    group=MAIN,
    only=lambda texts: texts[INIT.name] == OF_FILE,
    path=(".pth", ".safetensors"),
)
NO_SETTINGS = (INIT.name, INIT_FILE.name, "name", "note")

FEW = "Few samples a class: begin from the built-in model, which was measured to give fewer errors then."


class TimeProbed(Answered[Probed]):
    """How long the training will take, measured in a child over a few real steps."""


class TrainForm(FormScreen):
    """A form that can measure how long the training will take, and copy the command line that starts it."""

    AROUND = 14
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "probe", "Time it"),
        Binding("ctrl+y", "copy", "Copy"),
    ]

    def __init__(self, worker: Worker, dataset: PreparedDataset | None) -> None:
        _recipes_own.cache_clear()  # the machine may have other GPUs than when the last form was open
        super().__init__(
            "Train a network",
            advice(dataset),
            train_fields(),
            "Train",
            check=partial(problem_of, has_dataset=dataset is not None),
        )
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
        """What the form asks for; None while something in it is wrong, which it then shows."""
        values, wrong = self._read()
        if wrong:
            self.show_all_problems()
            return None
        return read_spec(values)

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
        message.stop()  # it is said here
        self._probed = ()
        self._show_estimate(f"cannot be measured: {message.error.message}")

    def _show_estimate(self, text: str) -> None:
        self.query_one("#estimate", KeyValues).show_line((Styled("estimate  ", "accent"), text))

    def action_copy(self) -> None:
        spec = self._spec()
        if spec is not None:
            command = train_command(spec, read_about(self._read()[0]))
            self.app.copy_to_clipboard(command)
            self.notify(command, title="copied", markup=False, timeout=8)


def advice(dataset: PreparedDataset | None) -> str:
    """That the built-in model is the better beginning, where it was measured to be; else empty."""
    if dataset is None or dataset.size != IMAGE_SIZE:
        return ""
    to_train = dataset.samples * configure().split_shares[0] / 100
    return FEW if to_train < FEW_SAMPLES * dataset.classes else ""


def read_spec(values: dict[str, Any]) -> train.Spec:
    """What the form's values ask for."""
    settings = {name: value for name, value in values.items() if name not in NO_SETTINGS}
    init = values.get(INIT.name) or values.get(INIT_FILE.name)
    return train.Spec(DATA_DIR, MODELS_DIR, configure(**settings), init=init)


def read_about(values: dict[str, Any]) -> About:
    """What the form's values say of the run."""
    return About(values["name"], values["note"])


def problem_of(values: dict[str, Any], has_dataset: bool = True) -> str:
    """What the config itself says against the values, or that there is nothing to learn from; else empty."""
    try:
        spec = read_spec(values)
    except KanjiError as error:
        return f"{error.message}; {error.remedy}" if error.remedy else error.message
    if spec.init == BUILT_IN and spec.config.network != DEFAULT_NETWORK:
        return f"the built-in model is a {DEFAULT_NETWORK}: train that network, or begin from random weights"
    if not has_dataset and not spec.config.synthetic:
        return "synthetic cannot be none: there is no dataset. Give a number of writers, or make one on screen 2"
    return ""


def train_fields() -> tuple[Field, ...]:
    """A line for every setting, in groups; after those of most trainings, which weights to begin from."""
    of_group = [[_field(setting) for setting in SETTINGS if setting.group == group] for group in GROUPS]
    main, *others = of_group
    fields = (*about_fields(About()), *main, INIT, INIT_FILE, *(field for fields in others for field in fields))
    first = [field for name in FIRST for field in fields if field.name == name]
    rest = [field for field in fields if field not in first]
    return (*first, *(replace(field, more=field is not INIT_FILE) for field in rest))


def _field(setting: Setting) -> Field:
    """The line of one setting: a choice where its values are few, else a text."""
    choices = ("no", "yes") if bool in setting.kinds else setting.choices
    if choices and setting.default is None:
        choices = ("", *choices)
    return Field(
        name=setting.name,
        label=setting.label,
        value=setting.text(setting.default),
        help=_help(setting, bool(choices) and setting.default is None),
        parse=partial(_parse, setting),
        choices=choices,
        placeholder=_grey(setting) if setting.default is None else "",
        group=setting.group,
        only=_is_synthetic if setting.name == "characters" else None,
    )


def _is_synthetic(texts: dict[str, str]) -> bool:
    return bool(texts.get("synthetic"))


def _parse(setting: Setting, text: str) -> Any:
    """Text to value, None or the default for none; a ValueError does not repeat the setting's name."""
    if not text:
        return setting.default
    try:
        return setting.parse(text)
    except KanjiError as error:
        raise ValueError(error.message.removeprefix(f"{setting.label} ")) from None


def _grey(setting: Setting) -> Callable[[dict[str, str]], str]:
    """The recipe's value, for the network and the recipe that the form names."""

    def grey(texts: dict[str, str]) -> str:
        value = getattr(_recipe_of(texts), setting.name, None)
        if value is None:
            return {"sample_limit": "all"}.get(setting.name, "none")
        return f"{setting.text(value)} ({'network' if setting.name == 'recipe' else 'recipe'})"

    return grey


def _recipe_of(texts: dict[str, str]) -> TrainConfig | None:
    return _recipes_own(texts.get("network", DEFAULT_NETWORK), texts.get("recipe", ""))


@cache
def _recipes_own(network: str, recipe: str) -> TrainConfig | None:
    """What the recipe says, asked once: it asks the driver. None for a network that cannot be built here."""
    try:
        return configure(network, recipe or None)
    except KanjiError:
        return None


def _help(setting: Setting, from_recipe: bool) -> str | Callable[[dict[str, str]], str]:
    """The setting's help as a sentence, with what the network is, or what the recipe chooses."""
    sentence = f"{setting.help[:1].upper()}{setting.help[1:]}."
    if setting.name == "network":
        return lambda texts: NETWORKS[texts["network"]].description
    if from_recipe:
        whose = "The network's" if setting.name == "recipe" else "Recipe's"
        return lambda texts: f"{sentence} {whose}: {setting.text(getattr(_recipe_of(texts), setting.name, None))}."
    return sentence
