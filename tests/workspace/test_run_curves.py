"""What is known of a run between its epochs, and the bar of its progress."""

import json
from pathlib import Path

import pytest

from kanji_tui.events import Event, Load, Progress, State, Step, to_json
from kanji_tui.presentation.charts import charts, place_of, step_points, usable_axis, whole_window
from kanji_tui.workspace.run_curves import STEPS_KEPT, LoadPoint
from kanji_tui.workspace.run_views import RunView, Tail
from tests.tui.recorded import MOMENT, RUN, epochs, train_spec, write_run


def step(number: int, of: int = 100) -> Step:
    return Step(number, number / of, number / 10, 4.0 - number / 100, 0.5, 1e-3, 1200.0)


def view_of(home: Path, events: list[Event]) -> RunView:
    tail = Tail(write_run(home, RUN, train_spec(), "running", [State("running"), *events]))
    tail.poll()
    return tail.view


def test_the_first_epoch_has_points_before_it_ends(tmp_path: Path) -> None:
    view = view_of(tmp_path, [step(20), step(60)])
    assert whole_window([view]) == (0.0, 1.0)
    assert step_points(view, "loss") == ((0.2, 3.8), (0.6, 3.4))
    loss, top1 = charts([view], "", "linear", whole_window([view]), None)
    assert loss.series[0].points == ((0.2, 3.8), (0.6, 3.4))
    assert [series.name for series in top1.series] == ["steps", "train", "val"]
    (rate,) = charts([view], "^samples/s", "linear", whole_window([view]), None)
    assert rate.series[0].points == ((0.2, 1200.0), (0.6, 1200.0))


def test_the_x_axis_is_epochs_steps_or_time(tmp_path: Path) -> None:
    view = view_of(tmp_path, [step(50), *epochs(2)])
    assert [place_of(view, 2.0, axis) for axis in ("epoch", "step", "time")] == [2.0, 200.0, pytest.approx(8.4)]
    assert whole_window([view], "step") == (0.0, 1200.0)
    assert whole_window([view], "time") == (0.0, pytest.approx(8.4))
    (chart,) = charts([view], "^learning", "linear", (6.0, 12.0), 1.0, "step")
    assert (chart.x, chart.window, chart.cursor) == ("step", (600.0, 1200.0), 100.0)
    (loss,) = charts([view], "val loss", "linear", (0.0, 12.0), None, "time")
    assert [x for x, _ in loss.series[-1].points] == [pytest.approx(4.2), pytest.approx(8.4)]
    older = view_of(tmp_path / "older", [*epochs(2)])  # it did not report steps
    assert usable_axis([view, older], "step") == "epoch"
    assert usable_axis([view, older], "time") == "time"


def test_a_day_of_steps_is_condensed(tmp_path: Path) -> None:
    view = view_of(tmp_path, [step(number, 5000) for number in range(1, 3 * STEPS_KEPT)])
    assert STEPS_KEPT // 2 <= len(view.steps) <= STEPS_KEPT + 1
    places = [point.position for point in view.steps]
    assert places == sorted(places)


def test_the_load_of_the_machine_over_time(tmp_path: Path) -> None:
    first = Load(0.5, 2**30, 4 * 2**30, 2**29, 2.0**21, 2.0**22, 100.0, 10.0, 0.25)
    view = view_of(tmp_path, [first, Load(1.0)])
    assert view.loads == (
        LoadPoint(0.0, 0.5, 0.25, 0.25, 0.125, 2.0**21, 2.0**22, 100.0, 10.0),
        LoadPoint(1.0, 1.0, *[None] * 7),
    )
    assert view.last_event_at == MOMENT + 2


def test_the_load_in_an_older_run_is_read(tmp_path: Path) -> None:
    run = write_run(tmp_path, RUN, train_spec(), "running", [State("running")])
    older = {"cpu": 0.5, "memory_used": 2**30, "memory_total": 2**32, "own_memory": 2**29, "disk_read": 2.0**21}
    with run.events.open("a") as events:
        events.write(json.dumps({"v": 1, "t": MOMENT + 1, "type": "load", **older}) + "\n")
    tail = Tail(run)
    tail.poll()
    assert tail.view.problem == ""
    assert tail.view.loads == (LoadPoint(0.0, 0.5, None, 0.25, 0.125, 2.0**21, None, None, None),)


@pytest.mark.parametrize("phase", ["validation", "train accuracy", "validation by class", "test"])
def test_the_bar_of_a_training_never_runs_backwards(tmp_path: Path, phase: str) -> None:
    training = Progress("training", 600, 1000, "samples", "epoch 2 of 3", 100.0, 4.0)
    other = Progress(phase, 0, 50, "samples")
    shown = view_of(tmp_path, [training, other]).progress
    assert shown is not None
    assert (shown.done, shown.total, shown.phase) == (600, 1000, phase)


def test_a_bar_that_stands_does_not_go_back(tmp_path: Path) -> None:
    run = write_run(tmp_path, RUN, train_spec(), "running", [Progress("training", 600, 1000, "samples")])
    tail = Tail(run)
    tail.poll()
    late = to_json(Progress("training", 500, 1000, "samples"), MOMENT + 1)
    with run.events.open("a") as events:
        events.write(json.dumps(late) + "\n")
    assert tail.poll()
    assert tail.view.progress is not None
    assert tail.view.progress.done == 600
