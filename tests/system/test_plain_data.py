"""Converting job specs to YAML and back, and the errors for values that do not fit."""

import dataclasses
import importlib
import pkgutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kanji_tui import jobs
from kanji_tui.errors import UsageError
from kanji_tui.system.plain_data import from_plain, to_plain
from kanji_tui.training.config import TrainConfig, configure

# Any file name, also with bytes that are not UTF-8; but PyYAML reads U+0085, U+2028 and U+2029 as spaces.
NAMES = st.text(st.characters(exclude_characters="\x00\x85\u2028\u2029") | st.just("\udce9"), min_size=1)
st.register_type_strategy(Path, NAMES.map(Path))
st.register_type_strategy(float, st.floats(allow_nan=False))
st.register_type_strategy(str, NAMES)
st.register_type_strategy(
    TrainConfig,  # which refuses most values
    st.builds(
        configure,
        epochs=st.integers(1, 500),
        learning_rate=st.floats(1e-6, 1.0),
        optimiser=st.sampled_from(["adamw", "adam", "sgd", "muon"]),
        sample_limit=st.none() | st.integers(100, 10**6),
        seed=st.integers(0, 2**31),
    ),
)


def spec_types() -> list[type]:
    """The spec of every job."""
    modules = [
        importlib.import_module(f"kanji_tui.jobs.{found.name}") for found in pkgutil.iter_modules(jobs.__path__)
    ]
    return [module.Spec for module in modules if hasattr(module, "Spec")]


@pytest.mark.parametrize("kind", spec_types(), ids=lambda kind: kind.__module__.rpartition(".")[2])
def test_every_spec_survives_a_round_trip_through_yaml(kind: type) -> None:
    fields = {f.name for f in dataclasses.fields(kind)}

    @settings(deadline=None, max_examples=25)
    @given(st.builds(kind, **dict.fromkeys(fields, ...)))
    def round_trip(spec: Any) -> None:
        text = yaml.safe_dump(to_plain(spec), allow_unicode=True, sort_keys=False).encode()
        assert from_plain(kind, yaml.safe_load(text)) == spec

    round_trip()


@dataclass(frozen=True)
class Inner:
    rate: float = 0.001


@dataclass(frozen=True)
class Outer:
    path: Path
    count: int = 1
    name: str = ""
    kind: Literal["one", "two"] = "one"
    limit: int | None = None
    shares: tuple[float, float, float] = (70.0, 15.0, 15.0)
    paths: tuple[Path, ...] = ()
    inner: Inner = field(default_factory=Inner)
    flag: bool = False


def test_missing_fields_take_their_defaults() -> None:
    assert from_plain(Outer, {"path": "a"}) == Outer(Path("a"))


def test_equivalent_values_are_converted() -> None:
    spec = from_plain(Outer, {"path": "a", "shares": [85, 15, 0], "inner": {"rate": "1e-3"}, "paths": ["b"]})
    assert spec == Outer(Path("a"), shares=(85.0, 15.0, 0.0), paths=(Path("b"),), inner=Inner(0.001))


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ([], "the settings must be fields with values, not list"),
        ({}, "the settings: the field 'path' is missing"),
        ({"path": "a", "epcohs": 3}, "the settings has no field 'epcohs'"),
        ({"path": 3}, "the settings: path cannot be '3': Path is needed"),
        ({"path": "a", "count": "many"}, "count cannot be 'many': int is needed"),
        ({"path": "a", "count": True}, "count cannot be 'True': int is needed"),
        ({"path": "a", "count": 1.5}, "count cannot be '1.5': int is needed"),
        ({"path": "a", "count": None}, "count cannot be 'None'"),
        ({"path": "a", "name": 5}, "name cannot be '5': str is needed"),
        ({"path": "a", "flag": 1}, "flag cannot be '1': bool is needed"),
        ({"path": "a", "kind": "three"}, "kind cannot be 'three'"),
        ({"path": "a", "limit": "x"}, "limit cannot be 'x'"),
        ({"path": "a", "shares": [1, 2]}, "shares needs 3 values, not 2"),
        ({"path": "a", "shares": "70/15/15"}, "shares must be a list, not '70/15/15'"),
        ({"path": "a", "inner": {"rate": "fast"}}, "the settings: inner: rate cannot be 'fast'"),
        ({"path": "a", "inner": {"rat": 1}}, "the settings: inner has no field 'rat'"),
    ],
)
def test_the_error_names_the_field_that_does_not_fit(plain: Any, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        from_plain(Outer, plain)
    assert words in raised.value.message


def test_the_remedy_lists_the_fields_and_the_choices() -> None:
    with pytest.raises(UsageError) as raised:
        from_plain(Inner, {"x": 1})
    assert raised.value.remedy == "its fields are: rate"
    with pytest.raises(UsageError) as raised:
        from_plain(Outer, {"path": "a", "kind": "three"})
    assert raised.value.remedy == "choose one of: one, two"


def test_the_error_names_the_given_source() -> None:
    with pytest.raises(UsageError, match=r"recipe\.yaml: rate"):
        from_plain(Inner, {"rate": []}, "recipe.yaml")
