"""The commands emissions and search, as processes."""

import json

import pytest

from kanji_tui.runs.run_directory import list_runs

SMALL = ("--network", "v1", "--epochs", 1, "--batch-size", 16, "--sample-limit", 96)


def test_a_tracked_and_profiled_training_and_its_account(kanji_tui, sample_dataset, tmp_path):
    trained = kanji_tui(
        *("train", *SMALL, "--data-dir", sample_dataset, "--json", "--profile"),
        *("--track", "tensorboard", "--track", "wandb"),
        WANDB_MODE="offline",
    )
    assert trained.returncode == 0, trained.stderr
    result = json.loads(trained.stdout)
    assert {row["phase"] for row in result["profile"]["phases"]} >= {"data", "forward", "backward", "host wait"}
    run = tmp_path / "models" / "runs" / result["run"]
    assert list((run / "tensorboard").glob("events.out.tfevents.*"))
    assert list((run / "wandb").glob("offline-run-*/*.wandb"))
    assert (run / "profile_trace.json").is_file()
    account = kanji_tui("emissions", "latest", "--carbon-intensity", 100, "--json")
    assert account.returncode == 0, account.stderr
    found = json.loads(account.stdout)
    assert found["run"] == result["run"]
    assert {"kwh", "kg_co2", "measured_by"} <= set(found)
    if found["kwh"] is None:
        assert found["reason"]
        assert "not measured" in kanji_tui("emissions", "latest").stdout
    else:
        assert found["kg_co2"] == pytest.approx(found["kwh"] / 10)


def test_a_search_runs_trials_that_are_runs(kanji_tui, sample_dataset, tmp_path):
    search = ("search", *SMALL, "--data-dir", sample_dataset, "--over", "learning_rate=1e-4..1e-2", "--json")
    begun = kanji_tui(*search, "--trials", 1)
    assert begun.returncode == 0, begun.stderr
    first = json.loads(begun.stdout)
    more = kanji_tui("search", "--resume", first["run"], "--trials", 2)
    assert more.returncode == 0, more.stderr
    assert "best: " in more.stdout
    jobs = sorted(run.config().job for run in list_runs(tmp_path / "models" / "runs"))
    assert jobs == ["search", "search", "train", "train"]
    assert {run.state() for run in list_runs(tmp_path / "models" / "runs")} == {"finished"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("emissions", "nothing"), "there is no run 'nothing'"),
        (("emissions", "x", "--carbon-intensity", "-3"), "not a carbon intensity"),
        (("emissions", "x", "--region", "Atlantis"), "no carbon intensity is known for 'Atlantis'"),
        (("search", "--trials", "3"), "--over learning_rate"),
        (("search", "--over", "epochs"), "'epochs' cannot be searched over"),
        (("search", "--over", "learning_rate", "--trials", "0"), "1 or more"),
        (("search", "--resume", "nothing"), "there is no run 'nothing'"),
        (("train", "--track", "mlflow"), "there is no tracker 'mlflow'"),
        (("train", "--track", "codecarbon"), "--track codecarbon:JPN"),
    ],
)
def test_what_makes_no_sense_ends_before_anything_starts(kanji_tui, tmp_path, arguments, message):
    process = kanji_tui(*arguments)
    assert process.returncode == 2
    assert message in process.stderr
    assert not (tmp_path / "models").exists()
