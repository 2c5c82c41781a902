"""What is advised can be done: a stopped run is resumed, whenever it was stopped; a signal says that it stopped."""

import json
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kanji_tui.cli.follow import result_of
from kanji_tui.data import preparation
from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.events import Epoch, Notice
from kanji_tui.jobs.train import Spec
from kanji_tui.networks.tensor_files import load_tensors
from kanji_tui.runs.event_log import all_events
from kanji_tui.runs.process import entry_of, run_in
from kanji_tui.runs.resuming import run_with_checkpoint
from kanji_tui.runs.run_directory import RunDirectory, create
from kanji_tui.system.plain_data import to_plain
from kanji_tui.training.config import configure
from tests.data.making import CODES, write_records

ROOT = Path(__file__).parents[2]


@pytest.fixture
def train(tmp_path, sample_dataset):
    """Train in this process; with `stopped`, a stop is requested before it begins."""
    config = configure(network="v1", recipe="standard", epochs=1, batch_size=16, sample_limit=60)

    def call(resume: RunDirectory | None = None, stopped: bool = False) -> tuple[RunDirectory, int]:
        spec = Spec(sample_dataset, tmp_path / "models", config, resume=resume.path if resume else None)
        run = create("train", entry_of("train"), to_plain(spec), tmp_path / "models" / "runs")
        if stopped:
            run.stop_file.touch()
        return run, run_in(run)

    return call


def notices(run: RunDirectory) -> list[str]:
    return [event.message for _, event in all_events(run.events) if isinstance(event, Notice)]


def test_a_run_stopped_before_its_first_checkpoint_can_be_resumed_as_it_says(train):
    first, code = train(stopped=True)
    assert (code, (first.path / "last.ckpt").exists()) == (130, False)
    with pytest.raises(Stopped, match="stopped before it learned anything") as told:
        result_of(first)
    assert told.value.remedy == f"begin it anew with: kanji-tui train --resume {first.name}"
    again, code = train(resume=first, stopped=True)  # and once more
    assert code == 130
    run, code = train(resume=again)
    assert code == 0, run.log
    assert any("ended before its first checkpoint; this run begins anew" in notice for notice in notices(run))
    assert [event.epoch for _, event in all_events(run.events) if isinstance(event, Epoch)] == [1]
    last, code = train(resume=run)
    assert code == 0
    assert not any("begins anew" in notice for notice in notices(last))


def test_a_run_stopped_before_its_first_checkpoint_is_resumed_where_the_one_before_it_was(tmp_path):
    runs = tmp_path / "models" / "runs"
    first = create("train", entry_of("train"), to_plain(Spec()), runs)
    (first.path / "last.ckpt").touch()
    second = create("train", entry_of("train"), to_plain(replace(Spec(), resume=first.path)), runs)
    third = create("train", entry_of("train"), to_plain(replace(Spec(), resume=second.path)), runs)
    assert run_with_checkpoint(third.path) == first.path
    (first.path / "last.ckpt").unlink()
    assert run_with_checkpoint(third.path) is None
    (first.path / "best_kanji_model.pth").touch()  # an epoch ended: its checkpoint is lost, and nothing begins anew
    assert run_with_checkpoint(third.path) == first.path
    first.path.joinpath("best_kanji_model.pth").unlink()
    circle = {"job": "train", "entry": entry_of("train"), "spec": {"resume": str(third.path)}}
    first.path.joinpath("config.yaml").write_text(str(circle))
    assert run_with_checkpoint(third.path) == third.path


class Planted:
    def __reduce__(self):
        return os.mkdir, ("planted",)


@pytest.mark.parametrize("content", [Planted(), {"a": torch.nn.Linear(2, 2)}, [pickle.dumps(Planted())]])
def test_pytorchs_advice_to_load_unsafely_is_never_passed_on(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(content, tmp_path / "model.pth")
    try:
        load_tensors(tmp_path / "model.pth", "a model", "choose another")
    except KanjiError as error:
        said = f"{error.message} {error.remedy}"
        assert "holds something else than tensors and numbers" in said
        assert not any(word in said.lower() for word in ("weights_only", "unsafe", "allowlist", "safe_globals"))
    assert not (tmp_path / "planted").exists()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_says_that_it_stops_and_the_same_command_says_that_it_goes_on(
    kanji_tui, tmp_path, monkeypatch, signum
):
    for number in (1, 2, 3):
        write_records(tmp_path / "ETL9G" / f"ETL9G_{number:02d}", CODES * 2, seed=number)
    written = preparation.write_chunk

    def signalled(path, *rest):
        if path.name.endswith("_01.npz"):
            os.kill(os.getpid(), signum)
            preparation.threading.Event().wait(3 * preparation.REPORT_SECONDS)  # until the other thread has heard
        return written(path, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(preparation, "write_chunk", signalled)
        ended = kanji_tui("prepare", "--workers", 1)
    assert ended.returncode == 130
    assert "stopping when the batch, file or request in work is done" in ended.stderr
    assert "the preparation was stopped; the same command again goes on at the next file" in ended.stderr
    again = kanji_tui("prepare", "--workers", 1)
    assert again.returncode == 0, again.stderr
    assert "an earlier preparation goes on: 1 of 3 files were done" in again.stderr
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("in_a_class", [False, True])  # of which Python 3.11 makes a RuntimeError
def test_ctrl_c_while_the_commands_are_imported_is_a_quiet_130(kanji_tui, monkeypatch, in_a_class):
    def interrupted() -> None:
        if in_a_class:
            raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()
        raise KeyboardInterrupt

    monkeypatch.setattr("kanji_tui.cli.parser.parser", interrupted)
    ended = kanji_tui("runs", "--json")
    assert ended.returncode == 130
    assert json.loads(ended.stdout)["error"]["message"] == "stopped"
    assert "Traceback" not in ended.stderr


# In the place of sitecustomize: Ctrl-C as soon as this module is sought.
INTERRUPTED = """
import os, signal, sys

class Interrupting:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == {!r}:
            sys.meta_path.remove(Interrupting)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting)
"""


@pytest.mark.parametrize(
    ("module", "code", "said"),
    [
        ("kanji_tui.cli", -signal.SIGINT, ""),  # nothing has begun, and nothing is to be said
        ("yaml._yaml", 130, "stopped"),  # which cannot be imported again once it was broken off
        ("kanji_tui.cli.commands.runs", 130, "stopped"),
    ],
)
def test_ctrl_c_at_any_import_leaves_no_traceback(tmp_path, module, code, said):
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED.format(module))
    paths = os.pathsep.join((str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")))
    ended = subprocess.run(
        [sys.executable, "-m", "kanji_tui", "runs", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr.strip()) == (code, said)
    assert not said or json.loads(ended.stdout)["error"]["message"] == said
