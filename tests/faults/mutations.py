"""Damages files, each time otherwise and for the same seed alike: bytes of any file, values of JSON and YAML."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

RAW = "a number that JSON can write and Python's json cannot"
STRANGE: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        "",
        [],
        {},
        0,
        -1,
        -5,
        1,
        2,
        255,
        2**31,
        2**63,
        -(2**63),
        10**30,
        10**400,
        0.5,
        -0.0,
        1e308,
    ),
    *(
        float("nan"),
        float("inf"),
        RAW,
        "x" * 5000,
        "\ud800",
        "\x1b[31m\u202e\n",
        "..",
        "/../../../x/PLANTED",
        "a\0b",
    ),
    *(
        [[[[[[]]]]]],
        [None],
        ["4544", 3],
        {"": None},
        {"a": {"a": {"a": {}}}},
        "4544",
        "zz",
        "1e9",
        "2/5",
        "2022-02-30",
    ),
)


def damaged_bytes(content: bytes, random: Random) -> bytes:
    """The content with one to three damages: bytes changed, lost, repeated, replaced by zeros, or an early end."""
    damaged = bytearray(content)
    for _ in range(random.randint(1, 3)):
        start = random.randrange(len(damaged) + 1)
        # Most of a file is weights and pixels; what describes them stands at its ends.
        if random.random() < 0.6:
            start = min(start, 2000) if random.random() < 0.5 else max(start, len(damaged) - 2000)
        length = random.choice((1, 1, 1, 2, 4, 8, 100))
        part = bytes(damaged[start : start + length])
        how = random.randrange(6)
        if how <= 1 and part:
            damaged[start : start + length] = bytes(byte ^ (1 << random.randrange(8)) for byte in part)
        elif how == 2:
            damaged[start : start + length] = random.randbytes(length)
        elif how == 3:
            del damaged[start : start + length]
        elif how == 4:
            damaged[start:start] = part or b"\0" * length
        else:
            del damaged[start:]
    return bytes(damaged)


def damaged_value(value: Any, random: Random) -> Any:
    """A copy of a JSON value in which one to three values are strange, missing, renamed or swapped."""
    value = deepcopy(value)
    for _ in range(random.randint(1, 3)):
        places = list(_places(value))
        if not places:
            return random.choice(STRANGE)
        holder, key = random.choice(places)
        how = random.randrange(8)
        if how == 0:
            del holder[key]
        elif how == 1:
            other, place = random.choice(places)
            holder[key] = deepcopy(other[place])
        elif how == 2 and isinstance(holder, dict):
            holder[random.choice(("", "\ud800", "x" * 300, "../x", str(key).upper()))] = holder.pop(key)
        else:
            holder[key] = deepcopy(random.choice(STRANGE))
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every value within a value, as its holder and its key; of long lists only the first."""
    keys = list(value) if isinstance(value, dict) else range(min(len(value), 4)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def json_bytes(value: Any) -> bytes:
    """The value as JSON, with numbers that Python writes otherwise."""
    return json.dumps(value).replace(f'"{RAW}"', "1e999").encode()


def damaged_json(content: bytes, random: Random) -> bytes:
    """JSON with strange values, or with damaged bytes."""
    if random.random() < 0.2:
        return damaged_bytes(content, random)
    return json_bytes(damaged_value(json.loads(content), random))


def damaged_lines(content: bytes, random: Random) -> bytes:
    """JSON lines, of which one is damaged, repeated, or lost."""
    lines = content.splitlines(keepends=True)
    number = random.randrange(len(lines))
    lines[number] = damaged_json(lines[number], random) + random.choice((b"\n", b"\n", b"", b"\r\n", b"\x85\n"))
    return b"".join(lines)


def damaged_yaml(content: bytes, random: Random) -> bytes:
    """YAML with strange values, as JSON writes them, or with damaged bytes."""
    import yaml

    if random.random() < 0.4:
        return damaged_bytes(content, random)
    return json_bytes(damaged_value(yaml.safe_load(content), random))


Damage = Callable[[bytes, Random], bytes]
