"""Measures what this process may use: memory, cores and disk, within the limits of a container."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from kanji_tui.system.threads import usable_cores

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class Memory:
    """Bytes: `total` of the machine, `limit` of the container or None, and `available` within both."""

    total: int
    available: int
    limit: int | None


@dataclass(frozen=True)
class Cores:
    """`total` cores of the machine, `usable` by the affinity of this process, `quota`: the container's limit."""

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
    """The memory that this process can use now."""
    total, available = _machine_memory()
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
    """The cores that this process can use."""
    quota: float | None = None
    for folder in _own_cgroups("cpu"):
        share = _cpu_quota(folder)
        if share is not None:
            quota = min(share, quota or share)
    return Cores(os.cpu_count() or 1, usable_cores(), quota)


def disk(path: Path) -> Disk:
    """The disk that holds the folder `path`, or its nearest existing parent."""
    existing = path.absolute()
    while not os.path.exists(existing) and existing != existing.parent:  # Path.exists raises without permission
        existing = existing.parent
    writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    return Disk(existing, shutil.disk_usage(existing).free, writable)


def _machine_memory() -> tuple[int, int]:
    """Total and available bytes of the machine; without psutil the available bytes exclude the page cache."""
    try:
        import psutil
    except ImportError:
        page = os.sysconf("SC_PAGE_SIZE")
        return page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    machine = psutil.virtual_memory()
    return int(machine.total), int(machine.available)


def _own_cgroups(controller: str) -> list[Path]:
    """The cgroup of this process and its parents, for version 2 and for `controller` of version 1."""
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
        # Inside a container the path may be the host's and not exist; then the root is the container's cgroup.
        folders += [folder for folder in (own, *own.parents) if folder.is_relative_to(root)]
    return folders


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().split()[0]
    except (OSError, IndexError):
        return None
    return int(text) if text.isdigit() else None


def _cache(folder: Path) -> int:
    """Bytes of page cache that count as used memory and that the kernel frees on demand."""
    try:
        rows = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
        values = {row[0]: int(row[1]) for row in rows if len(row) == 2}
    except (OSError, ValueError):
        return 0
    return values.get("inactive_file", values.get("total_inactive_file", 0))


def _cpu_quota(folder: Path) -> float | None:
    """The number of cores that a cgroup may use, or None where it is not limited."""
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    allowed, each = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return allowed / each if allowed and each else None
