"""The command line that is copied starts the very same training."""

import shlex
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kanji_tui.cli.commands.training import train_spec
from kanji_tui.cli.parser import parser
from kanji_tui.jobs.train import Spec
from kanji_tui.networks.registry import NETWORKS
from kanji_tui.runs.about import About
from kanji_tui.training.config import TrainConfig, configure
from kanji_tui.workspace.command_line import train_command

configs = st.builds(
    configure,
    network=st.sampled_from(sorted(NETWORKS)),
    recipe=st.none() | st.sampled_from(["quick", "original"]),
    epochs=st.none() | st.integers(1, 500),
    batch_size=st.none() | st.integers(2, 4096),
    learning_rate=st.none() | st.floats(1e-9, 10),
    seed=st.integers(0, 2**40),
    split_shares=st.sampled_from([(70.0, 15.0, 15.0), (85.0, 15.0, 0.0), (0.7, 0.2, 0.1)]),
    fold=st.none() | st.just("2/5"),
    sample_limit=st.none() | st.integers(2, 10**7),
    noise=st.none() | st.floats(0, 1),
    betas=st.none() | st.just((0.8, 0.95)),
    decay_everything=st.none() | st.booleans(),
    detect_anomaly=st.booleans(),
    optimiser=st.none() | st.sampled_from(["adamw", "sgd"]),
)


@settings(deadline=None)
@given(configs, st.sampled_from(["dataset", "another set"]))
def test_what_is_copied_can_be_typed(config: TrainConfig, data_dir: str) -> None:
    spec = Spec(data_dir=Path(data_dir), config=config)
    about = About("wide", 'label smoothing 0.2, it\'s "new"')
    program, *arguments = shlex.split(train_command(spec, about))
    assert program == "kanji-tui"
    typed = train_spec(parser().parse_args(arguments))
    assert (typed.data_dir, typed.config) == (spec.data_dir, config)


def test_the_usual_training_is_a_short_line() -> None:
    assert train_command(Spec()) == "kanji-tui train --network kanjinet"
    assert train_command(Spec(resume=Path("models/runs/x-train-1"))) == "kanji-tui train --resume x-train-1"
