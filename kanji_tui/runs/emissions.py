"""Computes the energy of a run from its events, and the CO2 emissions of that much electricity.

Nothing is estimated: devices without a counter are listed with the reason, and without any counter the sums are
None.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Energy, Epoch
from kanji_tui.runs.event_log import all_events
from kanji_tui.runs.run_directory import RunDirectory
from kanji_tui.system.numbers import JOULES_PER_KWH

WORLD = "WLD"
CODECARBON_FILE = "emissions.csv"


@dataclass(frozen=True)
class CarbonIntensity:
    """Grams of CO2 equivalent per kilowatt-hour in a region and year, and the source."""

    g_per_kwh: float
    region: str
    year: int | None
    source: str


@dataclass(frozen=True)
class Device:
    """The energy of one device; `kwh` is None where it was not measured, and `reason` says why."""

    device: str
    kwh: float | None
    measured_by: str
    reason: str


@dataclass(frozen=True)
class EpochEnergy:
    epoch: int
    kwh: float


@dataclass(frozen=True)
class CodeCarbon:
    """The result of CodeCarbon, which estimates what it cannot measure."""

    kwh: float
    kg_co2: float
    country: str


@dataclass(frozen=True)
class Emissions:
    """`kwh` and `kg_co2` are sums over the measured devices; None where there are none, and `reason` says why.

    `resumed_from`: the run that this one resumed; its energy is not included.
    """

    run: str
    kwh: float | None
    kg_co2: float | None
    measured_by: str | None
    reason: str
    devices: tuple[Device, ...]
    epochs: tuple[EpochEnergy, ...]
    carbon_intensity: CarbonIntensity
    codecarbon: CodeCarbon | None
    resumed_from: str | None


def emissions(run: RunDirectory, intensity: CarbonIntensity) -> Emissions:
    """The energy and emissions of a run, from its events; of a running one, so far."""
    used: dict[str, Energy] = {}
    epochs: list[EpochEnergy] = []
    before = 0.0
    for _, event in all_events(run.events):
        if isinstance(event, Energy):
            used[event.device] = event
        elif isinstance(event, Epoch) and any(energy.joules is not None for energy in used.values()):
            now = _joules(used)
            epochs.append(EpochEnergy(event.epoch, (now - before) / JOULES_PER_KWH))
            before = now
    devices = tuple(
        Device(e.device, None if e.joules is None else e.joules / JOULES_PER_KWH, e.measured_by, e.reason)
        for e in used.values()
    )
    measured = [device for device in devices if device.kwh is not None]
    kwh = _joules(used) / JOULES_PER_KWH if measured else None
    return Emissions(
        run=run.name,
        kwh=kwh,
        kg_co2=None if kwh is None else kwh * intensity.g_per_kwh / 1000,
        measured_by="; ".join(f"{device.measured_by} ({device.device})" for device in measured) or None,
        reason="" if measured else _missing_reason(devices),
        devices=devices,
        epochs=tuple(epochs),
        carbon_intensity=intensity,
        codecarbon=_codecarbon(run.path / CODECARBON_FILE),
        resumed_from=_resumed_from(run),
    )


def carbon_intensity(region: str = WORLD) -> CarbonIntensity:
    """The yearly mean of a country, by ISO 3166 alpha-3 code, or of the world; UsageError for an unknown code."""
    table = _intensities()
    if region.upper() not in table:
        raise UsageError(
            f"no carbon intensity is known for '{region}'",
            "give a country as three letters, like JPN or FIN, or the number: --carbon-intensity G_PER_KWH",
        )
    return table[region.upper()]


def given_intensity(g_per_kwh: float) -> CarbonIntensity:
    """The intensity that the user gave."""
    return CarbonIntensity(g_per_kwh, "", None, "given by you")


@cache
def _intensities() -> dict[str, CarbonIntensity]:
    text = (files("kanji_tui.runs") / "facts" / "carbon_intensity.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    source = {WORLD: "Ember, Global Electricity Review 2024"}
    return {
        row["code"]: CarbonIntensity(
            float(row["g_per_kwh"]),
            row["region"],
            int(row["year"]),
            source.get(row["code"], "Ember and Energy Institute, by Our World in Data"),
        )
        for row in rows
    }


def _joules(used: dict[str, Energy]) -> float:
    return sum(energy.joules for energy in used.values() if energy.joules is not None)


def _missing_reason(devices: tuple[Device, ...]) -> str:
    if not devices:
        return "the run recorded no energy: it is not a training, or it is of an older version"
    return "; ".join(f"{device.device}: {device.reason}" for device in devices)


def _codecarbon(path: Path) -> CodeCarbon | None:
    try:
        row = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))[-1]
        return CodeCarbon(float(row["energy_consumed"]), float(row["emissions"]), row["country_iso_code"])
    except (OSError, IndexError, KeyError, ValueError):
        return None


def _resumed_from(run: RunDirectory) -> str | None:
    try:
        resume = run.config().spec.get("resume")
    except KanjiError:
        return None
    return Path(resume).name if isinstance(resume, str) and resume else None
