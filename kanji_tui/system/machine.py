"""What the machine gives this process: memory, cores, disk. A container's limits count."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from kanji_tui.system.threads import usable_cores

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class Memory:
    """Bytes. `total` of the machine; `limit` what a container allows, None without one; `available` within both."""

    total: int
    available: int
    limit: int | None


@dataclass(frozen=True)
class Cores:
    """`total` cores of the machine, `usable` by this process's affinity, `quota` a container's share of them."""

    total: int
    usable: int
    quota: float | None


@dataclass(frozen=True)
class Disk:
    """Bytes free for this user in `folder`, and whether this user may write there."""

    folder: Path
    free: int
    writable: bool


def memory() -> Memory:
    """The memory this process can count on now."""
    total, available = _of_machine()
    limit = None
    for folder in _own_cgroups("memory"):
        most = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        if most is None or most >= total:  # no limit is "max" or a number beyond any machine
            continue
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
        limit = min(most, limit or most)
        available = min(available, max(0, most - used + _cache(folder)))
    return Memory(total, available, limit)


def cores() -> Cores:
    """The cores this process can count on."""
    quota: float | None = None
    for folder in _own_cgroups("cpu"):
        share = _cpu_quota(folder)
        if share is not None:
            quota = min(share, quota or share)
    return Cores(os.cpu_count() or 1, usable_cores(), quota)


def disk(path: Path) -> Disk:
    """The disk that holds the folder `path`; of the nearest folder above where it is not made yet."""
    existing = path.absolute()
    while not os.path.exists(existing) and existing != existing.parent:  # Path's own raises where it may not look
        existing = existing.parent
    writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    return Disk(existing, shutil.disk_usage(existing).free, writable)


def _of_machine() -> tuple[int, int]:
    """The machine's bytes, and how many of them can be had; without psutil only the free ones, file pages not."""
    try:
        import psutil
    except ImportError:
        page = os.sysconf("SC_PAGE_SIZE")
        return page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    machine = psutil.virtual_memory()
    return int(machine.total), int(machine.available)


def _own_cgroups(controller: str) -> list[Path]:
    """This process's cgroup and those above it, for version 2 and for `controller` of version 1."""
    try:
        lines = OWN_CGROUPS.read_text().splitlines()
    except OSError:
        return []
    folders: list[Path] = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            root = CGROUPS
        elif controller in controllers.split(","):
            root = CGROUPS / controller
        else:
            continue
        own = root / group.lstrip("/")
        # Inside a container the path may be the host's and not be there; the root then is the container's own.
        folders += [place for place in (own, *own.parents) if place.is_relative_to(root)]
    return folders


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().split()[0]
    except (OSError, IndexError):
        return None
    return int(text) if text.isdigit() else None


def _cache(folder: Path) -> int:
    """File pages counted as used memory that the kernel gives back when it is needed."""
    try:
        rows = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
        values = {row[0]: int(row[1]) for row in rows if len(row) == 2}
    except (OSError, ValueError):
        return 0
    return values.get("inactive_file", values.get("total_inactive_file", 0))


def _cpu_quota(folder: Path) -> float | None:
    """Cores a cgroup may use at once, None where it is not limited."""
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    allowed, each = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return allowed / each if allowed and each else None
