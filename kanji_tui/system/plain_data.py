"""Converts frozen dataclasses, the specs and results of jobs, to and from plain values for YAML and JSON.

Fields may be annotated with what is `Allowed`.
"""

import contextlib
import dataclasses
import functools
import math
import types
import typing
from pathlib import Path
from typing import Annotated, Any, TypeVar

from kanji_tui.allowed import Allowed
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.system.files import read_json

T = TypeVar("T")
OPTIONAL = {"optional": True}
DEEPEST = 40  # values within values, where any are allowed
NEVER: tuple[frozenset[type], tuple[Allowed, ...]] = (frozenset(), ())
SHOWN = 60  # characters of a wrong value in a message


def to_plain(value: Any) -> Any:
    """The value as plain values: dataclasses become dicts, tuples become lists, paths become strings.

    A field whose metadata is OPTIONAL is omitted if it is empty.
    """
    if isinstance(value, str | int | float):  # nearly all values
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((name, getattr(value, name), optional) for name, optional in _optional(type(value)))
        return {name: to_plain(each) for name, each, optional in fields if each or not optional}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def from_plain(kind: type[T], plain: Any, where: str = "the settings", strict: bool = True) -> T:
    """The dataclass `kind` from the output of `to_plain`; missing fields take their defaults.

    A class with a `from_plain(plain, where, strict)` of its own reads itself. Raises UsageError naming the field
    for an unknown field or a value of the wrong type. With `strict` False, for files of other versions, unknown
    fields are ignored, and null for a number becomes NaN, which JSON lacks.
    """
    if not isinstance(plain, dict):
        raise UsageError(f"{where} must be fields with values, not {type(plain).__name__}")
    own = getattr(kind, "from_plain", None)
    if own is not None:
        return typing.cast(T, own(plain, where, strict))
    values = read_fields(kind, plain, where, strict)
    for name in _needed(typing.cast(Any, kind)):
        if name not in values:
            raise UsageError(f"{where}: the field '{name}' is missing")
    return kind(**values)


def read_as(kind: type[T], path: Path, remedy: str = "") -> T:
    """The dataclass `kind` from the JSON object in the file `path`; unknown fields are ignored.

    Raises KanjiError naming the file, and the field where there is one that is missing or not as it must be.
    """
    try:
        plain = read_json(path)
    except KanjiError as error:
        raise KanjiError(error.message, error.remedy or remedy) from None
    return read_plain(kind, plain, path, remedy)


def read_plain(kind: type[T], plain: Any, path: Path | str, remedy: str = "") -> T:
    """The dataclass `kind` from what the file `path` holds; raises as `read_as` does."""
    try:
        return from_plain(kind, plain, str(path), strict=False)
    except UsageError as error:
        raise KanjiError(error.message, remedy or error.remedy) from None


@functools.cache
def _optional(kind: type) -> tuple[tuple[str, bool], ...]:
    """The fields of a dataclass, and whether each is omitted if it is empty."""
    return tuple((f.name, f.metadata == OPTIONAL) for f in dataclasses.fields(typing.cast(Any, kind)))


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    """The type of each field of a dataclass."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {f.name: hints[f.name] for f in dataclasses.fields(typing.cast(Any, kind))}


@functools.cache
def _needed(kind: type) -> tuple[str, ...]:
    """The fields that have no default."""
    fields = dataclasses.fields(typing.cast(Any, kind))
    return tuple(f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING)


@functools.cache
def _simple(kind: type) -> dict[str, tuple[frozenset[type], tuple[Allowed, ...]]]:
    """The fields of one plain type: the types whose values stay as they are, and what is allowed of them.

    They need no conversion, and a log has millions of them.
    """
    found = {}
    for name, hint in _hints(kind).items():
        optional = typing.get_origin(hint) in (typing.Union, types.UnionType) and len(typing.get_args(hint)) == 2
        options = [option for option in typing.get_args(hint) if option is not type(None)] if optional else [hint]
        base, *extras = typing.get_args(options[0]) if typing.get_origin(options[0]) is Annotated else options
        if len(options) == 1 and base in (int, float, str, bool):
            kinds = frozenset({base, type(None)} if optional else {base})
            found[name] = kinds, tuple(extra for extra in extras if isinstance(extra, Allowed))
    return found


def read_fields(kind: type, plain: dict[str, Any], where: str, strict: bool = True) -> dict[str, Any]:
    """The values of the fields that are there, by name; raises as `from_plain` does."""
    hints = _hints(kind)
    unknown = sorted(map(str, set(plain) - set(hints))) if strict else []
    if unknown:
        raise UsageError(
            f"{where} has no field '{_short(unknown[0])}'", f"its fields are: {', '.join(sorted(hints))}"
        )
    found, simple, conversion = {}, _simple(kind), _Conversion(strict)
    for name, value in plain.items():
        kinds, extras = simple.get(name, NEVER)
        if type(value) in kinds and (value is None or all(allowed.holds(value) for allowed in extras)):
            found[name] = value
        elif name in hints:
            found[name] = conversion(hints[name], value, f"{where}: {name}")
    return found


def convert(hint: Any, value: Any, where: str) -> Any:
    """A plain value as the type hint says; UsageError that begins with `where`."""
    return _Conversion(strict=True)(hint, value, where)


@dataclasses.dataclass(frozen=True)
class _Conversion:
    """Converts plain values to the type of a type hint."""

    strict: bool

    def __call__(self, hint: Any, value: Any, where: str) -> Any:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is Annotated:
            return self._allowed(arguments[0], arguments[1:], value, where)
        if origin in (typing.Union, types.UnionType):
            return self._one_of(arguments, value, where)
        if origin is typing.Literal:
            if value not in arguments:
                raise UsageError(
                    f"{where} cannot be '{_short(value)}'", f"choose one of: {', '.join(map(str, arguments))}"
                )
            return value
        if origin is tuple:
            return self._tuple(arguments, value, where)
        if origin is dict:
            return self._dict(arguments, value, where)
        if hint is Any or (hint is dict and isinstance(value, dict)):
            if _depth(value) > DEEPEST:
                raise UsageError(f"{where} has more than {DEEPEST} values within each other")
            return value
        if dataclasses.is_dataclass(hint):
            return from_plain(typing.cast(type, hint), value, where, self.strict)
        return self._single(hint, value, where)

    def _allowed(self, hint: Any, extras: tuple[Any, ...], value: Any, where: str) -> Any:
        converted = self(hint, value, where)
        for allowed in extras:
            if isinstance(allowed, Allowed) and not allowed.holds(converted):
                raise UsageError(f"{where} cannot be '{_short(converted)}': it must be {allowed.words}")
        return converted

    def _one_of(self, hints: tuple[Any, ...], value: Any, where: str) -> Any:
        if value is None and type(None) in hints:
            return None
        wanted = [hint for hint in hints if hint is not type(None)]
        for hint in wanted[:-1]:
            with contextlib.suppress(UsageError):
                return self(hint, value, where)
        return self(wanted[-1], value, where)

    def _tuple(self, hints: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise UsageError(f"{where} must be a list, not '{_short(value)}'")
        if len(hints) == 2 and hints[1] is Ellipsis:
            return tuple(self(hints[0], item, where) for item in value)
        if len(value) != len(hints):
            raise UsageError(f"{where} needs {len(hints)} values, not {len(value)}")
        return tuple(self(hint, item, where) for hint, item in zip(hints, value, strict=True))

    def _dict(self, hints: tuple[Any, ...], value: Any, where: str) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise UsageError(f"{where} must be names with values, not '{_short(value)}'")
        return {
            self(hints[0], key, where): self(hints[1], item, f"{where}: {_short(key)}")
            for key, item in value.items()
        }

    def _single(self, hint: Any, value: Any, where: str) -> Any:
        if hint is Path and isinstance(value, str | Path) and "\0" not in str(value):
            return Path(value)
        if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
            with contextlib.suppress(OverflowError):  # a whole number of over 308 digits
                return float(value)
        if hint is float and value is None and not self.strict:
            return math.nan
        if hint is float and isinstance(value, str):  # YAML reads 1e-3 as a string
            with contextlib.suppress(ValueError):
                return float(value)
        if hint in (int, str, bool) and type(value) is hint:
            return value
        raise UsageError(f"{where} cannot be '{_short(value)}': {getattr(hint, '__name__', hint)} is needed")


def _short(value: Any) -> str:
    """A wrong value as a message shows it."""
    try:
        text = str(value)
    except (RecursionError, ValueError):  # values within themselves; a whole number of over 4,300 digits
        return type(value).__name__
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."


def _depth(value: Any) -> int:
    """How deep values lie within each other, up to one more than DEEPEST."""
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        depth += 1
        inner = [item for item in level if isinstance(item, dict | list | tuple)]
        level = [item for each in inner for item in (each.values() if isinstance(each, dict) else each)]
    return depth
