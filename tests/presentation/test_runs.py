"""Runs, their states, and their energy as documents."""

from dataclasses import replace

from kanji_tui.presentation.document import KeyValues, Table, text_of
from kanji_tui.presentation.present import present
from kanji_tui.presentation.run_tables import field_text
from kanji_tui.runs.emissions import CodeCarbon, Device, Emissions, EpochEnergy, carbon_intensity, given_intensity
from kanji_tui.runs.publish import Published
from kanji_tui.runs.run_summary import Runs, RunState, RunSummary

MEASURED = Emissions(
    run="run-1",
    kwh=0.25,
    kg_co2=0.05,
    measured_by="RAPL (cpu)",
    reason="",
    devices=(Device("cpu", 0.25, "RAPL", ""), Device("GPU 0", None, "", "MIG is on")),
    epochs=(EpochEnergy(1, 0.125), EpochEnergy(2, 0.0125)),
    carbon_intensity=given_intensity(200),
    codecarbon=CodeCarbon(0.3, 0.06, "JPN"),
    resumed_from="run-0",
)


def words(document) -> str:
    return "\n".join(text_of(block) for block in document if not isinstance(block, Table | KeyValues))


def pairs(document) -> dict[str, str]:
    return {
        name: text_of(value) for block in document if isinstance(block, KeyValues) for name, value in block.pairs
    }


def test_runs_newest_first_with_how_far_they_are() -> None:
    train = RunSummary("a-train-1", "train", "lost", 1, 3, 12, {"top1": 0.9712, "samples": 240})
    older = replace(train, run="c-train-1", validation={"top1": 0.9712}, published=True)
    (table,) = present(Runs((train, older, RunSummary("b-verify-1", "verify", "finished", None))))
    assert [[text_of(cell) for cell in row.cells] for row in table.rows] == [
        ["a-train-1", "train", "crashed", "3/12", "97.12 % (94.15-98.60)"],
        ["c-train-1", "train", "crashed, published", "3/12", "97.12 %"],
        ["b-verify-1", "verify", "finished", "", ""],
    ]
    assert words(present(Runs(()))) == "no runs yet; start one with: kanji-tui train"


def test_an_active_run_shows_how_to_follow_it() -> None:
    assert words(present(RunState("run-1", "starting"))).endswith("kanji-tui attach run-1")
    assert words(present(RunState("run-1", "stopped"))) == "run-1: stopped"
    assert words(present(Published("run-1", True))) == "run-1: published"


def test_energy_and_what_was_not_measured() -> None:
    document = present(MEASURED)
    assert pairs(document) == {
        "energy": "0.25 kWh",
        "CO2": "50 g",
        "at": "200 g/kWh (given by you)",
        "cpu": "0.25 kWh, RAPL",
        "GPU 0": "not measured: MIG is on",
    }
    table = next(block for block in document if isinstance(block, Table))
    assert [[text_of(cell) for cell in row.cells] for row in table.rows] == [["1", "0.125 kWh"], ["2", "12.5 Wh"]]
    assert "CodeCarbon (JPN) reports 0.3 kWh, 60 g of CO2" in words(document)
    assert "run-0 has the energy before" in words(document)


def test_a_missing_measurement_is_not_zero() -> None:
    nothing = replace(MEASURED, kwh=None, kg_co2=None, reason="no counter", epochs=(), codecarbon=None)
    assert pairs(present(nothing)) == {"energy": "not measured: no counter"}


def test_an_intensity_names_region_year_and_source() -> None:
    known = pairs(present(replace(MEASURED, carbon_intensity=carbon_intensity("FIN"))))["at"]
    assert known.startswith(f"{carbon_intensity('FIN').g_per_kwh:g} g/kWh (Finland 20")
    assert "Ember" in known


def test_a_long_note_takes_one_line_of_a_list() -> None:
    run = RunSummary("a-train-1", "train", "finished", 1, note="smoothing\nof labels, " * 300)
    (table,) = present(Runs((run,)))
    for cell in (table.rows[0].cells[-1], field_text("note", run.note)):
        assert text_of(cell).startswith("smoothing of labels, smoothing")
        assert len(text_of(cell)) < 90
