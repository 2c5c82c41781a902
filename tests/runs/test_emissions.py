"""The energy and emissions of a run, from the events in its directory."""

from pathlib import Path

import pytest

from kanji_tui.errors import UsageError
from kanji_tui.events import Energy, Epoch, Event
from kanji_tui.runs.emissions import CodeCarbon, EpochEnergy, carbon_intensity, emissions, given_intensity
from kanji_tui.runs.recorder import Recorder
from kanji_tui.runs.run_directory import RunDirectory, create

GPU, CPU = "GPU 0 NVIDIA H200", "CPU package-0"


def epoch(number: int) -> Epoch:
    return Epoch(number, 3, 1.0, 0.5, 1.0, 0.5, 0.5, 0.5, 1e-3, 1.0, 100.0, True)


def recorded(runs: Path, *events: Event, resume: str | None = None) -> RunDirectory:
    run = create("train", "kanji_tui.jobs.train:run", {"resume": resume}, runs)
    with Recorder(run, "train") as report:
        for event in events:
            report(event)
    return run


def test_energy_is_summed_over_devices_and_split_by_epoch(tmp_path: Path) -> None:
    run = recorded(
        tmp_path,
        Energy(GPU, 0.0, "NVML energy counter"),
        Energy(CPU, 0.0, "RAPL"),
        Energy(GPU, 1.8e6, "NVML energy counter"),
        Energy(CPU, 0.36e6, "RAPL"),
        epoch(1),
        Energy(GPU, 3.6e6, "NVML energy counter"),
        epoch(2),
        Energy(GPU, 7.2e6, "NVML energy counter"),
    )
    found = emissions(run, given_intensity(500))
    assert found.kwh == pytest.approx(2.1)
    assert found.kg_co2 == pytest.approx(1.05)
    assert found.measured_by == f"NVML energy counter ({GPU}); RAPL ({CPU})"
    assert [(e.epoch, pytest.approx(e.kwh)) for e in found.epochs] == [(1, 0.6), (2, 0.5)]
    assert (found.reason, found.codecarbon, found.resumed_from) == ("", None, None)


def test_a_device_without_a_counter_is_listed_and_not_estimated(tmp_path: Path) -> None:
    refused = Energy(CPU, None, "", "Permission denied")
    found = emissions(recorded(tmp_path, refused, Energy(GPU, 3.6e6, "RAPL"), epoch(1)), given_intensity(100))
    assert (found.kwh, found.measured_by) == (1.0, f"RAPL ({GPU})")
    assert found.devices[0].kwh is None
    assert found.devices[0].reason == "Permission denied"
    assert found.epochs == (EpochEnergy(1, 1.0),)


def test_without_any_counter_the_sums_are_none(tmp_path: Path) -> None:
    found = emissions(recorded(tmp_path, Energy("CPU", None, "", "no RAPL counters"), epoch(1)), given_intensity(1))
    assert (found.kwh, found.kg_co2, found.measured_by, found.epochs) == (None, None, None, ())
    assert found.reason == "CPU: no RAPL counters"


def test_a_run_without_energy_events_gives_the_reason(tmp_path: Path) -> None:
    found = emissions(
        recorded(tmp_path, epoch(1), resume="models/runs/20261101T000000-train-1"), given_intensity(1)
    )
    assert found.kwh is None
    assert "older version" in found.reason
    assert found.resumed_from == "20261101T000000-train-1"


def test_the_result_of_codecarbon_is_included(tmp_path: Path) -> None:
    run = recorded(tmp_path, epoch(1))
    (run.path / "emissions.csv").write_text("energy_consumed,emissions,country_iso_code\n0.5,0.24,JPN\n")
    assert emissions(run, given_intensity(1)).codecarbon == CodeCarbon(0.5, 0.24, "JPN")


def test_the_carbon_intensity_names_region_year_and_source() -> None:
    japan, world = carbon_intensity("jpn"), carbon_intensity()
    assert (japan.g_per_kwh, japan.region, japan.year) == (485.4, "Japan", 2023)
    assert (world.g_per_kwh, world.region, world.year) == (481, "the world", 2023)
    assert "Ember" in japan.source
    assert "Ember" in world.source


def test_an_unknown_country_is_refused() -> None:
    with pytest.raises(UsageError, match="Atlantis"):
        carbon_intensity("Atlantis")
