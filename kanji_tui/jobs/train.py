"""The job `train`: a network learns a dataset. Its run directory keeps what comes of it."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.paths import DATA_DIR, MODELS_DIR
from kanji_tui.system.plain_data import to_plain
from kanji_tui.training.config import TrainConfig, configure
from kanji_tui.training.results import Trained


@dataclass(frozen=True)
class Spec:
    """`resume`: the run directory to go on from, with its own config; then `config` is not looked at.

    `track`: see runs/trackers.py. `profile`: leave training/profile.py's table and trace. `publish`: make the model
    the one in `models_dir` in the end, unless the user pinned another.
    """

    data_dir: Path = DATA_DIR
    models_dir: Path = MODELS_DIR
    config: TrainConfig = field(default_factory=configure)
    resume: Path | None = None
    track: tuple[str, ...] = ()
    profile: bool = False
    publish: bool = True


def run(spec: Spec, report: Report) -> Trained | None:
    """Train, and account for it; None in all of several processes but rank 0."""
    from kanji_tui.runs.publish import publish_finished
    from kanji_tui.runs.trackers import tracking
    from kanji_tui.training.distributed import current
    from kanji_tui.training.energy import metering
    from kanji_tui.training.profile import following, read_profile
    from kanji_tui.training.trainer import train

    directory = report.directory
    assert directory is not None, "a training always has a run directory"
    with ExitStack() as accounts:
        if current().is_rank0:
            report = accounts.enter_context(tracking(spec.track, to_plain(spec.config), report))
            report = accounts.enter_context(metering(report))
            accounts.enter_context(following(directory if spec.profile else None))
        trained = train(spec.data_dir, spec.config, directory, spec.resume, report)
    if not current().is_rank0:
        return None
    if spec.publish:
        publish_finished(directory, spec.models_dir, report)
    return replace(trained, profile=read_profile(directory))
