"""The job `search`: other numbers for a recipe, tried one after the other, each trial an ordinary run.

Optuna's TPE sampler proposes; the best epoch's validation decides, by the config's `best_by`. The first trial is
the recipe as it is.
`search.journal` in the run directory is Optuna's own storage: a search that was stopped, or lost, goes on from it,
and the trial it was cut off in from its checkpoint.
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
from kanji_tui.training.results import Metrics, Trained
from kanji_tui.training.search_space import Range

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

JOURNAL = "search.journal"
RUN, GOES_ON, VALIDATION, FAILURE = "run", "goes on from", "validation", "failure"  # what is noted of a trial


@dataclass(frozen=True)
class Spec:
    """`trials` in all, those of the search it goes on with included; `resume`: that one's directory."""

    train: TrainSpec = field(default_factory=TrainSpec)
    over: tuple[Range, ...] = ()
    trials: int = 20
    resume: Path | None = None


@dataclass(frozen=True)
class Tried:
    """One trial. `validation` holds the best epoch's metrics; None where it failed, and `failure` says why."""

    run: str
    values: dict[str, Any]
    validation: Metrics | None
    failure: str


@dataclass(frozen=True)
class Searched:
    """All trials in their order; `best` has the highest validation."""

    run: str
    trials: tuple[Tried, ...]
    best: Tried


def check_search() -> None:
    """UsageError where Optuna is not installed."""
    if find_spec("optuna") is None:
        raise UsageError(
            "a search needs the package optuna, and it is not installed", 'pip install "kanji-tui[search]"'
        )


def run(spec: Spec, report: Report) -> Searched:
    """Try `spec.trials` settings, and publish the best one's model unless the user pinned another.

    Raises Stopped when the user asks to stop, KanjiError when every trial failed.
    """
    check_search()
    assert report.directory is not None, "a search always has a run directory"
    runs = report.directory.parent
    if spec.resume is not None and (spec.resume / JOURNAL).is_file():
        shutil.copyfile(spec.resume / JOURNAL, report.directory / JOURNAL)
    study = _open(report.directory / JOURNAL)
    _take_up(study, runs)
    if not study.trials:
        recipe = {r.name: getattr(spec.train.config, r.name) for r in spec.over}
        study.enqueue_trial({r.name: recipe[r.name] for r in spec.over if r.holds(recipe[r.name])})
    while len(_tried(study)) < spec.trials:
        report(Progress("search", len(_tried(study)), spec.trials, "trials"))
        raise_if_stopped(report)
        _try(study, spec, runs, report)
    report(Progress("search", spec.trials, spec.trials, "trials"))
    tried = tuple(map(_result, _tried(study)))
    by = _judged_by(spec)
    best = max(tried, key=lambda one: getattr(one.validation, by) if one.validation else -1.0)
    if best.validation is None:
        raise KanjiError(f"none of {len(tried)} trials came to its end: {best.failure}")
    publish_finished(runs / best.run, spec.train.models_dir, report)
    return Searched(report.directory.name, tried, best)


def _open(journal: Path) -> "Study":
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(JournalFileBackend(str(journal)))
    return optuna.create_study(storage=storage, study_name="search", direction="maximize", load_if_exists=True)


def _take_up(study: "Study", runs: Path) -> None:
    """Put the trial that an earlier search was cut off in back to be tried, from its run's checkpoint."""
    from optuna.trial import TrialState

    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        if RUN in trial.user_attrs:
            cut_off = RunDirectory(runs / trial.user_attrs[RUN])
            while cut_off.request_stop() in ACTIVE:  # only the search was lost
                time.sleep(POLL_SECONDS)
            study.enqueue_trial(trial.params, user_attrs={GOES_ON: cut_off.name})


def _tried(study: "Study") -> list["FrozenTrial"]:
    """The trials that came to an end of their own."""
    gone_on = {trial.user_attrs.get(GOES_ON) for trial in study.trials}
    ended = (trial for trial in study.trials if trial.state.is_finished() and RUN in trial.user_attrs)
    return [trial for trial in ended if trial.user_attrs[RUN] not in gone_on]


def _try(study: "Study", spec: Spec, runs: Path, report: Report) -> None:
    """One trial: ask for values, train with them, tell what came of it."""
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    number = len(_tried(study))
    # A sampler of its own: what is proposed depends on the trials before it, not on where a search was cut off.
    study.sampler = TPESampler(seed=spec.train.config.seed * 1_000_003 + number)
    trial = study.ask()
    config = replace(spec.train.config, **{r.name: _suggest(trial, r) for r in spec.over})
    earlier = runs / trial.user_attrs.get(GOES_ON, "")
    resume = earlier if (earlier / CHECKPOINT).is_file() else None
    training = process.start("train", replace(spec.train, config=config, resume=resume, publish=False), runs)
    trial.set_user_attr(RUN, training.name)
    report(Progress("search", number, spec.trials, "trials", training.name))
    validation, failure = _follow(training, report)
    trial.set_user_attr(VALIDATION, to_plain(validation))
    trial.set_user_attr(FAILURE, failure)
    if validation is None:
        study.tell(trial, state=TrialState.FAIL)
        report(Notice(f"trial {number + 1}, run {training.name}, counts as failed: {failure}"))
    else:
        study.tell(trial, getattr(validation, _judged_by(spec)))


def _judged_by(spec: Spec) -> str:
    """The validation figure that decides: the one that says which epoch of a run is the best."""
    return spec.train.config.best_by


def _suggest(trial: "Trial", over: Range) -> Any:
    if over.choices:
        return trial.suggest_categorical(over.name, over.choices)
    if over.whole:
        return trial.suggest_int(over.name, int(over.low), int(over.high), log=over.log)
    return trial.suggest_float(over.name, over.low, over.high, log=over.log)


def _follow(training: RunDirectory, report: Report) -> tuple[Metrics | None, str]:
    """Wait for a run's end: the best epoch's validation and "", or None and why. Stopped, and the run with it."""
    end = follow(training, lambda event: None, report.stop_requested)
    raise_if_stopped(report)
    if isinstance(end.result, Trained):
        return end.result.validation, ""
    return None, end.failure.message if end.failure else f"its run is {end.state}; see {training.log}"


def _result(trial: "FrozenTrial") -> Tried:
    noted = trial.user_attrs
    validation = noted.get(VALIDATION)
    metrics = from_plain(Metrics, validation, f"trial {trial.number}", strict=False) if validation else None
    return Tried(noted[RUN], dict(trial.params), metrics, noted.get(FAILURE, ""))
