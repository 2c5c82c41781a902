"""Which runs to list, and in which order: one grammar for the command line and the screens.

    lr>0.004 state:finished split:writer note:smoothing

Words apart by spaces, all of which must hold. FIELD:TEXT holds where the field contains the text, or is the number;
=, !=, <, <=, > and >= compare, numbers as numbers (90% is 0.9). A word without a field is a pattern: a regular
expression, or plain text, in the run's name, note, network, state, source and time. "Quotes" keep spaces, - before
a word negates it.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from kanji_tui.errors import UsageError
from kanji_tui.workspace.run_fields import NAMES, Fields, Value, full_name

T = TypeVar("T")
WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
TERM = re.compile(r"([A-Za-z][\w-]*)(!=|>=|<=|:|=|>|<)(.*)", re.DOTALL)
SEARCHED = ("run", "name", "note", "network", "state", "source", "started", "init")
STATES = {"crashed": "lost"}  # what screens call it, what the files do
SECONDS = 0.1  # for a pattern and a text: some patterns, as (a+)+b, take hours, and the workbench would wait
SLOW: set[str] = set()  # the patterns that took longer


@dataclass(frozen=True)
class Term:
    """One word of a query; `field` is empty for a pattern, else `operator` compares it with `value`."""

    field: str
    operator: str
    value: str
    negated: bool

    def holds(self, fields: Fields) -> bool:
        """Whether a run with these fields fits."""
        return self._fits(fields) != self.negated

    def _fits(self, fields: Fields) -> bool:
        if not self.field:
            text = " ".join(str(fields[name]) for name in SEARCHED if fields.get(name) is not None)
            crashed = " crashed" if fields.get("state") == "lost" else ""
            return fits(self.value, text + crashed)
        found = fields.get(self.field)
        wanted = STATES.get(self.value.lower(), self.value) if self.field == "state" else self.value
        return _compare(found, self.operator, wanted)


def fits(pattern: str, text: str) -> bool:
    """Whether the text matches the pattern: a regular expression, or plain text if it is no valid or a slow one."""
    import regex  # a person has typed something: the first paint is over

    if pattern not in SLOW:
        try:
            return regex.search(pattern, text, regex.IGNORECASE, timeout=SECONDS) is not None
        except regex.error:
            pass
        except TimeoutError:
            SLOW.add(pattern)
    return pattern.lower() in text.lower()


def parse_query(text: str) -> tuple[Term, ...]:
    """The words of a query; UsageError for one that names no field, or compares with nothing."""
    return tuple(_term(word) for word in WORD.findall(text))


def readable_words(text: str) -> tuple[tuple[Term, ...], str]:
    """The words of a query that can be read, and why another cannot: somebody may still be typing it."""
    terms, problem = [], ""
    for word in WORD.findall(text):
        try:
            terms.append(_term(word))
        except UsageError as error:
            problem = error.message
    return tuple(terms), problem


def chosen(items: Iterable[T], query: Sequence[Term], fields: Callable[[T], Fields]) -> list[T]:
    """The items that fit all words of the query, in their order."""
    return [item for item in items if all(term.holds(fields(item)) for term in query)]


def in_order(items: Iterable[T], order: str, fields: Callable[[T], Fields]) -> list[T]:
    """The items sorted by a field, with `-` before it the largest first; unknown values last, equals as they were.

    UsageError for a name that is no field; an empty one leaves the items as they are.
    """
    if not order:
        return list(items)
    name, backwards = field_named(order.removeprefix("-")), order.startswith("-")
    known: list[tuple[Value, T]] = []
    unknown: list[T] = []
    for item in items:
        value = fields(item).get(name)
        if value is None:
            unknown.append(item)
        else:
            known.append((value, item))
    known.sort(key=lambda pair: _sort_key(pair[0]), reverse=backwards)
    return [item for _, item in known] + unknown


def field_named(name: str) -> str:
    """The field of this name or short name; UsageError for none."""
    found = full_name(name)
    if found is None:
        near = [known for known in NAMES if name.lower() in known][:8] or list(NAMES[:12])
        raise UsageError(f"runs have no field '{name}'", f"fields are, for example: {', '.join(near)}")
    return found


def _term(word: str) -> Term:
    negated = word.startswith("-") and len(word) > 1
    bare = word[1:] if negated else word
    matched = None if bare.startswith('"') else TERM.fullmatch(bare)
    if matched is None:
        return Term("", "", bare.replace('"', ""), negated)
    name, operator, value = matched.group(1), matched.group(2), matched.group(3).replace('"', "")
    field = field_named(name)
    if not value:
        raise UsageError(f"{name}{operator} compares with nothing", f"write for example: {name}{operator}0.5")
    return Term(field, operator, value, negated)


def _compare(found: Value, operator: str, wanted: str) -> bool:
    if found is None:
        return operator == "!="
    number = _number(wanted)
    if isinstance(found, str):
        left, right = found.lower(), wanted.lower()
        if operator == ":":
            return right in left
        return _ordered(left, operator, right)
    if number is None:
        return operator == "!="
    return _ordered(found, "=" if operator == ":" else operator, number)


def _ordered(left: "str | float", operator: str, right: "str | float") -> bool:
    match operator:
        case "=":
            return left == right
        case "!=":
            return left != right
        case ">":
            return left > right  # type: ignore[operator]
        case ">=":
            return left >= right  # type: ignore[operator]
        case "<":
            return left < right  # type: ignore[operator]
    return left <= right  # type: ignore[operator]


def _number(text: str) -> float | None:
    """`0.9`, `1e-3`, `12,300`, `90%`; None for a text that is no number."""
    plain = text.replace(",", "").replace("_", "")
    try:
        return float(plain[:-1]) / 100 if plain.endswith("%") else float(plain)
    except ValueError:
        return None


def _sort_key(value: Value) -> tuple[int, float, str]:
    return (0, value, "") if isinstance(value, int | float) else (1, 0.0, str(value).lower())
