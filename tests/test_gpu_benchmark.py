"""`benchmarks/gpu.py` in its tiny form, on a machine as bare as the first one with a GPU may be."""

import json
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from kanji_tui.events import Energy, Gpu
from kanji_tui.training.config import configure

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "benchmarks" / "gpu.py"
# Packages that nothing of it may need, hidden from every process as if they were not installed.
BARE = """
import sys
from importlib.machinery import PathFinder

class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        absent = ("textual", "rich", "tract", "psutil", "matplotlib_fontja")
        return None if name.partition(".")[0] in absent else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Bare
"""
# The script with its jobs and torchrun as forks, which end with it; what torchrun starts is an interpreter.
START = f"""
import runpy, sys
sys.path.insert(0, {str(ROOT)!r})
from kanji_tui.runs import process
from tests.forking import end_with_parent, forking_this_process
sys.path.insert(0, {str(SCRIPT.parent)!r})
end_with_parent()
with forking_this_process() as forks:
    from gpu_parts import together
    process.subprocess = together.subprocess = forks
    sys.path.remove({str(ROOT)!r})
    runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
"""
TINY = ("--device", "cpu", "--tiny", "--data")


@pytest.fixture
def parts_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))


def last_line(printed: str) -> dict:
    """The JSON object of the script's last line."""
    return json.loads(printed.splitlines()[-1])


def test_every_part_runs_on_a_bare_machine(tmp_path, parts_importable):
    from gpu_parts.made import write_records

    for number in (1, 2, 3, 4):
        write_records(tmp_path / "records" / f"ETL9G_{number:02d}", 12, number)
    (tmp_path / "sitecustomize.py").write_text(BARE)
    done = subprocess.run(
        [sys.executable, "-c", START, *TINY, tmp_path / "records"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.stdout, done.stderr
    output = last_line(done.stdout)
    states = {part["name"]: part["state"] for part in output["parts"]}
    assert done.returncode == 0, [part for part in output["parts"] if part["state"] == "failed"] or done.stderr
    assert output["device"] == "cpu"
    assert states.pop("NVML") == "not applicable"
    assert list(states) == [
        "facts",
        "training speed",
        "extrapolations",
        "where the host waits",
        "preparation",
        "accuracy",
        "resumption",
        "out of memory",
        "torchrun",
        "the same answers",
    ]
    assert set(states.values()) == {"ok"}
    assert all(part["seconds"] >= 0 for part in output["parts"])
    answers = next(part for part in output["parts"] if part["name"] == "the same answers")
    assert answers["exports"]["not_installed"] == ["tract"]  # it was bare


def test_a_part_that_fails_hides_no_other_and_decides_the_exit_code(
    tmp_path, parts_importable, forked_jobs, monkeypatch, capsys
):
    import gpu

    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(
        sys, "argv", ["gpu.py", *TINY, str(tmp_path / "empty"), "--only", "facts", "accuracy", "NVML"]
    )
    with patch.dict(os.environ):  # it sets some
        assert gpu.main() == 1
    output = last_line(capsys.readouterr().out)
    states = {part["name"]: part["state"] for part in output["parts"]}
    assert states == {"facts": "ok", "NVML": "not applicable", "accuracy": "failed"}
    failed = output["parts"][-1]
    assert "nothing to prepare" in failed["reason"]
    assert any("runs.py" in frame for frame in failed["traceback"])


def test_a_script_that_is_ended_while_it_follows_a_training_ends_that_too(tmp_path, parts_importable, forked_jobs):
    from gpu_parts import Bench
    from gpu_parts.jobs import begin, follow
    from gpu_parts.made import small_dataset
    from gpu_parts.runs import network, spec_of

    bench = Bench(torch.device("cpu"), True, tmp_path)
    config = configure(epochs=2000, batch_size=16, **network(bench))
    run = begin(bench, "train", spec_of(bench, small_dataset(bench), config), on_gpu=False)
    with pytest.raises(SystemExit):
        follow(bench, run, lambda events: sys.exit(143) if events else False)  # as its handler of SIGTERM does
    assert run.state() == "stopped"


def test_what_a_step_moves_and_multiplies_is_counted(parts_importable):
    from gpu_parts.counting import Counting

    left, right = torch.ones(4, 8), torch.ones(16, 8)
    with Counting() as counted:
        product = left @ right.T
        product.add_(1)
    assert (counted.dispatches, counted.views) == (3, 1)
    assert counted.work == [(4 * (4 * 8 + 8 * 16 + 4 * 16), 2 * 4 * 8 * 16), (4 * 2 * 4 * 16, 0)]
    moving, multiplying = counted.work[0][0] / 1e3, counted.operations / 1e2
    assert counted.floor(1e3, 1e2) == pytest.approx(max(moving, multiplying) + counted.work[1][0] / 1e3)


def test_events_that_differ_from_nvml_are_found(parts_importable):
    from gpu_parts.telemetry import Asked, compare

    values = {"utilisation": 0.9, "memory_used": 4e9, "power": 400.0, "temperature": 60.0}
    asked = [Asked(float(second), dict(values), 400.0 * second) for second in range(20)]
    events = []
    for second in (4.5, 9.5, 14.5):
        events.append((second, Energy("GPU 0 H200", 400.0 * (second - 1), "NVML energy counter")))
        events.append((second, Gpu(0, "H200", 0.85, 4_000_000_000, 10**11, 390.0, 61.0)))
    assert all(figure["agrees"] for figure in compare(events, asked).values())
    milliwatts = [Asked(one.moment, {**one.values, "power": 400_000.0}, one.joules) for one in asked]
    assert [name for name, figure in compare(events, milliwatts).items() if not figure["agrees"]] == ["power"]
    millijoules = [Asked(one.moment, one.values, 1000 * one.joules) for one in asked]
    assert [name for name, figure in compare(events, millijoules).items() if not figure["agrees"]] == ["energy"]
    assert not any(figure["agrees"] for figure in compare([], asked).values())
    silent = [Asked(one.moment, dict.fromkeys(values), None) for one in asked]
    assert {figure["agrees"] for figure in compare(events, silent).values()} == {None}
