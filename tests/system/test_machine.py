"""Memory, cores and disk, with and without the limits of a container."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from kanji_tui.system import machine
from kanji_tui.system.machine import cores, disk, memory

MIB = 1024**2


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cgroup tree instead of the machine's; the file `own` beside it names the cgroup of this process."""
    monkeypatch.setattr(machine, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "OWN_CGROUPS", tmp_path / "own")
    return tmp_path


def write_cgroup(root: Path, line: str, **values: str) -> None:
    """Write one file per value; `__` in a name becomes a dot, `folder` is relative to the tree."""
    (root / "own").write_text(line + "\n")
    folder = root / "cgroup" / values.pop("folder", "")
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (folder / name.replace("__", ".")).write_text(value + "\n")


def test_memory_and_cores_of_this_machine() -> None:
    found = memory()
    assert found.total == psutil.virtual_memory().total
    assert 0 < found.available <= found.total
    assert found.limit is None or 0 < found.limit < found.total
    assert 1 <= cores().usable <= cores().total


def test_without_psutil_the_free_pages_are_available(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = memory()
    monkeypatch.setitem(sys.modules, "psutil", None)
    found = memory()
    assert found.total == everything.total
    assert 0 < found.available <= found.total


def test_a_limit_of_cgroup_version_2_counts_less_what_is_used(cgroups: Path) -> None:
    write_cgroup(
        cgroups,
        "0::/",
        memory__max=str(300 * MIB),
        memory__current=str(200 * MIB),
        memory__stat=f"anon 1\ninactive_file {50 * MIB}",
        cpu__max="150000 100000",
    )
    assert (memory().limit, memory().available) == (300 * MIB, 150 * MIB)
    assert cores().quota == 1.5


def test_the_lowest_limit_of_all_parent_cgroups_counts(cgroups: Path) -> None:
    write_cgroup(
        cgroups, "0::/user/job", folder="user", memory__max=str(200 * MIB), memory__current="0", cpu__max="max 1"
    )
    write_cgroup(cgroups, "0::/user/job", folder="user/job", memory__max="max", cpu__max="200000 100000")
    assert memory().limit == 200 * MIB
    assert cores().quota == 2.0


def test_a_limit_of_cgroup_version_1_counts(cgroups: Path) -> None:
    write_cgroup(
        cgroups,
        "4:cpuset,memory:/docker/ab",  # the host's path, which does not exist inside the container
        folder="memory",
        memory__limit_in_bytes=str(100 * MIB),
        memory__usage_in_bytes=str(30 * MIB),
    )
    assert (memory().limit, memory().available) == (100 * MIB, 70 * MIB)


def test_without_limits_limit_and_quota_are_none(cgroups: Path) -> None:
    assert memory().limit is None  # no cgroup at all
    write_cgroup(cgroups, "0::/", memory__max="max", cpu__max="max 100000")
    assert memory().limit is None
    assert cores().quota is None
    write_cgroup(cgroups, "3:memory:/", folder="memory", memory__limit_in_bytes="9223372036854771712")
    assert memory().limit is None


def test_the_disk_of_a_folder_that_does_not_exist_is_that_of_its_parent(tmp_path: Path) -> None:
    found = disk(tmp_path / "not" / "yet")
    assert found.folder == tmp_path
    assert found.writable
    assert abs(found.free - shutil.disk_usage(tmp_path).free) < 256 * MIB


def test_a_file_instead_of_a_folder_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    assert not disk(tmp_path / "models").writable


@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["read", "closed"])
def test_a_folder_without_permission_is_not_writable(mode: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(mode)
        child = os.fork()
        if child == 0:  # root may write everywhere, so a child checks as nobody
            if os.geteuid() == 0:
                os.setuid(65534)
            try:
                os._exit(disk(Path(folder) / "models").writable)
            except OSError:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        Path(folder).chmod(0o755)
