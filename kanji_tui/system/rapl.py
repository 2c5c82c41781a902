"""Reads the energy counters of the processor (RAPL) from Linux's powercap files.

They count whole packages, so they include everything else that runs on the machine. Since 2020 most systems let
only root read them; the reason then says so.
"""

from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True)
class Zone:
    """One counter: `joules` since an arbitrary time, wrapping to 0 after `largest`; None with a `reason`."""

    name: str
    joules: float | None = None
    largest: float = 0.0
    reason: str = ""


def read_zones(powercap: Path = POWERCAP) -> list[Zone]:
    """The packages and their memory; empty where the machine has no such counters.

    Cores and graphics are part of their package, and `psys` includes all others, so both are skipped.
    """
    found = []
    for package in sorted(powercap.glob("intel-rapl:*")):  # AMD processors use the same name
        name = _name(package)
        if not name.startswith("package"):
            continue
        found.append(_zone(package, f"CPU {name}"))
        memories = (zone for zone in sorted(package.glob("intel-rapl:*")) if _name(zone) == "dram")
        found += [_zone(memory, f"memory of CPU {name}") for memory in memories]
    return found


def _zone(folder: Path, name: str) -> Zone:
    try:
        joules = int((folder / "energy_uj").read_text()) / 1e6
        largest = int((folder / "max_energy_range_uj").read_text()) / 1e6
    except OSError as error:
        return Zone(name, reason=f"{folder / 'energy_uj'} cannot be read: {error.strerror}")
    except ValueError:
        return Zone(name, reason=f"{folder / 'energy_uj'} does not hold a number")
    return Zone(name, joules, largest)


def _name(folder: Path) -> str:
    try:
        return (folder / "name").read_text().strip()
    except OSError:
        return ""
