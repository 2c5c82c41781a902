"""The list of runs on the command line: named, filtered, sorted, in chosen columns, as CSV and as JSON."""

import csv
import io
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from kanji_tui.runs.about import read_about
from kanji_tui.runs.run_directory import find_run, status_of_this_process
from tests.tui.recorded import LIVE, RUN, epochs, train_spec, write_run, write_training

RESUMED = "20260103T000000-train-1"
DATASET, WRITERS = "20260104T000000-train-1", "20260105T000000-train-1"


@pytest.fixture
def runs(tmp_path):
    """A finished training and one that went on with another, which is gone."""
    write_training(tmp_path)
    spec = train_spec() | {"resume": f"models/runs/{LIVE}"}
    spec["config"]["learning_rate"] = 0.5
    write_run(tmp_path, RESUMED, spec, "stopped", epochs(3))
    return tmp_path / "models" / "runs"


def rows(printed: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(printed)))


def test_runs_are_named_filtered_and_sorted(kanji_tui, runs):
    said = kanji_tui("describe", RUN, "--name", "wide", "--note", "label smoothing 0.2", "--json")
    assert json.loads(said.stdout) == {"run": RUN, "name": "wide", "note": "label smoothing 0.2"}
    assert kanji_tui("describe", RUN, "--note", "label smoothing").returncode == 0  # the name stays
    listed = json.loads(kanji_tui("runs", "--json").stdout)["runs"]
    assert [(run["run"], run["name"], run["note"], run["continues"]) for run in listed] == [
        (RESUMED, "", "", LIVE),
        (RUN, "wide", "label smoothing", None),
    ]
    assert [row["run"] for row in rows(kanji_tui("runs", "--csv", "--sort", "lr").stdout)] == [RUN, RESUMED]
    found = rows(kanji_tui("runs", "note:smoothing", "lr<0.1", "--csv", "--columns", "name,best,lr").stdout)
    assert [list(row) for row in found] == [["run", "name", "val_top1", "learning_rate"]]
    assert float(found[0]["val_top1"]) == epochs(11)[-1].val_top1
    for order in (("--sort=-best",), ("--sort", "-best")):
        table = kanji_tui("runs", "--columns", "best lr", *order).stdout
        assert [line.split()[0] for line in table.splitlines()[-2:]] == [RUN, RESUMED]
    assert "98.96 %" in table
    assert "wide" in kanji_tui("runs").stdout


def test_the_published_run_is_marked(kanji_tui, runs):
    assert not any(run["published"] for run in json.loads(kanji_tui("runs", "--json").stdout)["runs"])
    (runs.parent / "published.json").write_text(json.dumps({"run": RUN, "pinned": True}))
    listed = json.loads(kanji_tui("runs", "--json").stdout)["runs"]
    assert [run["run"] for run in listed if run["published"]] == [RUN]
    assert [line.split()[0] for line in kanji_tui("runs").stdout.splitlines() if "published" in line] == [RUN]


def test_deleting_the_published_run_says_what_stays(kanji_tui, runs):
    (runs.parent / "published.json").write_text(json.dumps({"run": RUN, "pinned": True}))
    said = json.loads(kanji_tui("delete", RUN, "--json").stdout)
    assert "The copy of its model in models/ stays" in said["note"]
    assert "only publish --undo (U) brings this model back" in said["note"]
    assert "note" not in json.loads(kanji_tui("delete", RESUMED, "--json").stdout)


def write_synthetic(home, name: str, state: str = "finished", **config) -> Path:
    """A training whose best model is said to have learned from no handwriting, which reported no result."""
    spec = train_spec()
    spec["config"] |= config
    run = write_run(home, name, spec, state, epochs(3))
    if not config:
        (run.path / "best_model_info.json").write_text(json.dumps({"source": "drawn sample"}))
    return run.path


def test_the_list_says_which_runs_learned_from_no_handwriting(kanji_tui, runs, tmp_path):
    write_synthetic(tmp_path, DATASET, "stopped")
    write_synthetic(tmp_path, WRITERS, synthetic=8)
    assert {run["run"]: run["source"] for run in json.loads(kanji_tui("runs", "--json").stdout)["runs"]} == {
        WRITERS: "drawn sample",
        DATASET: "drawn sample",
        RESUMED: "",
        RUN: "ETL9G record files",
    }
    assert {row["run"]: row["source"] for row in rows(kanji_tui("runs", "--csv").stdout)} == {
        WRITERS: "synthetic",
        DATASET: "synthetic",
        RESUMED: "",
        RUN: "ETL9G record files",
    }
    for words in (("source:synthetic",), ("synthetic",)):
        found = rows(kanji_tui("runs", *words, "--csv", "--columns", "source").stdout)
        assert [(row["run"], row["source"]) for row in found] == [(WRITERS, "synthetic"), (DATASET, "synthetic")]
    marked = [line.split()[0] for line in kanji_tui("runs").stdout.splitlines() if "synthetic" in line]
    assert marked == [WRITERS, DATASET]
    assert "ETL9G" not in kanji_tui("runs", f"run={RUN}").stdout  # nothing to tell apart: no column


@pytest.mark.parametrize(
    "wrong", [("runs", "lrr>1"), ("runs", "--sort", "speed"), ("runs", "--csv", "--json"), ("describe", RUN)]
)
def test_what_cannot_be_listed_is_wrong_usage(kanji_tui, runs, wrong):
    assert kanji_tui(*wrong).returncode == 2


def test_a_run_begins_with_its_name_and_hands_it_on(kanji_tui, tmp_path, sample_dataset, monkeypatch):
    begins = lambda *arguments, **how: SimpleNamespace(pid=os.getpid(), stdin=io.BytesIO())  # noqa: E731
    monkeypatch.setattr("kanji_tui.runs.process.subprocess", SimpleNamespace(Popen=begins, PIPE=None))
    train = ("train", "--detach", "--json", "--data-dir", sample_dataset)
    begun = json.loads(kanji_tui(*train, "--name", "wide", "--note", "first").stdout)["run"]
    run = find_run(begun, tmp_path / "models" / "runs")
    assert (read_about(run.path).name, read_about(run.path).note) == ("wide", "first")
    run.write_status(status_of_this_process("train", "stopped"))
    resumed = json.loads(kanji_tui("train", "--resume", begun, "--note", "again", "--detach", "--json").stdout)[
        "run"
    ]
    about = read_about(tmp_path / "models" / "runs" / resumed)
    assert (about.name, about.note) == ("wide", "again")
    assert kanji_tui(*train, "--name", "two\nlines").returncode == 2
    assert not (tmp_path / "models" / "runs" / begun / "about.json").read_text().count("again")
