"""Detects what the terminal can show: size, colours and UTF-8, and whether tmux or screen is in between."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True)
class Terminal:
    """`attached`: stdin and stdout are a terminal. `colours`: truecolour, 256, 16 or none. 0 columns: unknown.

    `declares_utf8`: the locale variables name UTF-8, which tmux uses; `encodes_utf8`: Python writes UTF-8.
    """

    attached: bool
    columns: int
    rows: int
    term: str
    colours: str
    no_color: bool
    declares_utf8: bool
    encodes_utf8: bool
    multiplexer: str


def read_terminal(environment: Mapping[str, str] = os.environ) -> Terminal:
    """The terminal of this process, read from the original streams, as a program may replace sys.stdout."""
    streams = [stream for stream in (sys.__stdout__, sys.__stdin__, sys.__stderr__) if stream is not None]
    columns, rows = _size(streams)
    encoding = getattr(sys.__stdout__, "encoding", None) or ""
    return Terminal(
        attached=len(streams) == 3 and _is_terminal(streams[0]) and _is_terminal(streams[1]),
        columns=columns,
        rows=rows,
        term=environment.get("TERM", ""),
        colours=_colours(environment),
        no_color=bool(environment.get("NO_COLOR")),
        declares_utf8=_declares_utf8(environment),
        encodes_utf8=encoding.lower().replace("-", "") == "utf8",
        multiplexer=_multiplexer(environment),
    )


def _size(streams: Sequence[TextIO]) -> tuple[int, int]:
    for stream in streams:
        try:
            size = os.get_terminal_size(stream.fileno())
        except (OSError, ValueError):
            continue
        return size.columns, size.lines
    return 0, 0


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def _colours(environment: Mapping[str, str]) -> str:
    term = environment.get("TERM", "")
    if term in ("", "dumb"):
        return "none"
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return "truecolour"
    return "256" if "256color" in term or term in ("xterm-kitty", "alacritty", "foot") else "16"


def _declares_utf8(environment: Mapping[str, str]) -> bool:
    """Whether the first of LC_ALL, LC_CTYPE, LANG that is set names UTF-8.

    In the C locale Python sets LC_CTYPE itself (PEP 538); that value is not the user's and is ignored.
    """
    chosen = [environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    set_by_python = chosen[0] == "" and chosen[2] in ("", "C", "POSIX") and chosen[1].startswith(("C.", "UTF-8"))
    name = "" if set_by_python else next(filter(None, chosen), "")
    return name.lower().replace("-", "").endswith("utf8")


def _multiplexer(environment: Mapping[str, str]) -> str:
    if environment.get("TMUX"):
        return "tmux"
    return "screen" if environment.get("STY") else ""
