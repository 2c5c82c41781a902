"""Runs: the list of runs, the state after a command, energy and emissions."""

from collections.abc import Callable
from typing import Any

from kanji_tui.data.defaults import SYNTHETIC_SOURCE
from kanji_tui.presentation import marks
from kanji_tui.presentation.document import Block, Column, Document, KeyValues, Line, Row, Styled, Table, join
from kanji_tui.presentation.run_tables import note_line
from kanji_tui.runs.emissions import CarbonIntensity, Device, Emissions
from kanji_tui.runs.publish import Published, RunModel
from kanji_tui.runs.run_directory import ACTIVE
from kanji_tui.runs.run_summary import Described, Runs, RunState, RunSummary
from kanji_tui.system import numbers

EARLY = ("stopped", "failed", "lost")  # states of a run that did not train to its end
RUN_COLUMNS = (
    Column("run"),
    Column("job"),
    Column("state"),
    Column("epoch", right=True),
    Column("val top-1", right=True),
)
SOURCE_COLUMN = (Column("source"),)
ABOUT_COLUMNS = (Column("name"), Column("note"))


def runs_document(result: Runs) -> Document:
    """All runs, newest first; where the samples of one are synthetic, where those of each come from."""
    if not result.runs:
        return ("no runs yet; start one with: kanji-tui train",)
    damaged = [run for run in result.runs if run.problem]
    named = any(run.name or run.note for run in result.runs)
    sourced = any(run.source == SYNTHETIC_SOURCE for run in result.runs)
    columns = (*RUN_COLUMNS, *(SOURCE_COLUMN * sourced), *(ABOUT_COLUMNS * named))
    return (
        Table(columns, [_run_row(run, sourced, named) for run in result.runs]),
        *(f"{run.run} is damaged: {run.problem}" for run in damaged),
    )


def _run_row(run: RunSummary, sourced: bool, named: bool) -> Row:
    epoch = f"{run.epoch}/{run.epochs}" if run.epoch else ""
    found = run.validation
    top1 = numbers.accuracy(found["top1"], found.get("samples")) if found else ""
    source = (marks.source(run.source),) if sourced else ()
    about = (run.name, note_line(run.note)) if named else ()
    published = [Styled("published", "accent")] * run.published
    state = join(", ", [marks.state(run.state, run.problem), *published])
    return Row(run.run, (run.run, run.job, state, epoch, top1, *source, *about))


def run_state_document(result: RunState) -> Document:
    """The state of a run after a command, and how to follow an active one."""
    lines: list[Block] = [(f"{result.run}: ", marks.state(result.state))]
    if result.state in ACTIVE:
        lines.append(f"follow it with: kanji-tui attach {result.run}")
    if result.note:
        lines.append(result.note)
    return tuple(lines)


def described_document(result: Described) -> Document:
    """What a person says of a run."""
    return (KeyValues((("name", result.name or "-"), ("note", result.note or "-")), result.run),)


def published_document(result: Published) -> Document:
    """The run whose model is now the published one, what that changes, and how to take it back."""
    if result.model is None or result.before is None or result.before.run == result.run:
        return (f"{result.run}: {result.state}",)
    change = publish_change(result.before, result.model)
    undo = f"the model of {result.before.run} is kept; to publish it again: kanji-tui publish --undo"
    return (f"{result.run}: {result.state}, {change}", undo)


def publish_change(before: RunModel | None, after: RunModel) -> str:
    """`validation top-1 100.00 % → 5.02 %, stopped early`: the published model before and after."""
    early = ", still training" if after.state in ACTIVE else ", stopped early" if after.state in EARLY else ""
    old = f"{numbers.percent(before.top1)} → " if before else ""
    return f"validation top-1 {old}{numbers.percent(after.top1)}{early}"


def emissions_document(result: Emissions) -> Document:
    """Energy and CO2 of a run; what was not measured is named with the reason."""
    blocks: list[Block] = [KeyValues(tuple(_emission_pairs(result)), result.run)]
    if result.epochs:
        rows = [Row(str(epoch.epoch), (str(epoch.epoch), numbers.energy(epoch.kwh))) for epoch in result.epochs]
        blocks.append(Table((Column("epoch", right=True), Column("energy", right=True)), rows))
    noted = result.codecarbon
    if noted is not None:
        blocks.append(
            f"CodeCarbon ({noted.country}) reports {numbers.energy(noted.kwh)}, {numbers.mass(noted.kg_co2)} of "
            "CO2; it estimates what it cannot measure"
        )
    if result.resumed_from:
        blocks.append(f"since it was resumed; {result.resumed_from} has the energy before")
    return tuple(blocks)


def _emission_pairs(result: Emissions) -> list[tuple[str, Line]]:
    if result.kwh is None or result.kg_co2 is None:
        return [("energy", Styled(f"not measured: {result.reason}", "warning"))]
    intensity = result.carbon_intensity
    return [
        ("energy", numbers.energy(result.kwh)),
        ("CO2", numbers.mass(result.kg_co2)),
        ("at", f"{intensity.g_per_kwh:g} g/kWh ({_source(intensity)})"),
        *((device.device, _device_energy(device)) for device in result.devices),
    ]


def _source(intensity: CarbonIntensity) -> str:
    named = " ".join(str(part) for part in (intensity.region, intensity.year) if part)
    return f"{named}, {intensity.source}" if named else intensity.source


def _device_energy(device: Device) -> str:
    if device.kwh is None:
        return f"not measured: {device.reason}"
    return f"{numbers.energy(device.kwh)}, {device.measured_by}"


PRESENTERS: dict[type, Callable[[Any], Document]] = {
    Runs: runs_document,
    RunState: run_state_document,
    Described: described_document,
    Published: published_document,
    Emissions: emissions_document,
}
