"""The job `train`: trains a network on a dataset and keeps its artifacts in the run directory."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from kanji_tui.events import Notice, Report
from kanji_tui.paths import DATA_DIR, MODELS_DIR
from kanji_tui.system.plain_data import to_plain
from kanji_tui.training.config import TrainConfig, configure
from kanji_tui.training.results import Trained


@dataclass(frozen=True)
class Spec:
    """`init`: the model whose weights to begin from, a file or `built-in`.

    `resume`: the directory of the run to resume, with its own config; `config` and `init` count then only where
    that run ended before its first checkpoint.
    `track`: see runs/trackers.py. `profile`: write the table and the trace of training/profile.py. `publish`: make
    the model the one in `models_dir` at the end, unless the user pinned another.
    """

    data_dir: Path = DATA_DIR
    models_dir: Path = MODELS_DIR
    config: TrainConfig = field(default_factory=configure)
    init: Path | None = None
    resume: Path | None = None
    track: tuple[str, ...] = ()
    profile: bool = False
    publish: bool = True


def run(spec: Spec, report: Report) -> Trained | None:
    """Train with trackers and energy metering; returns None except on rank 0."""
    from kanji_tui.networks.devices import unused_gpu
    from kanji_tui.runs.environment import write_environment
    from kanji_tui.runs.publish import publish_finished
    from kanji_tui.runs.resuming import run_with_checkpoint
    from kanji_tui.runs.trackers import tracking
    from kanji_tui.training.distributed import current
    from kanji_tui.training.energy import metering
    from kanji_tui.training.profile import following, read_profile
    from kanji_tui.training.trainer import train

    directory = report.directory
    assert directory is not None, "a training always has a run directory"
    wanted = spec.resume
    resume = current().on_rank0(lambda: run_with_checkpoint(wanted)) if wanted else None
    if wanted and not resume:
        report(Notice(f"{wanted.name} ended before its first checkpoint; this run begins anew with its settings"))
    with ExitStack() as contexts:
        if current().is_rank0:
            if unused := unused_gpu():
                report(Notice(unused))
            write_environment(directory)
            report = contexts.enter_context(tracking(spec.track, to_plain(spec.config), report))
            report = contexts.enter_context(metering(report))
            contexts.enter_context(following(directory if spec.profile else None))
        trained = train(spec.data_dir, spec.config, directory, resume, report, spec.init)
    if not current().is_rank0:
        return None
    if spec.publish:
        publish_finished(directory, spec.models_dir, report)
    return replace(trained, profile=read_profile(directory))
