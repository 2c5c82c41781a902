"""The profile of a training: its table, its trace, and that it changes nothing."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from kanji_tui.errors import Stopped
from kanji_tui.training import profile
from kanji_tui.training.config import configure
from kanji_tui.training.profile import PHASES, STEPS, following, phase, read_profile, watch
from tests.training.running import run, same, weights_of

CONFIG = configure(network="v1", epochs=1, batch_size=8, sample_limit=96)


def profiled(dataset: Path, directory: Path, **options) -> None:
    with following(directory):
        run(dataset, directory, CONFIG, **options)


@pytest.fixture(scope="module")
def directory(sample_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of 8 steps that was profiled."""
    folder = tmp_path_factory.mktemp("profiled")
    profiled(sample_dataset, folder)
    return folder


def test_the_table_says_where_the_time_went(directory: Path) -> None:
    found = read_profile(directory)
    assert found is not None
    assert (found.batch_size, found.steps) == (8, 4)
    seconds = {row.phase: row.seconds for row in found.phases}
    assert list(seconds) == [*PHASES, "host wait", "other"]
    assert sum(seconds.values()) == pytest.approx(found.seconds)
    assert sum(row.share for row in found.phases) == pytest.approx(1)
    assert all(seconds[name] > 0 for name in PHASES)
    assert seconds["forward"] + seconds["backward"] + seconds["optimiser"] > found.seconds / 2
    if not torch.cuda.is_available():
        assert seconds["host wait"] == 0
        assert {row.device_seconds for row in found.phases} == {None}


def test_the_trace_is_chrome_s_with_the_phases_in_it(directory: Path) -> None:
    events = json.loads((directory / "profile_trace.json").read_text())["traceEvents"]
    spans = {name: [e for e in events if e.get("name") == name and e.get("ph") == "X"] for name in PHASES}
    assert {len(found) for found in spans.values()} == {4}
    forward = spans["forward"][0]
    within = [e["name"] for e in events if 0 <= e.get("ts", -1) - forward["ts"] <= forward["dur"]]
    assert "aten::conv2d" in within
    assert "aten::grid_sampler" not in within


def test_it_changes_nothing_and_is_off_unless_asked_for(
    directory: Path, sample_dataset: Path, tmp_path: Path
) -> None:
    run(sample_dataset, tmp_path, CONFIG)
    assert same(weights_of(directory), weights_of(tmp_path))
    assert read_profile(tmp_path) is None
    assert isinstance(phase("forward"), nullcontext)
    batches = iter([])
    assert watch(batches, 3) is batches


def test_a_training_stopped_while_it_is_traced_leaves_no_clock_behind(sample_dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        profiled(sample_dataset, tmp_path, stop_in=("training", 8))
    assert isinstance(phase("forward"), nullcontext)
    assert read_profile(tmp_path) is None
    assert (tmp_path / "last.ckpt").is_file()


@pytest.mark.parametrize(("count", "traced"), [(1, 1), (2, 1), (9, 5), (100, STEPS)])
def test_steps_in_the_middle_are_traced_however_few_there_are(tmp_path: Path, count: int, traced: int) -> None:
    batches = [(torch.full((4, 1), float(number)), torch.zeros(4)) for number in range(count)]
    seen = []
    with following(tmp_path):
        for pictures, _ in watch(iter(batches), count):
            with phase(profile.FORWARD):
                seen.append(float(pictures[0, 0]))
    assert seen == [float(number) for number in range(count)], "every batch comes once, in order"
    found = read_profile(tmp_path)
    assert found is not None
    assert found.steps == traced
