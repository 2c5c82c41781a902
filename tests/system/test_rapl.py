"""Reading the processor's energy counters from files as Linux has them."""

from pathlib import Path

import pytest

from kanji_tui.system.rapl import Zone, read_zones


def zone(folder: Path, name: str, microjoules: int | str, largest: int = 262_143_328_850) -> Path:
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{largest}\n")
    return folder


@pytest.fixture
def powercap(tmp_path: Path) -> Path:
    """Two packages, the first with cores and memory; the whole platform; the first package again through MMIO."""
    package = zone(tmp_path / "intel-rapl:0", "package-0", 12_500_000)
    zone(package / "intel-rapl:0:0", "core", 7_000_000)
    zone(package / "intel-rapl:0:1", "dram", 2_000_000)
    zone(tmp_path / "intel-rapl:1", "package-1", 1_000_000)
    zone(tmp_path / "intel-rapl:2", "psys", 30_000_000)
    zone(tmp_path / "intel-rapl-mmio:0", "package-0", 12_500_000)
    return tmp_path


def test_packages_and_their_memory_are_counted_once(powercap: Path) -> None:
    found = {found.name: found.joules for found in read_zones(powercap)}
    assert found == {"CPU package-0": 12.5, "memory of CPU package-0": 2.0, "CPU package-1": 1.0}
    assert {found.largest for found in read_zones(powercap)} == {262_143.32885}


def test_without_counters_the_list_is_empty(tmp_path: Path) -> None:
    assert read_zones(tmp_path) == []
    assert read_zones(tmp_path / "missing") == []


def test_an_unreadable_counter_has_a_reason(powercap: Path) -> None:
    counter = powercap / "intel-rapl:1" / "energy_uj"
    counter.unlink()
    counter.mkdir()  # reading it fails for every user
    (found,) = (found for found in read_zones(powercap) if found.name == "CPU package-1")
    assert found == Zone("CPU package-1", reason=f"{counter} cannot be read: Is a directory")


def test_a_counter_without_a_number_has_a_reason(powercap: Path) -> None:
    (powercap / "intel-rapl:1" / "energy_uj").write_text("")
    (found,) = (found for found in read_zones(powercap) if found.name == "CPU package-1")
    assert (found.joules, "does not hold a number" in found.reason) == (None, True)


def test_the_counters_of_this_machine_have_a_value_or_a_reason() -> None:
    for found in read_zones():
        assert (found.joules is None) == bool(found.reason)
        assert found.joules is None or 0 <= found.joules <= found.largest
