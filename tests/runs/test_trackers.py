"""Trackers: what TensorBoard reads, what W&B writes offline, and what happens when a tracker fails."""

from pathlib import Path

import pytest

from kanji_tui.errors import UsageError
from kanji_tui.events import Energy, Epoch, Gpu, Notice
from kanji_tui.runs import trackers
from kanji_tui.runs.about import About, write_about
from kanji_tui.runs.trackers import check_trackers, tracking
from tests.conftest import Remembered

CONFIG = {"learning_rate": 1e-3, "network": "kanjinet"}


def epoch(number: int) -> Epoch:
    return Epoch(number, 3, 1 / number, 0.5, 2 / number, 0.25, 0.5, 0.75, 1e-3, 1.0, 100.0, True)


@pytest.fixture
def report(tmp_path: Path) -> Remembered:
    return Remembered(directory=tmp_path)


def test_tensorboard_reads_the_logged_metrics(report: Remembered, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with tracking(("tensorboard",), CONFIG, report) as tracked:
        tracked(Gpu(0, "NVIDIA H200", utilisation=0.5, power=400.0, reason="memory: lost"))
        tracked(Energy("CPU package-0", 12.5, "RAPL"))
        tracked(Energy("GPU 0", None, "", "Not Supported"))
        for number in (1, 2, 3):
            tracked(epoch(number))
    found = EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert set(found.Tags()["scalars"]) == {
        *("loss/train", "loss/validation", "top1/train", "top1/validation", "top3/validation", "top5/validation"),
        *("learning rate", "seconds", "samples per second"),
        *("gpu 0/utilisation", "gpu 0/power", "energy/CPU package-0"),
    }
    assert [(point.step, point.value) for point in found.Scalars("loss/train")] == [
        (number, pytest.approx(1 / number)) for number in (1, 2, 3)
    ]
    assert found.Scalars("energy/CPU package-0")[0].value == 12.5
    assert report.of(Epoch) == [epoch(1), epoch(2), epoch(3)], "the run's own events are unchanged"


def test_wandb_works_offline(report: Remembered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    write_about(tmp_path, About("wide stem", "are seven pixels better than five?"))
    with tracking(("wandb",), CONFIG, report) as tracked:
        for number in (1, 2, 3):
            tracked(epoch(number))
    assert not report.of(Notice)
    (written,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    content = written.read_bytes()
    for name in (b"loss/train", b"top1/validation", b"learning_rate", b"kanjinet", b"wide stem", b"seven pixels"):
        assert name in content
    assert content.count(b"loss/validation") >= 3


def test_wandb_without_a_login_is_removed_and_the_training_goes_on(
    report: Remembered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("HOME", str(tmp_path))  # there is no login
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with tracking(("wandb",), CONFIG, report) as tracked:
        tracked(epoch(1))
    (notice,) = report.of(Notice)
    assert notice.message.startswith("wandb no longer tracks this run: ")
    assert report.of(Epoch) == [epoch(1)]


def test_a_tracker_that_fails_is_removed_and_reported_once(
    report: Remembered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[int] = []

    def log(values: dict[str, float], number: int) -> None:
        logged.append(number)
        raise OSError("No space left on device")

    monkeypatch.setattr(trackers, "_tensorboard", lambda *arguments: (log, lambda: None))
    with tracking(("tensorboard",), CONFIG, report) as tracked:
        tracked(epoch(1))
        tracked(epoch(2))
    assert logged == [1]
    assert report.of(Notice) == [Notice("tensorboard no longer tracks this run: No space left on device")]
    assert len(report.of(Epoch)) == 2


@pytest.mark.parametrize("name", trackers.NAMES)
def test_a_missing_package_is_refused_before_the_training_starts(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda package: None)
    with pytest.raises(UsageError, match=name) as refused:
        check_trackers((f"{name}:JPN" if name == "codecarbon" else name,))
    assert refused.value.remedy == f'pip install "kanji-tui[{name}]"'


@pytest.mark.parametrize("named", ["mlflow", "", "tensorboard:JPN", "codecarbon", "codecarbon:", "codecarbon:WLD"])
def test_unknown_trackers_are_refused(named: str) -> None:
    with pytest.raises(UsageError):
        check_trackers((named,))


def test_codecarbon_needs_a_known_country() -> None:
    check_trackers(("codecarbon:JPN", "tensorboard", "wandb"))
    with pytest.raises(UsageError, match="XYZ"):
        check_trackers(("codecarbon:XYZ",))
