"""Trainings: the list of runs, one run and its epochs, probes, cross-validation, searches, networks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from kanji_tui.data.defaults import SYNTHETIC, SYNTHETIC_SOURCE
from kanji_tui.epoch_metrics import METRICS
from kanji_tui.events import Epoch, Gpu
from kanji_tui.jobs.folds import CrossValidated, Scores
from kanji_tui.jobs.search import SearchResult, TrialResult
from kanji_tui.networks.results import Networks, NetworkSummary
from kanji_tui.presentation import marks
from kanji_tui.presentation.document import (
    Block,
    Column,
    Document,
    LazyRows,
    Line,
    Row,
    Styled,
    Table,
    join,
    quiet,
)
from kanji_tui.presentation.log_lines import texts, times
from kanji_tui.presentation.status import GAP, gpu_sentences, progress_sentence, state_of
from kanji_tui.system import numbers
from kanji_tui.training.results import Metrics, Probed, Profile, Trained
from kanji_tui.workspace.log_times import LogLine
from kanji_tui.workspace.run_views import RunView

EPOCHS_SHOWN, LOG_LINES = 10, 5
NO_DATASET = "no dataset yet: press 2, or n without one"

EPOCH_COLUMNS = (Column("ep", 4), *(Column(m.column, m.width, right=True) for m in METRICS))


# one run


def run_head(view: RunView | None, published: bool, ready: bool) -> Line:
    """Two lines: the run with its accuracy; its progress or how it ended. `ready`: there is a dataset."""
    if view is None:
        hint = "press n to train a network on the dataset" if ready else NO_DATASET
        return join("\n", [marks.next_step(hint), ""])
    return join("\n", [join(GAP, _identity(view)), _progress_or_end(view, published)])


def _identity(view: RunView) -> list[Line]:
    parts: list[Line] = [Styled(view.label, "strong"), state_of(view)]
    if view.active and view.progress:
        parts.append(quiet(view.progress.phase))
    if isinstance(view.result, Trained) and view.result.test is not None:
        test = view.result.test
        parts.append(Styled(f"test {numbers.accuracy(test.top1, test.samples, 1)}", "good strong"))
    if view.best:
        parts.append(f"best {numbers.percent(view.best.val_top1, 1)}")
    if view.source == SYNTHETIC_SOURCE:
        parts.append(Styled("synthetic samples", "warning"))
    if view.about.note:
        parts.append(quiet(" ".join(view.about.note.split())))
    return parts


def _progress_or_end(view: RunView, published: bool) -> Line:
    if view.failure:
        return join("\n", [Styled(view.failure.message, "bad"), quiet(view.failure.remedy)])
    if view.problem:
        return Styled(view.problem, "bad")
    if not view.active:
        return join(GAP, _end(view, published))
    progress = view.progress
    if progress is None:
        return quiet("starting: loading torch")
    parts: list[Line] = [Styled(progress.item or progress.phase, "primary")]
    if progress.rate is not None:
        parts.append(numbers.rate(progress.rate, progress.unit))
    if progress.remaining is not None:
        parts.append(f"{numbers.duration(progress.remaining)} left")
    return join(GAP, parts)


def _end(view: RunView, published: bool) -> list[Line]:
    resume = "press u to resume from its checkpoint" if view.resumable else "it has no checkpoint: n begins anew"
    if view.state == "lost":
        return [quiet(f"its process is gone: {resume}")]
    if view.state == "stopped":
        return [quiet(f"stopped: {resume}")]
    parts: list[Line] = [Styled("published", "accent")] if published else []
    parts.append(marks.next_step("e exports, 5 browses" if published else "P publishes, e exports"))
    if isinstance(view.result, Trained):
        parts.append(quiet(f"took {numbers.duration(view.result.seconds)} on {view.result.device}"))
        parts.append(quiet(numbers.rate(view.result.samples_per_second, "samples")))
    return parts


def without_gpu(view: RunView | None) -> str:
    """Why there is no GPU to show."""
    if view is None:
        return "no run selected"
    if isinstance(view.result, Trained):
        return f"N/A: the run trained on {view.result.device} and reported no GPU"
    return "N/A: the run has not reported a GPU (it does not on a CPU)"


# epochs


def epoch_table(epochs: Sequence[Epoch]) -> Table:
    """The epochs, newest first, the best one marked; a row's key is the epoch's number.

    The columns have the names of the original scripts: `acc` is the top-1 accuracy, here in percent.
    """
    best = next((epoch.epoch for epoch in reversed(epochs) if epoch.best), None)
    about = f"* best: {best}" if best else ""
    return Table(EPOCH_COLUMNS, LazyRows(epochs[::-1], partial(_epoch_row, best=best)), "epochs", about)


def _epoch_row(epoch: Epoch, best: int | None) -> Row:
    is_best = epoch.epoch == best
    cells = (f"{epoch.epoch}{'*' if is_best else ''}", *(metric.text(epoch) for metric in METRICS))
    return Row(str(epoch.epoch), tuple(Styled(cell, "good strong") for cell in cells) if is_best else cells)


def epoch_line(epoch: Epoch) -> str:
    """One line for an epoch, the best so far marked with a star."""
    brief = [metric for metric in METRICS if metric.brief]
    shown = "  ".join(f"{metric.name} {metric.text(epoch)}{' %' if metric.percent else ''}" for metric in brief)
    return f"epoch {epoch.epoch:3d}/{epoch.epochs}  {shown}{'  *' if epoch.best else ''}"


# results


def trained_document(result: Trained) -> Document:
    """The best epoch, the test result, the duration; with a profile, the time by phase."""
    lines: list[Block] = [
        f"run {result.run}: {result.network}, {numbers.count(result.parameters)} parameters, on {result.device}",
        f"  best epoch {result.best_epoch} of {result.epochs}: validation top-1 "
        f"{numbers.accuracy(result.validation.top1, result.validation.samples, 1)}",
    ]
    if result.test is not None:
        lines.append(f"  {_test_sentence(result.test)}")
    if result.source == SYNTHETIC_SOURCE:
        lines.append(f"  measured on samples that are {SYNTHETIC}")
    speed = numbers.rate(result.samples_per_second, "samples")
    lines.append(f"  {numbers.duration(result.seconds)}, {speed}")
    if result.license:
        lines.append(f"  licence of {result.license}")
    return (*lines, *(profile_document(result.profile) if result.profile else ()))


def _test_sentence(test: Metrics) -> str:
    top1, top5 = (numbers.accuracy(share, test.samples, 1) for share in (test.top1, test.top5))
    return f"test top-1 {top1}, top-5 {top5}"


def profile_document(profile: Profile) -> Document:
    """The time of the traced steps by phase."""
    on_gpu = any(phase.device_seconds is not None for phase in profile.phases)
    columns = [Column("phase"), Column("ms per step", right=True), Column("share", right=True)]
    if on_gpu:
        columns.append(Column("GPU ms per step", right=True))
    rows = []
    for phase in profile.phases:
        cells = [phase.phase, numbers.milliseconds(phase.seconds / profile.steps), numbers.percent(phase.share)]
        if on_gpu:
            device = phase.device_seconds
            cells.append("" if device is None else numbers.milliseconds(device / profile.steps))
        rows.append(Row(phase.phase, tuple(cells)))
    title = f"{profile.steps} steps of {profile.batch_size} samples, traced on {profile.device}"
    return (
        Table(tuple(columns), rows, title),
        "  trace: profile_trace.json in the run's directory; open it in ui.perfetto.dev",
    )


def probe_document(result: Probed) -> Document:
    """The estimated duration and memory of a training."""
    memory = numbers.size(result.memory_bytes)
    return (
        f"about {estimate(result)}",
        f"  {result.epochs} epochs, measured over {result.steps} steps; peak memory {memory}",
    )


def estimate(result: Probed) -> str:
    """The result of a probe in one line."""
    return (
        f"{numbers.duration(result.seconds)} in all, {numbers.duration(result.seconds_per_epoch)} per epoch, "
        f"{numbers.size(result.memory_bytes)}, {numbers.rate(result.samples_per_second, 'samples')} on "
        f"{result.device}"
    )


def folds_document(result: CrossValidated) -> Document:
    """Every fold, then mean and standard deviation; the mean with its interval."""
    columns = (
        Column("fold"),
        Column("run"),
        *(Column(title, right=True) for title in ("val top-1", "test top-1", "test top-5", "test balanced")),
    )
    rows = [
        Row(fold.fold, (fold.fold, fold.run, *_accuracies(fold.validation, fold.test))) for fold in result.folds
    ]
    for name, summary in (("mean", result.mean), ("std", result.std)):
        rows.append(Row(name, (name, "", *_accuracies(summary.validation, summary.test))))
    test = result.mean.test
    return Table(columns, rows), f"mean test top-1 {numbers.with_interval(test.top1, test.top1_interval)}"


def _accuracies(validation: Metrics | Scores, test: Metrics | Scores) -> tuple[str, ...]:
    return tuple(map(numbers.percent, (validation.top1, test.top1, test.top5, test.balanced)))


def search_document(result: SearchResult) -> Document:
    """Every trial with its values, the best one marked."""
    names = list(dict.fromkeys(name for trial in result.trials for name in trial.values))
    columns = (
        Column(""),
        Column("run"),
        *(Column(name.replace("_", " "), right=True) for name in names),
        Column("val top-1", right=True),
        Column("val loss", right=True),
    )
    table = Table(columns, [_trial_row(trial, names, trial.run == result.best.run) for trial in result.trials])
    failures = [f"{trial.run} failed: {trial.failure}" for trial in result.trials if trial.validation is None]
    found = result.best.validation
    top1 = f", validation top-1 {numbers.accuracy(found.top1, found.samples, 1)}" if found else ""
    return (table, *failures, f"best: {result.best.run}{top1}; its settings: config.yaml in its run directory")


def _trial_row(trial: TrialResult, names: list[str], best: bool) -> Row:
    found: tuple[Line, Line] = (Styled("failed", "bad"), "")
    if trial.validation is not None:
        found = numbers.percent(trial.validation.top1), numbers.loss(trial.validation.loss)
    values = (_setting(trial.values.get(name, "")) for name in names)
    return Row(trial.run, ("*" if best else "", trial.run, *values, *found))


def _setting(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def networks_document(result: Networks) -> Document:
    """Every network with its size."""
    columns = (
        Column("network"),
        *(Column(title, right=True) for title in ("parameters", "MACs", "size")),
        Column("description"),
    )
    sizes = dict.fromkeys(network.size for network in result.networks)
    about = f"MACs for an image of {' or '.join(f'{size}x{size}' for size in sizes)} pixels" if sizes else ""
    return (Table(columns, [_network_row(network) for network in result.networks], about=about),)


def _network_row(network: NetworkSummary) -> Row:
    cells = (numbers.count(network.parameters), numbers.count(network.macs), numbers.size(network.bytes))
    remedy = f"; {network.remedy}" if network.remedy else ""
    return Row(network.name, (network.name, *cells, network.description + remedy))


def training_screen(
    views: Sequence[RunView], gpus: Sequence[Gpu], log: Sequence[LogLine], published: str
) -> Document:
    """The Training screen as text; `log`: the log lines of `shown_run(views)`."""
    blocks: list[Block] = [*gpu_sentences(gpus), ""]
    if not views:
        return (*blocks, "There is no training yet. To do: kanji-tui train")
    blocks += [f"{len(views)} trainings, newest first:", _named_run_table(views, published), ""]
    view = shown_run(views)
    which = "The running one" if view.active else "The newest"
    blocks.append(f"{which}, {view.name}, is {state_of(view).text}. {progress_sentence(view)}".strip())
    if view.source == SYNTHETIC_SOURCE:
        blocks.append(f"Its samples are {SYNTHETIC}.")
    if view.failure:
        blocks.append(f"It failed: {view.failure.message}. To do: {view.failure.remedy}")
    if view.problem:
        blocks.append(f"Its files are damaged: {view.problem}.")
    if isinstance(view.result, Trained) and view.result.test is not None:
        sentence = _test_sentence(view.result.test)
        blocks.append(f"{sentence[0].upper()}{sentence[1:]}.")
    if view.epochs:
        table = epoch_table(view.epochs)
        shown = table.rows[:EPOCHS_SHOWN]
        blocks += [
            f"Its last {len(shown)} epochs of {len(view.epochs)}, * marks the best, accuracies in percent:",
            Table(table.columns, shown),
        ]
    if log:
        last = log[-LOG_LINES:]
        lines = zip(times(last), texts(last), strict=True)
        blocks += ["The last lines of its log:", *(f"  {time}{text}".rstrip() for time, text in lines)]
    return tuple(blocks)


def shown_run(views: Sequence[RunView]) -> RunView:
    """The run that is shown: the newest active one, else the newest."""
    return next((view for view in views if view.active), views[0])


def _named_run_table(views: Sequence[RunView], published: str) -> Table:
    """The list of runs with their full names, since plain text has no cursor to select one."""
    columns = (
        *(Column(title) for title in ("run", "name", "state")),
        *(Column(title, right=True) for title in ("epoch", "best val top-1")),
    )
    rows = []
    for view in views:
        epoch = f"{view.epochs[-1].epoch}/{view.epochs[-1].epochs}" if view.epochs else "-"
        best = numbers.accuracy(view.best.val_top1, view.best.val_samples) if view.best else "-"
        label = f"{view.label} published" if view.name == published else view.label
        rows.append(Row(view.name, (view.name, label, state_of(view), epoch, best)))
    return Table(columns, rows)


PRESENTERS: dict[type, Callable[[Any], Document]] = {
    Trained: trained_document,
    Probed: probe_document,
    CrossValidated: folds_document,
    SearchResult: search_document,
    Networks: networks_document,
}
