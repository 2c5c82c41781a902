"""All settings of a training in one place: frozen, always complete, always valid, YAML-able, free of torch."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from kanji_tui.data.folds import parse_fold
from kanji_tui.errors import UsageError
from kanji_tui.networks.registry import NETWORKS, available
from kanji_tui.system.gpu import torch_uses_gpu
from kanji_tui.system.plain_data import read_fields
from kanji_tui.training.recipes import NAMES, Recipe, default_recipe, find_recipe
from kanji_tui.training.settings import MAIN, MEMORY, SPLIT_SHARES, Setting, at_least, described

DEFAULT_NETWORK = "kanjinet"
FEW_SAMPLES = 20  # a class: with fewer to train the built-in model was measured to help, see benchmarks/RESULTS.md
SHOWN = 20  # characters of a wrong value
OLD_NAMES = {"pieces": "accumulation_steps"}  # read everywhere, written nowhere


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Recipe):
    """What a training does; `configure` makes one. UsageError for a value that makes no sense."""

    network: Annotated[
        str,
        Setting(
            "the network to train: kanji-tui networks lists them",
            MAIN,
            metavar="NAME",
            searched=False,
            choices=tuple(NETWORKS),
        ),
    ] = DEFAULT_NETWORK
    recipe: Annotated[
        str, Setting("the source of all settings that are not given", MAIN, searched=False, choices=NAMES)
    ]
    split: Annotated[
        Literal["writer", "random"],
        Setting("writer: all samples of a writer in one split; random: by chance", MAIN, searched=False),
    ] = "writer"
    split_shares: Annotated[
        tuple[float, float, float],
        Setting("shares of the samples for train, validation and test", MAIN, SPLIT_SHARES, "70/15/15"),
    ] = (70.0, 15.0, 15.0)
    fold: Annotated[
        str | None,
        Setting("cross-validation: 2/5 tests on the second of five folds", MAIN, metavar="k/n"),
    ] = None
    sample_limit: Annotated[
        int | None,
        Setting(
            "use only this many samples, each class in proportion",
            MAIN,
            at_least(2),
            "N",
            searched=False,
        ),
    ] = None
    seed: Annotated[
        int,
        Setting(
            "decides the split, the first weights, the order of samples and the augmentation",
            MAIN,
            at_least(0),
            "S",
            searched=False,
        ),
    ] = 0
    synthetic: Annotated[
        int | None,
        Setting(
            "learn from so many synthetic writers an epoch, new ones in every epoch, instead of a dataset",
            MAIN,
            at_least(1),
            "N",
            searched=False,
        ),
    ] = None
    characters: Annotated[
        Literal["etl9g", "kana", "all"],
        Setting("the characters that synthetic writers write", MAIN, searched=False),
    ] = "all"
    sync_batchnorm: Annotated[
        bool,
        Setting("BatchNorm's statistics are those of all GPUs together, not of each GPU", MEMORY),
    ] = False
    threads: Annotated[
        int | None,
        Setting(
            "CPU threads; without it each epoch takes one for each core that is free",
            MEMORY,
            at_least(1),
            searched=False,
        ),
    ] = None
    detect_anomaly: Annotated[
        bool, Setting("name the operation that first gave NaN; several times slower", MEMORY)
    ] = False

    def __post_init__(self) -> None:
        available(self.network)
        if self.fold is not None:
            parse_fold(self.fold)
        for setting in SETTINGS:
            value = getattr(self, setting.name)
            refused = f"{setting.label} cannot be {shown(value)}: it must be"
            if setting.choices and value not in setting.choices:
                raise UsageError(f"{refused} one of {', '.join(setting.choices)}")
            if not setting.allowed.holds(value):
                raise UsageError(f"{refused} {setting.allowed.words}")
        if self.synthetic and (self.fold or self.sample_limit):
            raise UsageError(
                "synthetic writers have no folds and no sample limit",
                "omit --fold and --sample-limit, or train on a dataset: omit --synthetic",
            )
        if self.accumulation_steps > self.batch_size // 2:
            raise UsageError(
                f"accumulation steps cannot be {self.accumulation_steps} with a batch size of {self.batch_size}",
                "each micro-batch needs two samples: at most half the batch size",
            )

    @classmethod
    def from_plain(cls, plain: dict[str, Any], where: str, strict: bool = True) -> "TrainConfig":
        """The settings of a file or of a person: a missing or null one is the recipe's, and old names are read."""
        given = {OLD_NAMES.get(name, name): value for name, value in plain.items() if value is not None}
        return configure(**read_fields(cls, given, where, strict))


def shown(value: object) -> str:
    """A wrong value as a message shows it: `9999999999 ... (30 digits)`."""
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[:10]} ... ({len(text)} characters)"


def _settings() -> tuple[Setting, ...]:
    """Network and recipe first, for the others follow from them; then the recipe's, then the rest."""
    of_recipe = described(Recipe)
    network, recipe, *own = described(TrainConfig)[len(of_recipe) :]
    return network, recipe, *of_recipe, *own


SETTINGS = _settings()


def configure(network: str | None = None, recipe: str | None = None, **settings: Any) -> TrainConfig:
    """The config with these settings; what is not given, or None, comes from the recipe of network and device.

    Raises UsageError for an unknown network or recipe, listing the known, and for a value that makes no sense.
    """
    network = DEFAULT_NETWORK if network is None else network
    available(network)
    named = default_recipe(network) if recipe is None else recipe
    given = {name: value for name, value in settings.items() if value is not None}
    whole = {**vars(find_recipe(named, on_gpu=torch_uses_gpu())), **with_implied(given)}
    return TrainConfig(network=network, recipe=named, **whole)


def with_implied(given: dict[str, Any]) -> dict[str, Any]:
    """The given settings and what follows from them: given epochs and a given batch size suit any train split."""
    implied: dict[str, Any] = {}
    if "epochs" in given:
        implied["min_steps"] = 0
    if "batch_size" in given:
        implied["min_batch_size"] = given["batch_size"]
    return {**implied, **given}
