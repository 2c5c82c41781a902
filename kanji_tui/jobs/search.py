"""The job `search`: a hyperparameter search, in which each trial is a training run.

Optuna's TPE sampler proposes values; trials are compared by the validation of their best epoch, by the config's
`best_by`. The first trial uses the recipe unchanged. `search.journal` in the run directory is Optuna's storage: a
search that was stopped or has crashed resumes from it, and its interrupted trial from the checkpoint.
"""

import shutil
import time
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.paths import CHECKPOINT
from kanji_tui.runs import process
from kanji_tui.runs.following import POLL_SECONDS, follow
from kanji_tui.runs.publish import publish_finished
from kanji_tui.runs.run_directory import ACTIVE, RunDirectory
from kanji_tui.system.plain_data import from_plain, to_plain
from kanji_tui.training.config import with_implied
from kanji_tui.training.results import Metrics, Trained
from kanji_tui.training.search_space import Range

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

JOURNAL = "search.journal"
# user attributes of a trial in the journal
RUN, RESUMED_FROM, VALIDATION, FAILURE = "run", "goes on from", "validation", "failure"


@dataclass(frozen=True)
class Spec:
    """`trials`: the total, including those of the resumed search; `resume`: the directory of that search."""

    train: TrainSpec = field(default_factory=TrainSpec)
    over: tuple[Range, ...] = ()
    trials: int = 20
    resume: Path | None = None


@dataclass(frozen=True)
class TrialResult:
    """One trial. `validation`: the metrics of its best epoch; None where it failed, and `failure` says why."""

    run: str
    values: dict[str, Any]
    validation: Metrics | None
    failure: str


@dataclass(frozen=True)
class SearchResult:
    """All trials in order; `best` has the highest validation metric."""

    run: str
    trials: tuple[TrialResult, ...]
    best: TrialResult


def check_search() -> None:
    """UsageError where Optuna is not installed."""
    if find_spec("optuna") is None:
        raise UsageError(
            "a search needs the package optuna, and it is not installed", 'pip install "kanji-tui[search]"'
        )


def run(spec: Spec, report: Report) -> SearchResult:
    """Run `spec.trials` trials, and publish the best model unless the user pinned another.

    Raises Stopped when the user asks to stop, KanjiError when every trial failed.
    """
    check_search()
    assert report.directory is not None, "a search always has a run directory"
    runs = report.directory.parent
    if spec.resume is not None and (spec.resume / JOURNAL).is_file():
        shutil.copyfile(spec.resume / JOURNAL, report.directory / JOURNAL)
    study = _open(report.directory / JOURNAL)
    _requeue_interrupted(study, runs)
    if not study.trials:
        recipe = {r.name: getattr(spec.train.config, r.name) for r in spec.over}
        study.enqueue_trial({r.name: recipe[r.name] for r in spec.over if r.holds(recipe[r.name])})
    while len(_ended_trials(study)) < spec.trials:
        report(Progress("search", len(_ended_trials(study)), spec.trials, "trials"))
        raise_if_stopped(report)
        _run_trial(study, spec, runs, report)
    report(Progress("search", spec.trials, spec.trials, "trials"))
    trials = tuple(map(_result, _ended_trials(study)))
    metric = _metric(spec)
    best = max(trials, key=lambda trial: getattr(trial.validation, metric) if trial.validation else -1.0)
    if best.validation is None:
        raise KanjiError(f"none of {len(trials)} trials succeeded: {best.failure}")
    publish_finished(runs / best.run, spec.train.models_dir, report)
    return SearchResult(report.directory.name, trials, best)


def _open(journal: Path) -> "Study":
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(JournalFileBackend(str(journal)))
    return optuna.create_study(storage=storage, study_name="search", direction="maximize", load_if_exists=True)


def _requeue_interrupted(study: "Study", runs: Path) -> None:
    """Queue the interrupted trial of an earlier search again, to resume from the checkpoint of its run."""
    from optuna.trial import TrialState

    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        if RUN in trial.user_attrs:
            interrupted = RunDirectory(runs / trial.user_attrs[RUN])
            while interrupted.request_stop() in ACTIVE:  # only the search crashed, its training still runs
                time.sleep(POLL_SECONDS)
            study.enqueue_trial(trial.params, user_attrs={RESUMED_FROM: interrupted.name})


def _ended_trials(study: "Study") -> list["FrozenTrial"]:
    """The trials that finished or failed, without those that were interrupted and resumed."""
    resumed = {trial.user_attrs.get(RESUMED_FROM) for trial in study.trials}
    ended = (trial for trial in study.trials if trial.state.is_finished() and RUN in trial.user_attrs)
    return [trial for trial in ended if trial.user_attrs[RUN] not in resumed]


def _run_trial(study: "Study", spec: Spec, runs: Path, report: Report) -> None:
    """Ask for values, train with them, and record the result."""
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    number = len(_ended_trials(study))
    # A new sampler per trial: the proposal depends on the trials before it, not on where a search was interrupted.
    study.sampler = TPESampler(seed=spec.train.config.seed * 1_000_003 + number)
    trial = study.ask()
    config = replace(spec.train.config, **with_implied({r.name: _suggest(trial, r) for r in spec.over}))
    earlier = runs / trial.user_attrs.get(RESUMED_FROM, "")
    resume = earlier if (earlier / CHECKPOINT).is_file() else None
    training = process.start("train", replace(spec.train, config=config, resume=resume, publish=False), runs)
    trial.set_user_attr(RUN, training.name)
    report(Progress("search", number, spec.trials, "trials", training.name))
    validation, failure = _follow(training, report)
    trial.set_user_attr(VALIDATION, to_plain(validation))
    trial.set_user_attr(FAILURE, failure)
    if validation is None:
        study.tell(trial, state=TrialState.FAIL)
        report(Notice(f"trial {number + 1}, run {training.name}, failed: {failure}"))
    else:
        study.tell(trial, getattr(validation, _metric(spec)))


def _metric(spec: Spec) -> str:
    """The validation metric by which trials are compared: the one that selects the best epoch of a run."""
    return spec.train.config.best_by


def _suggest(trial: "Trial", over: Range) -> Any:
    if over.choices:
        return trial.suggest_categorical(over.name, over.choices)
    if over.whole:
        return trial.suggest_int(over.name, int(over.low), int(over.high), log=over.log)
    return trial.suggest_float(over.name, over.low, over.high, log=over.log)


def _follow(training: RunDirectory, report: Report) -> tuple[Metrics | None, str]:
    """The validation of the run's best epoch and "", or None and the failure; waits until the run has ended.

    Raises Stopped when the user asks to stop, which also stops the run.
    """
    end = follow(training, lambda event: None, report.stop_requested)
    raise_if_stopped(report)
    if isinstance(end.result, Trained):
        return end.result.validation, ""
    return None, end.failure.message if end.failure else f"its run is {end.state}; see {training.log}"


def _result(trial: "FrozenTrial") -> TrialResult:
    recorded = trial.user_attrs
    validation = recorded.get(VALIDATION)
    metrics = from_plain(Metrics, validation, f"trial {trial.number}", strict=False) if validation else None
    return TrialResult(recorded[RUN], dict(trial.params), metrics, recorded.get(FAILURE, ""))
