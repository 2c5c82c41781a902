"""What the terminal can show: its size, its colours, whether it takes UTF-8, what stands between."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True)
class Terminal:
    """`attached`: a person can type and see. `colours`: truecolour, 256, 16 or none. 0 columns: not known.

    `declares_utf8`: the locale variables say UTF-8, which tmux goes by; `encodes_utf8`: this Python writes it.
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
    """The terminal of this process; works too while a program owns sys.stdout, by asking the true streams."""
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
    """The first of LC_ALL, LC_CTYPE, LANG that is set decides.

    In the C locale Python sets LC_CTYPE itself (PEP 538); that was nobody's word and does not count.
    """
    chosen = [environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    set_by_python = chosen[0] == "" and chosen[2] in ("", "C", "POSIX") and chosen[1].startswith(("C.", "UTF-8"))
    name = "" if set_by_python else next(filter(None, chosen), "")
    return name.lower().replace("-", "").endswith("utf8")


def _multiplexer(environment: Mapping[str, str]) -> str:
    if environment.get("TMUX"):
        return "tmux"
    return "screen" if environment.get("STY") else ""
