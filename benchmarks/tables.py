"""Markdown tables, and one line that describes the machine."""

import os
import platform

import psutil

from kanji_tui.system.threads import usable_cores


def table(*heads: str) -> None:
    row(*heads)
    row(*["---"] * len(heads))


def row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def machine() -> str:
    """Cores, memory, Python version and the load averages."""
    memory = psutil.virtual_memory().total / 2**30
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return (
        f"{usable_cores()} cores ({platform.machine()}), {memory:.0f} GiB, Python {platform.python_version()}, "
        f"load before the start {busy}"
    )
