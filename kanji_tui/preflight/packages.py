"""Compares the packages that this program's metadata requires with the installed versions."""

import re
from dataclasses import dataclass
from importlib import metadata

DISTRIBUTION = "kanji-tui"
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*([^;]*?)\s*(?:;\s*(.*))?")
CLAUSE = re.compile(r"(>=|<=|==|!=|>|<)\s*([0-9][0-9.]*)")
EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


@dataclass(frozen=True)
class Package:
    """`wanted` as in the requirement (">=2.11"); `found`: the installed version, or empty."""

    name: str
    wanted: str
    found: str
    extra: str = ""

    @property
    def fits(self) -> bool:
        return bool(self.found) and fits(self.found, self.wanted)


def packages() -> tuple[Package, ...]:
    """Every required package, including those of extras; empty when the program itself is not installed."""
    try:
        requirements = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return ()
    return tuple(_package(text) for text in requirements)


def wanted_python() -> str:
    """The Python versions that the program requires, as ">=3.11"."""
    try:
        return metadata.metadata(DISTRIBUTION)["Requires-Python"] or ""
    except (metadata.PackageNotFoundError, KeyError):
        return ""


def version(name: str) -> str:
    """The installed version of a package, or empty."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def fits(found: str, wanted: str) -> bool:
    """Whether version `found` meets every clause of `wanted`; only release numbers are compared."""
    have = release(found)
    return all(_meets(have, operator, release(bound)) for operator, bound in CLAUSE.findall(wanted))


def release(text: str) -> tuple[int, ...]:
    """The release number of a version, without trailing zeros: "2.13.0+cpu" is (2, 13)."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    numbers = [int(part) for part in match.group().split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _package(text: str) -> Package:
    match = REQUIREMENT.fullmatch(text)
    assert match, f"the metadata of {DISTRIBUTION} has the unreadable requirement {text!r}"
    name, wanted, marker = match.group(1), match.group(2), match.group(3) or ""
    extra = EXTRA.search(marker)
    return Package(name, wanted, version(name), extra.group(1) if extra else "")


def _meets(have: tuple[int, ...], operator: str, bound: tuple[int, ...]) -> bool:
    return {
        ">=": have >= bound,
        "<=": have <= bound,
        "==": have == bound,
        "!=": have != bound,
        ">": have > bound,
        "<": have < bound,
    }[operator]
