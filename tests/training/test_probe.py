"""The probe: a few real steps, and what a whole training would need."""

import json
from functools import partial

import pytest

from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.events import Progress
from kanji_tui.training import probe as probing
from kanji_tui.training.config import configure
from kanji_tui.training.probe import probe

small = partial(configure, "v1", "standard")  # the smallest network


def test_it_reckons_from_what_it_measured(sample_dataset, report, monkeypatch) -> None:
    monkeypatch.setattr(probing, "SECONDS", 0.2)
    few, many = (probe(sample_dataset, small(epochs=epochs, batch_size=16), report) for epochs in (1, 20))
    assert few.steps >= 1
    assert few.samples_per_second > 0
    assert few.seconds_per_epoch * 1 <= few.seconds <= few.seconds_per_epoch * 2
    assert many.seconds_per_epoch * 20 <= many.seconds <= many.seconds_per_epoch * 21
    assert few.memory_bytes > 50_000_000
    assert few.samples < 12 * 16
    assert report.of(Progress)


def test_it_stops_when_asked_and_refuses_what_a_training_would(sample_dataset, tmp_path, report) -> None:
    with pytest.raises(KanjiError):
        probe(tmp_path, configure(), report)
    report.stop = True
    with pytest.raises(Stopped):
        probe(sample_dataset, configure(), report)


def test_fewer_samples_than_two_a_piece_make_fewer_pieces(sample_dataset, report, monkeypatch) -> None:
    monkeypatch.setattr(probing, "SECONDS", 0.0)
    config = small(epochs=1, batch_size=128, accumulation_steps=64, sample_limit=60)
    assert probe(sample_dataset, config, report).steps == 1


def test_the_command_prints_it(sample_dataset, kanji_tui, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(probing, "SECONDS", 0.0)
    few = ("--network", "v1", "--data-dir", sample_dataset, "--batch-size", 16, "--epochs", 2)
    done = kanji_tui("probe", *few, "--set", "noise=0.1", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for name in ("samples_per_second", "seconds_per_epoch", "seconds", "memory_bytes"):
        assert said[name] > 0
    assert said["device"]
    assert not (tmp_path / "models").exists()
    refused = kanji_tui("probe", "--data-dir", sample_dataset, "--set", "noise")
    assert refused.returncode == 2
    assert "FIELD=VALUE" in refused.stderr
