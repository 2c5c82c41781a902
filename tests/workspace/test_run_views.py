"""The views of runs that the screens keep, and what the workspace holds."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from kanji_tui.epoch_metrics import to_history
from kanji_tui.events import Epoch, Progress, State, to_json
from kanji_tui.paths import CHECKPOINT, HISTORY
from kanji_tui.runs.run_directory import RunDirectory
from kanji_tui.system.files import write_json
from kanji_tui.workspace.run_views import Tail, Watch, start_time
from kanji_tui.workspace.snapshot import WorkspaceSnapshot, next_step, read_workspace
from tests.tui.recorded import LIVE, RUN, epochs, train_spec, write_live, write_run


def test_the_bar_of_a_training_does_not_jump_while_it_validates(home: Path) -> None:
    run = write_live(home)
    tail = Tail(run)
    with open(run.events, "a") as file:
        for event in (Progress("training", 40, 100, "samples"), Progress("validation", 9, 10, "samples")):
            file.write(json.dumps({"t": 1.0, "type": "progress", **event.__dict__}) + "\n")
    tail.poll()
    shown = tail.view.progress
    assert shown is not None
    assert (shown.phase, shown.done, shown.total) == ("validation", 40, 100)


def test_a_tail_folds_what_was_added(home: Path) -> None:
    run = write_live(home)
    tail = Tail(run)
    assert tail.poll()
    assert [epoch.epoch for epoch in tail.view.epochs] == [1, 2, 3, 4]
    assert tail.view.active
    assert tail.view.network == "kanjinet"
    assert not tail.poll()
    line = json.dumps({"v": 1, "t": 5.0, "type": "progress", "phase": "training", "done": 9, "total": 10})
    with open(run.events, "a", encoding="utf-8") as file:
        file.write(line)
    assert not tail.poll()  # a line without its end is not read yet
    with open(run.events, "a", encoding="utf-8") as file:
        file.write("\n")
    assert tail.poll()
    assert tail.view.progress == Progress("training", 9, 10)
    assert tail.view.last_event_at == 5.0


def test_files_of_a_preparation_are_kept_apart_from_its_progress(home: Path) -> None:
    story = [
        State("running"),
        Progress("prepare", 10, 100, "records"),
        Progress("file", 5, 50, "records", "ETL9G_01"),
        Progress("file", 7, 50, "records", "ETL9G_02"),
        Progress("file", 9, 50, "records", "ETL9G_01"),
    ]
    tail = Tail(write_run(home, "20260102T030405-prepare-1", {}, "running", story))
    tail.poll()
    assert tail.view.progress is not None
    assert tail.view.progress.phase == "prepare"
    assert [(progress.item, progress.done) for progress in tail.view.files] == [("ETL9G_01", 9), ("ETL9G_02", 7)]


def test_an_epoch_written_again_after_a_resume_counts_once(home: Path) -> None:
    run = write_live(home)
    tail = Tail(run)
    tail.poll()
    again = tail.view.epochs[-1]
    with open(run.events, "a", encoding="utf-8") as file:
        file.write(json.dumps({"v": 1, "t": 6.0, "type": "epoch", **again.__dict__, "val_top1": 0.5}) + "\n")
    tail.poll()
    assert len(tail.view.epochs) == 4
    assert isinstance(tail.view.epochs[-1], Epoch)
    assert tail.view.epochs[-1].val_top1 == 0.5


def test_a_resumed_run_shows_what_was_done_before(home: Path) -> None:
    spec = {**train_spec(), "resume": "models/runs/20260102T030405-train-1"}
    *_, newest = epochs(4)
    run = write_run(home, LIVE, spec, "running", [State("running"), replace(newest, val_top1=0.1, best=False)])
    before = {"epochs": [1, 2, 3, 4], "train_loss": [4.0, 3.0, 2.0, 9.0], "val_loss": [4.0, 3.0, 2.5, 9.0]}
    accuracies = {"train_acc": [10, 20, 30, 90], "train_clean_acc": [11, 21, 31, 90], "val_acc": [12.5, 50, 25, 90]}
    tops = {"val_top3": [30, 40, 50, 90], "val_top5": [40, 50, 60, 90]}
    rest = {"learning_rate": [0.1] * 4, "seconds": [2.0] * 4, "samples_per_second": [800.0] * 4}
    (run.path / "training_progress.json").write_text(json.dumps(before | accuracies | tops | rest))
    tail = Tail(run)
    tail.poll()
    assert [epoch.epoch for epoch in tail.view.epochs] == [1, 2, 3, 4]
    assert [epoch.val_top1 for epoch in tail.view.epochs] == [0.125, 0.5, 0.25, 0.1]
    assert [epoch.best for epoch in tail.view.epochs] == [True, True, False, False]
    assert tail.view.epochs[0].train_clean_top1 == 0.11
    (run.path / "training_progress.json").write_text('{"epochs": [1]}')
    tail = Tail(run)
    tail.poll()
    assert [epoch.epoch for epoch in tail.view.epochs] == [4]


def test_while_a_resumed_run_starts_the_epochs_before_it_stay_in_sight(home: Path) -> None:
    stopped = write_run(home, RUN, train_spec(), "stopped", [State("running"), State("stopped")])
    write_json(stopped.path / HISTORY, to_history(epochs(3)))
    (stopped.path / CHECKPOINT).touch()
    run = write_run(home, LIVE, {**train_spec(), "resume": str(stopped.path)}, "running", [State("running")])
    tail = Tail(run)
    tail.poll()
    assert [epoch.epoch for epoch in tail.view.epochs] == [1, 2, 3]
    shutil.copy(stopped.path / HISTORY, run.path)
    with open(run.events, "a", encoding="utf-8") as file:
        file.write(json.dumps(to_json(epochs(4)[-1], 6.0)) + "\n")
    tail.poll()
    assert [epoch.epoch for epoch in tail.view.epochs] == [1, 2, 3, 4]


def test_a_resumed_run_that_failed_at_its_start_has_no_epoch(home: Path) -> None:
    stopped = write_run(home, RUN, train_spec(), "stopped", [State("running"), State("stopped")])
    write_json(stopped.path / HISTORY, to_history(epochs(3)))
    (stopped.path / CHECKPOINT).touch()
    run = write_run(home, LIVE, {**train_spec(), "resume": str(stopped.path)}, "running", [State("running")])
    tail = Tail(run)
    tail.poll()
    run.write_status(replace(run.read_status(), state="failed"))
    tail.poll()
    assert tail.view.epochs == ()


def test_a_watch_finds_and_forgets_runs(recorded: Path) -> None:
    watch = Watch()
    assert watch.list() == frozenset()
    assert RUN in {view.name for view in watch.poll(1.0)}
    assert not watch.busy
    run = write_live(recorded)
    watch.list()
    assert [view.name for view in watch.poll(1.0)] == [LIVE]
    assert watch.busy
    run.write_status(run.status().__class__(**{**run.status().__dict__, "state": "stopped"}))  # type: ignore[union-attr]
    RunDirectory(run.path).delete()
    assert watch.list() == {LIVE}


def test_what_is_no_run_is_looked_at_anew_only_when_it_becomes_one(recorded: Path) -> None:
    run = write_live(recorded)
    runs, config = run.path.parent, (run.path / "config.yaml").read_bytes()
    (run.path / "config.yaml").unlink()  # as a folder is before it has its settings
    (runs / "notes.txt").touch()
    (runs / "gone").symlink_to("nowhere")
    watch = Watch()
    watch.list()
    known = {view.name for view in watch.poll(5.0)}
    assert RUN in known
    assert LIVE not in known
    with patch("kanji_tui.workspace.run_views.list_runs", side_effect=AssertionError("the folder is read again")):
        assert watch.list() == frozenset()
    (run.path / "config.yaml").write_bytes(config)
    watch.list()
    assert [view.name for view in watch.poll(5.0)] == [LIVE]
    with patch("kanji_tui.workspace.run_views.list_runs", side_effect=AssertionError("the folder is read again")):
        assert watch.list() == frozenset()
    shutil.rmtree(run.path)
    assert watch.list() == {LIVE}


def test_reading_many_runs_is_spread_over_polls(home: Path) -> None:
    for number in range(5):
        write_run(home, f"20260102T03040{number}-train-1", {}, "finished", [State("running")])
    watch = Watch()
    watch.list()
    assert watch.poll(0.0) == ()
    assert watch.busy
    assert len(watch.poll(5.0)) == 5


def test_a_view_says_where_the_samples_come_from_once_a_file_does(home: Path) -> None:
    run = write_run(home, LIVE, train_spec(), "running", [State("running")])
    tail = Tail(run)
    tail.poll()
    assert tail.view.source == ""
    (run.path / "best_model_info.json").write_text(json.dumps({"source": "drawn sample"}))  # as an epoch does
    with open(run.events, "a", encoding="utf-8") as file:
        file.write(json.dumps(to_json(epochs(1)[0], 7.0)) + "\n")
    tail.poll()
    assert tail.view.source == "drawn sample"
    writers = train_spec()
    writers["config"]["synthetic"] = 8
    assert Tail(write_run(home, RUN, writers, "running", [])).view.source == "drawn sample"
    sample = write_run(home, "20260102T030405-sample-1", {"source": "strokes"}, "running", [])
    assert Tail(sample).view.source == "drawn sample"


def test_names_show_when_a_run_began() -> None:
    assert start_time("19700102T000000-train-1") == 86400.0
    assert start_time("mine") == 0.0


def test_the_next_step_follows_what_is_there(home: Path, recorded_once: Path, monkeypatch) -> None:
    assert "press 2, then n" in next_step(read_workspace())
    monkeypatch.chdir(recorded_once)
    here = read_workspace()
    assert here.model is not None
    assert here.model.accuracy == pytest.approx(0.9896)
    assert "press 3, then e" in next_step(here)
    assert "press 3, then n" in next_step(WorkspaceSnapshot(here.files, here.dataset))
    assert "then p to prepare" in next_step(WorkspaceSnapshot(here.files))
