"""One bad run hides none of the others: it is listed with the reason, and the others as ever."""

import json
import os
import time
from pathlib import Path

import pytest

from kanji_tui.epoch_metrics import to_history
from kanji_tui.events import Epoch, Notice, Outcome, Progress, State, to_json
from kanji_tui.runs import event_log
from kanji_tui.runs.event_log import newest_events, read_events
from kanji_tui.runs.run_directory import RunDirectory, create, status_of_this_process
from kanji_tui.workspace import run_views
from kanji_tui.workspace.run_views import Tail, Watch

ENTRY = "kanji_tui.jobs.train:run"


def epoch(number: int, best: bool = False, top1: float = 0.5) -> Epoch:
    return Epoch(number, 100, 1.0, 0.5, 1.0, top1, 0.6, 0.7, 0.01, 2.0, 100.0, best)


def lines_of(*events: object) -> str:
    return "".join(json.dumps(to_json(event, 1000.0)) + "\n" for event in events)  # type: ignore[arg-type]


def new_run(runs: Path, *events: object) -> RunDirectory:
    run = create("train", ENTRY, {"data_dir": "dataset"}, runs)
    run.write_status(status_of_this_process("train", "finished"))
    run.events.write_text(lines_of(*events))
    return run


def in_status(**fields):
    def damage(run: RunDirectory) -> None:
        text = json.dumps(json.loads((run.path / "status.json").read_text()) | fields)
        (run.path / "status.json").write_text(text.replace('"1e999"', "1e999"))

    return damage


def in_events(line: str):
    return lambda run: run.events.write_text(lines_of(epoch(1, best=True)) + line + "\n")


def in_config(text: str):
    return lambda run: (run.path / "config.yaml").write_text(text)


def replaced(make):
    def damage(run: RunDirectory) -> None:
        run.events.unlink()
        make(run.events)

    return damage


EPOCH = json.dumps(to_json(epoch(2), 1000.0))
DAMAGES = {
    "pid 1e999": (in_status(pid="1e999"), "status.json: pid cannot be"),
    "pid Infinity": (in_status(pid=float("inf")), "status.json cannot be read as JSON: Infinity"),
    "pid -5": (in_status(pid=-5), "status.json: pid cannot be '-5': it must be from 0"),
    "pid 2**63": (in_status(pid=2**63), "status.json: pid cannot be"),
    "no job": (in_status(job=None), "status.json: job cannot be 'None'"),
    "no state of ours": (in_status(state="resting"), "status.json: state cannot be 'resting'"),
    "heartbeat": (in_status(heartbeat=-1), "status.json: heartbeat cannot be"),
    "strings for numbers": (in_events(EPOCH.replace("0.6", '"high"')), "epoch: val_top3 cannot be"),
    "an accuracy of 6": (
        in_events(EPOCH.replace("0.6", "6")),
        "epoch: val_top3 cannot be '6.0': it must be from 0 to 1",
    ),
    "no number": (in_events(EPOCH.replace("0.6", "NaN")), "NaN is not a number"),
    "no text": (in_events("\x00" * 50), "events.jsonl cannot be read as JSON"),
    "a folder": (replaced(Path.mkdir), "events.jsonl cannot be read: Is a directory"),
    "a pipe": (replaced(os.mkfifo), "events.jsonl is not a regular file"),
    "itself": (replaced(lambda path: path.symlink_to(path)), "events.jsonl cannot be read"),
    "entry a list": (in_config("entry: [null]\njob: train\nspec: {}\n"), "config.yaml: entry cannot be"),
    "no entry": (in_config("job: train\nspec: {}\n"), "config.yaml: the field 'entry' is missing"),
    "no spec": (in_config(f"entry: {ENTRY}\njob: train\n"), "config.yaml: the field 'spec' is missing"),
    "no job in the config": (in_config(f"entry: {ENTRY}\nspec: {{}}\n"), "config.yaml: the field 'job' is missing"),
    "aliases": (
        in_config("job: &a [x]\nentry: *a\nspec: {}\n"),
        "config.yaml cannot be read as YAML: an alias",
    ),
    "no YAML": (in_config("job: ["), "config.yaml cannot be read as YAML"),
}


RESULTS = {
    "test must be fields with values, not int": {"test": 5},
    "test: top1 cannot be 'high'": {"test": {"top1": "high"}},
    "device": {"device": ["cpu"]},
    "classes cannot be '-3'": {"classes": -3},
}


@pytest.fixture
def runs(tmp_path):
    """Three runs, the second of which is to be damaged."""
    folder = tmp_path / "models" / "runs"
    return [
        new_run(folder, State("running"), epoch(1, best=True), Outcome({}), State("finished")) for _ in range(3)
    ]


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_run_is_listed_with_the_reason_among_the_others(kanji_tui, runs, name):
    damage, reason = DAMAGES[name]
    good, bad, other = runs
    damage(bad)
    listed = kanji_tui("runs", "--json")
    assert listed.returncode == 0, listed.stderr
    found = {run["run"]: run for run in json.loads(listed.stdout)["runs"]}
    assert set(found) == {run.name for run in runs}
    assert reason in found[bad.name]["problem"]
    for run in (good, other):
        assert (found[run.name]["state"], found[run.name]["epoch"]) == ("finished", 1)
        assert "problem" not in found[run.name]
    assert f"{bad.name} is damaged: " in kanji_tui("runs").stdout


@pytest.mark.parametrize("reason", RESULTS)
def test_a_run_whose_result_is_damaged_is_listed_with_its_epochs(kanji_tui, runs, reason):
    bad = runs[1]
    bad.events.write_text(lines_of(epoch(1, best=True), Outcome(RESULTS[reason]), State("finished")))
    listed = {run["run"]: run for run in json.loads(kanji_tui("runs", "--json").stdout)["runs"]}
    assert set(listed) == {run.name for run in runs}
    assert reason in listed[bad.name]["problem"]
    assert (listed[bad.name]["epoch"], listed[bad.name]["validation"]["top1"]) == (1, 0.5)
    assert kanji_tui("runs", "--csv").returncode == 0


@pytest.mark.parametrize("name", DAMAGES)
def test_the_screens_show_a_damaged_run_with_the_reason(runs, name, tmp_path):
    damage, reason = DAMAGES[name]
    damage(runs[1])
    problems = []
    watch = Watch(problems.append, tmp_path / "models" / "runs")
    watch.list()
    views = {view.name: view for view in watch.poll(60)}
    assert set(views) == {run.name for run in runs}
    assert reason in views[runs[1].name].problem
    assert [views[run.name].problem for run in (runs[0], runs[2])] == ["", ""]
    assert not problems


@pytest.mark.parametrize("name", DAMAGES)
def test_attach_and_stop_end_with_a_sentence(kanji_tui, runs, name):
    DAMAGES[name][0](runs[1])
    for command in ("attach", "stop"):
        ended = kanji_tui(command, runs[1].name)
        assert ended.returncode in (0, 1)
        assert "Traceback" not in ended.stderr
        assert ended.stdout or "\nerror: " in f"\n{ended.stderr}"


def test_once_shows_damaged_runs_and_the_others(kanji_tui, runs):
    DAMAGES["pid -5"][0](runs[1])
    shown = kanji_tui("--once", "training")
    assert shown.returncode == 0, shown.stderr
    assert "damaged" in shown.stdout
    assert shown.stdout.count("finished") >= 2


def test_the_newest_epochs_are_found_from_the_end_of_a_long_file(kanji_tui, tmp_path, monkeypatch):
    """Of 3 MB of events the last tenth is read, in blocks that cut lines."""
    run = new_run(tmp_path / "models" / "runs", *(epoch(n, best=n == 90, top1=n / 100) for n in range(1, 96)))
    filling = lines_of(Notice("x" * 1000)) * 3000
    run.events.write_text(filling + run.events.read_text() + lines_of(Notice("end")))
    read = []
    whole = event_log.parse_event
    monkeypatch.setattr(event_log, "parse_event", lambda line, path: read.append(len(line)) or whole(line, path))
    monkeypatch.setattr(event_log, "BLOCK", 777)
    (found,) = json.loads(kanji_tui("runs", "--json").stdout)["runs"]
    assert (found["epoch"], found["validation"]["top1"]) == (95, 0.9)
    assert sum(read) < 10_000


def test_events_backwards_are_those_forwards(tmp_path, monkeypatch):
    monkeypatch.setattr(event_log, "BLOCK", 61)
    run = new_run(tmp_path, *(Notice(f"{number} {'字' * number}") for number in range(40)))
    with open(run.events, "a") as file:
        file.write('{"type": "warning", "message": "begun')
    assert list(newest_events(run.events, 10**6)) == read_events(run.events, limit=10**6)[0][::-1]
    assert len(list(newest_events(run.events, 500))) < 10


def test_attach_begins_near_the_end_and_finds_the_result(kanji_tui, tmp_path, monkeypatch):
    run = new_run(tmp_path / "models" / "runs")
    monkeypatch.setattr(event_log, "NEAR_END", 5000)
    text = lines_of(Notice("begin"), *[Notice("x" * 100)] * 1000, Notice("last"))
    run.events.write_text(text + lines_of(Outcome({"nothing": "x" * 9000}), State("finished")))
    ended = kanji_tui("attach", run.name)
    assert "begin" not in ended.stderr
    assert "the result of train" in ended.stderr  # the result is far from one of a training, and was found
    run.events.write_text(text + lines_of(State("finished")))
    assert "last" in kanji_tui("attach", run.name).stderr


def test_a_line_without_end_takes_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(event_log, "MOST_LINE", 10_000)
    run = new_run(tmp_path)
    run.events.write_bytes(b"x" * 50_000 + b"\n" + lines_of(Notice("after")).encode())
    offset, found, deadline = 0, [], time.monotonic() + 20
    while offset < run.events.stat().st_size:
        assert time.monotonic() < deadline
        events, offset = read_events(run.events, offset, 100)
        found += events
    assert found[-1][1] == Notice("after")
    assert all(event.type == "damaged" for _, event in found[:-1])


def test_the_screens_begin_near_the_end_of_a_long_log_and_know_the_epochs_before(runs, tmp_path, monkeypatch):
    """`--once` too: it reads through the same watch."""
    run, total = runs[1], 400
    events = [epoch(number, best=number == 300) for number in range(1, total + 1)]
    run.events.write_text(lines_of(State("running"), *events))
    (run.path / "training_progress.json").write_text(json.dumps(to_history(events)))
    monkeypatch.setattr(run_views, "MOST_BYTES", 20_000)
    read = []
    monkeypatch.setattr(
        run_views, "read_events", lambda *given, **named: read.append(read_events(*given, **named)) or read[-1]
    )
    tail = Tail(run)
    tail.poll()
    assert len(read[0][0]) < 100
    assert [one.epoch for one in tail.view.epochs] == list(range(1, total + 1))
    assert not tail.behind


def test_progress_that_a_later_one_replaces_is_not_read_and_not_missed(runs):
    run = runs[1]
    files = [Progress("file", done, 9, "records", f"ETL9G_0{name}") for done in range(9) for name in (1, 2)]
    steps = [Progress("training", done, 9, "samples", 'epoch "1"', 900.0, 60.0) for done in range(9)]
    scores = [Progress("validation", done, 9, "samples", "") for done in range(9)]
    words = Notice('"type": "progress", "phase": "training", "item": ""')
    for events in (
        [*files, words, *steps, *scores],
        [*scores, *steps, words],
        [*steps, *files, *scores],
    ):
        run.events.write_text(lines_of(State("running"), *events, epoch(1)))
        all_of_it, few = (read_events(run.events, all_progress=all_progress)[0] for all_progress in (True, False))
        assert len(few) < len(all_of_it) / 2
        assert [event for _, event in few if not isinstance(event, Progress)] == [
            event for _, event in all_of_it if not isinstance(event, Progress)
        ]
        tail = Tail(run)
        expected = tail._fold(all_of_it, True)
        assert Tail(run)._fold(few, True) == expected
