"""What is known of runs, which of them a query chooses, in which order; and trainings in parts."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from kanji_tui.errors import UsageError
from kanji_tui.presentation.document import text_of
from kanji_tui.presentation.run_list import run_table
from kanji_tui.presentation.run_tables import field_table, run_csv
from kanji_tui.runs.about import About
from kanji_tui.runs.run_summary import read_record
from kanji_tui.workspace.run_choice import COLUMNS, ORDER, RUNS, RunChoice
from kanji_tui.workspace.run_curves import StepPoint
from kanji_tui.workspace.run_fields import fields_of_record, fields_of_view
from kanji_tui.workspace.run_query import SLOW, chosen, fits, in_order, parse_query
from kanji_tui.workspace.run_views import RunView, Tail
from kanji_tui.workspace.trainings import trainings, with_steps_before
from tests.tui.recorded import RUN, epochs, train_spec, write_training


def view(name: str, done: int = 3, state: str = "finished", resume: str = "", about: About | None = None, **config):
    spec = train_spec()
    spec["config"].update(config)
    if resume:
        spec["resume"] = f"models/runs/{resume}"
    return RunView(
        name, Path("models/runs") / name, "train", state, spec, epochs=tuple(epochs(done)), about=about or About()
    )


RUNS_KNOWN = (
    view("20260103T000000-train-1", learning_rate=0.01, batch_size=32, about=About("wide", "label smoothing 0.2")),
    view("20260102T000000-train-1", state="lost", network="v1", learning_rate=0.002, split="random"),
    view("20260101T000000-train-1", done=12, learning_rate=0.005, about=About("", "a first try")),
)


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("", "321"),
        ("lr>0.004", "31"),
        ("lr>0.004 state:finished split:writer note:smoothing", "3"),
        ("learning-rate<=5e-3", "21"),
        ("lr:0.01", "3"),
        ("state:crashed", "2"),
        ("state=lost", "2"),
        ("network!=v1", "31"),
        ("best>90%", "1"),
        ("epoch=12", "1"),
        ("test>0", ""),
        ("name!=wide", "21"),
        ('note:"a first"', "1"),
        ("smooth|first", "31"),
        ("-smooth", "21"),
        ("-split:random wide", "3"),
        ("crashed", "2"),
        ("[", ""),
    ],
)
def test_a_query_chooses_runs(query: str, days: str) -> None:
    found = chosen(RUNS_KNOWN, parse_query(query), fields_of_view)
    assert "".join(run.name[7] for run in found) == days


@pytest.mark.parametrize(("query", "reason"), [("lrr>1", "no field 'lrr'"), ("lr>", "compares with nothing")])
def test_what_is_no_query_is_refused(query: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        parse_query(query)


def test_runs_are_sorted_with_the_unknown_last() -> None:
    def days(order: str) -> str:
        return "".join(run.name[7] for run in in_order(RUNS_KNOWN, order, fields_of_view))

    assert days("") == "321"
    assert days("lr") == "213"
    assert days("-lr") == "312"
    assert days("name") == "321"  # two without a name
    assert days("-best")[0] == "1"


def test_what_is_typed_becomes_the_list_and_what_cannot_be_read_changes_nothing() -> None:
    choice = RunChoice().typed(RUNS, "lr>0.004").typed(ORDER, "-lr").typed(COLUMNS, "lr, batch best")
    listed, every = choice.listed(RUNS_KNOWN)
    assert ([training.last.name[7] for training in listed], every) == (["3", "1"], 3)
    assert choice.columns == ("learning_rate", "batch_size", "val_top1")
    assert choice.note(2, 3) == "lr>0.004  2 of 3  by -learning_rate"
    table = run_table(listed, columns=choice.columns)
    assert [text_of(cell) for cell in table.rows[0].cells] == ["wide", "0.01", "32", "71.25 %"]
    half = choice.typed(RUNS, "lr>0.004 note:")  # the words that can be read hold
    assert half.query == choice.query
    assert half.note(2, 3).startswith("note: compares with nothing")
    assert half.typed(RUNS, "").listed(RUNS_KNOWN)[1] == 3
    begun = choice.typed(ORDER, "-")
    assert (begun.order, begun.problem) == ("", "")  # somebody is still typing


def test_a_pattern_that_would_take_years_is_plain_text() -> None:
    slow = "^(a|aa)+$"
    assert not fits(slow, "a" * 90 + "!")
    assert slow in SLOW
    assert fits(slow, "a note of ^(A|aa)+$")


def test_resumptions_are_one_training_in_parts() -> None:
    first = view("20260101T000000-train-1", 2, "stopped")
    second = view("20260102T000000-train-1", 4, "lost", resume=first.name)
    third = view("20260103T000000-train-1", 12, resume=second.name, about=About("wide"))
    other = view("20260104T000000-train-1")
    (alone, training) = trainings([other, third, second, first])
    assert [part.name[7] for part in training.parts] == ["1", "2", "3"]
    assert len(alone.parts) == 1
    row = run_table([training], published=first.name).rows[0]
    assert text_of(row.cells[1]) == "wide 3 parts published"
    failed = replace(third, state="failed", epochs=())
    assert [len(found.parts) for found in trainings([failed, second, first])] == [3, 2]
    assert [len(found.parts) for found in trainings([replace(failed, state="running"), second, first])] == [3]
    circle = replace(first, spec={**first.spec, "resume": f"models/runs/{second.name}"})
    assert len(trainings([third, second, circle])[0].parts) == 3


def test_what_was_measured_inside_the_epochs_of_all_parts_is_one_curve() -> None:
    def steps(*numbers: int) -> tuple[StepPoint, ...]:
        return tuple(StepPoint(number / 10, number, number * 2.0, 1.5, 0.5, 1e-3, 100.0) for number in numbers)

    first = replace(view("20260101T000000-train-1", 2, "stopped"), steps=steps(1, 4, 7))
    second = replace(view("20260102T000000-train-1", 2, "lost", resume=first.name), steps=steps())
    third = replace(view("20260103T000000-train-1", 12, resume=second.name), steps=steps(6, 9))
    known = {run.name: run for run in (first, second, third)}
    whole = with_steps_before(third, known)  # step 7 was done again
    assert [point.step for point in whole.steps] == [1, 4, 6, 9]
    assert replace(whole, steps=third.steps) == third
    assert with_steps_before(first, known) is first
    assert with_steps_before(third, {third.name: third}) is third


def test_a_command_knows_of_a_run_what_a_screen_knows(tmp_path: Path) -> None:
    run = write_training(tmp_path)
    (run.path / "about.json").write_text(json.dumps({"name": "wide", "note": "label, smoothing\n2nd line"}))
    tail = Tail(run)
    tail.poll()
    fields = fields_of_record(read_record(run))
    assert fields == fields_of_view(tail.view)
    assert (fields["test_top1"], fields["best_epoch"], fields["network"]) == (0.9712, 11, "kanjinet")
    (row,) = csv.DictReader(io.StringIO(run_csv([fields])))
    assert row["note"] == "label, smoothing\n2nd line"
    assert float(row["val_top1"]) == epochs(11)[-1].val_top1
    assert row["split_shares"] == "70/15/15"
    table = field_table([fields], ["test_top1"])
    assert [text_of(cell) for cell in table.rows[0].cells] == [RUN, "97.12 %"]


def test_what_is_said_of_a_run_is_read_again_when_it_changes(tmp_path: Path) -> None:
    run = write_training(tmp_path)
    tail = Tail(run)
    tail.poll()
    assert not tail.reread_about()
    (run.path / "about.json").write_text('{"name": "wide"}')
    assert tail.reread_about()
    assert tail.view.label == "wide"
    (run.path / "about.json").write_text("damaged")
    tail.reread_about()
    assert tail.view.label == "kanjinet"
