"""The search: seeded, interrupted and resumed. Its trials are real trainings in the process of the tests."""

import json
from pathlib import Path

import pytest

from kanji_tui.errors import KanjiError, Stopped, UsageError
from kanji_tui.events import Notice, Progress
from kanji_tui.jobs import search
from kanji_tui.jobs.search import SearchResult, Spec
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.runs import process, recorder
from kanji_tui.runs.process import run_in
from kanji_tui.runs.run_directory import RunDirectory, create
from kanji_tui.system.plain_data import from_plain, to_plain
from kanji_tui.training import trainer
from kanji_tui.training.config import configure
from kanji_tui.training.search_space import parse_ranges
from tests.conftest import Remembered

CONFIG = configure(network="v1", epochs=1, batch_size=16, sample_limit=48, seed=3)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[TrainSpec]:
    """The specs of all trainings started from now on, which run to their end in this process."""
    started: list[TrainSpec] = []

    def start(job: str, spec: TrainSpec, runs: Path) -> RunDirectory:
        run = create(job, f"kanji_tui.jobs.{job}:run", to_plain(spec), runs)
        started.append(spec)
        run_in(run)
        return run

    monkeypatch.setattr(process, "start", start)
    return started


def spec_of(home: Path, dataset: Path, over: str = "learning_rate,weight_decay=1e-5..1e-2", **changes) -> Spec:
    train = TrainSpec(dataset, home / "models", CONFIG, **changes)
    return Spec(train, parse_ranges(over, CONFIG), trials=4)


def begin(spec: Spec, home: Path) -> Remembered:
    """The report of a new search, with its run directory."""
    return Remembered(create("search", "kanji_tui.jobs.search:run", to_plain(spec), home / "models" / "runs").path)


def outcome(found: SearchResult) -> list[tuple]:
    return [(trial.values, trial.validation) for trial in found.trials]


def test_each_trial_is_a_run_and_the_best_is_published(
    sample_dataset: Path, tmp_path: Path, trainings: list[TrainSpec]
) -> None:
    spec = spec_of(tmp_path, sample_dataset)
    assert from_plain(Spec, to_plain(spec)) == spec
    report = begin(spec, tmp_path)
    found = search.run(spec, report)
    assert len(found.trials) == len(trainings) == 4
    first = found.trials[0]
    assert first.values == {"learning_rate": CONFIG.learning_rate, "weight_decay": CONFIG.weight_decay}
    assert len({json.dumps(trial.values) for trial in found.trials}) == 4
    for trial, training in zip(found.trials, trainings, strict=True):
        run = RunDirectory(tmp_path / "models" / "runs" / trial.run)
        assert run.state() == "finished"
        assert (run.path / "best_kanji_model.pth").is_file()
        assert training.config.learning_rate == trial.values["learning_rate"]
        assert 1e-5 <= trial.values["weight_decay"] <= 1e-2
    assert found.best.validation.top1 == max(trial.validation.top1 for trial in found.trials)
    assert json.loads((tmp_path / "models" / "published.json").read_text())["run"] == found.best.run
    assert report.of(Progress)[-1].done == 4


def test_an_interrupted_search_ends_with_the_same_result(
    sample_dataset: Path, tmp_path: Path, trainings: list[TrainSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(tmp_path / "whole", sample_dataset)
    whole = search.run(spec, begin(spec, tmp_path / "whole"))
    spec = spec_of(tmp_path / "cut", sample_dataset)
    report = begin(spec, tmp_path / "cut")
    trainings.clear()
    start, step = process.start, trainer.train_step

    def stop_in_the_third(job: str, spec: TrainSpec, runs: Path) -> RunDirectory:
        if len(trainings) < 2:
            return start(job, spec, runs)
        run = create(job, f"kanji_tui.jobs.{job}:run", to_plain(spec), runs)
        report.stop = True
        with monkeypatch.context() as patch:
            patch.setattr(trainer, "train_step", lambda *arguments: (step(*arguments), run.stop_file.touch()))
            patch.setattr(recorder, "STOP_POLL_SECONDS", 0)
            assert run_in(run) == 130
        return run

    monkeypatch.setattr(process, "start", stop_in_the_third)
    with pytest.raises(Stopped):
        search.run(spec, report)
    monkeypatch.setattr(process, "start", start)
    again = Spec(spec.train, spec.over, spec.trials, resume=report.directory)
    found = search.run(again, begin(again, tmp_path / "cut"))
    assert outcome(found) == outcome(whole)
    assert len(trainings) == 4
    assert [training.resume is not None for training in trainings] == [False, False, True, False]


def test_a_failed_trial_is_reported_and_the_search_goes_on(
    sample_dataset: Path, tmp_path: Path, trainings: list[TrainSpec]
) -> None:
    spec = spec_of(tmp_path, sample_dataset, over="learning_rate=1e30..1e32")
    report = begin(spec, tmp_path)
    with pytest.raises(KanjiError, match="none of 4 trials"):
        search.run(spec, report)
    messages = [event.message for event in report.of(Notice)]
    assert len(messages) == 4
    assert all("the loss is no longer a number" in message for message in messages)
    assert not (tmp_path / "models" / "published.json").exists()


def test_without_optuna_the_remedy_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "find_spec", lambda package: None)
    with pytest.raises(UsageError) as refused:
        search.check_search()
    assert refused.value.remedy == 'pip install "kanji-tui[search]"'
