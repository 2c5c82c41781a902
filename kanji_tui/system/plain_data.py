"""Job specs as plain data: frozen dataclasses to and from what YAML and JSON can hold."""

import dataclasses
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from kanji_tui.errors import UsageError

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """A spec (dataclasses, paths, tuples, numbers, strings) as dicts, lists, numbers and strings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def from_plain(kind: type[T], plain: Any, where: str = "the settings") -> T:
    """The spec of type `kind` that `to_plain` wrote; fields left out take their defaults.

    Raises UsageError naming the field for an unknown field or a value of the wrong type.
    """
    if not isinstance(plain, dict):
        raise UsageError(f"{where} must be fields with values, not {type(plain).__name__}")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(plain) - set(hints))
    if unknown:
        raise UsageError(f"{where} has no field '{unknown[0]}'", f"its fields are: {', '.join(sorted(hints))}")
    values = {name: _convert(hints[name], item, f"{where}: {name}") for name, item in plain.items()}
    for f in dataclasses.fields(typing.cast(Any, kind)):
        if f.name not in values and f.default is f.default_factory is dataclasses.MISSING:
            raise UsageError(f"{where} lack '{f.name}'")
    return kind(**values)


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _convert(next(a for a in arguments if a is not type(None)), value, where)
    if origin is typing.Literal:
        if value not in arguments:
            raise UsageError(f"{where} cannot be '{value}'", f"choose one of: {', '.join(map(str, arguments))}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise UsageError(f"{where} must be a list, not '{value}'")
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_convert(arguments[0], item, where) for item in value)
        if len(value) != len(arguments):
            raise UsageError(f"{where} needs {len(arguments)} values, not {len(value)}")
        return tuple(_convert(a, item, where) for a, item in zip(arguments, value, strict=True))
    if origin is dict or hint is Any:
        return value
    if dataclasses.is_dataclass(hint):
        return from_plain(typing.cast(type, hint), value, where)
    if hint is Path and isinstance(value, str | Path):
        return Path(value)
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if hint is float and isinstance(value, str):  # YAML reads 1e-3 as a string
        try:
            return float(value)
        except ValueError:
            pass
    if hint in (int, str, bool) and type(value) is hint:
        return value
    raise UsageError(f"{where} cannot be '{value}': {getattr(hint, '__name__', hint)} is needed")
