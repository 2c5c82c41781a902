"""A cross-validation that is stopped and goes on. That no fold is trained twice is in tests/test_docs.py."""

import pytest

from kanji_tui.errors import Stopped
from kanji_tui.events import Progress
from kanji_tui.jobs import folds
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.runs.run_directory import list_runs
from kanji_tui.runs.run_summary import summarise
from kanji_tui.system.intervals import wilson_interval
from kanji_tui.training.config import configure
from kanji_tui.training.results import Metrics
from tests.cli.test_runs import wait_until


def test_a_stop_stops_the_fold_at_work_which_goes_on_later(
    sample_dataset, tmp_path, report, monkeypatch, forked_jobs
):
    report.directory = tmp_path / "runs" / "20260101T000000-folds-1"
    report.directory.mkdir(parents=True)
    config = configure(network="v1", epochs=2000, patience=0, batch_size=32)
    spec = folds.Spec(2, TrainSpec(data_dir=sample_dataset, models_dir=tmp_path, config=config))
    training = lambda: list_runs(report.directory.parent)  # noqa: E731
    monkeypatch.setattr(
        type(report), "stop_requested", lambda self: any(summarise(run).epoch for run in training())
    )
    with pytest.raises(Stopped):
        folds.run(spec, report)
    (first,) = training()
    assert first.state() == "stopped"
    assert any(isinstance(event, Progress) and event.phase.startswith("fold 1/2,") for event in report.events)

    asked = iter([False, False])  # before the fold, and once as it runs
    monkeypatch.setattr(type(report), "stop_requested", lambda self: next(asked, True))
    with pytest.raises(Stopped):
        folds.run(spec, report)
    (second,) = (run for run in training() if run.name != first.name)
    wait_until(lambda: second.state() == "stopped")
    assert second.config().spec["resume"] == str(first.path)


@pytest.mark.parametrize("arguments", [("1",), ("3", "--fold", "1/3"), ("3", "--resume", "latest")])
def test_what_makes_no_sense_is_refused(kanji_tui, sample_dataset, arguments):
    process = kanji_tui("folds", *arguments, "--data-dir", sample_dataset)
    assert process.returncode == 2, process.stderr


def test_a_figure_is_averaged_over_the_folds():
    def metrics(top1: float) -> Metrics:
        return Metrics(samples=9, loss=1 - top1, top1=top1, top3=1.0, top5=1.0, balanced=top1)

    made = tuple(folds.Fold(f"{n}/3", f"run{n}", metrics(n / 10), metrics(n / 5)) for n in (1, 2, 3))
    found = folds.summarise(made)
    assert (found.mean.validation.top1, found.mean.test.top1) == (pytest.approx(0.2), pytest.approx(0.4))
    assert (found.std.validation.top1, found.std.test.top1) == (pytest.approx(0.1), pytest.approx(0.2))
    assert (found.mean.test.samples, found.mean.test.top1_interval) == (27, wilson_interval(0.4, 27))
    assert found.std.test.top1_interval is None
    assert (found.mean.validation.loss, found.std.validation.top3) == (pytest.approx(0.8), 0.0)
