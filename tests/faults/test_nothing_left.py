"""No ghosts and no litter: jobs end with their run directory, unfinished files with their process."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from kanji_tui.data.preparation import prepare
from kanji_tui.errors import KanjiError
from kanji_tui.events import Epoch, Event
from kanji_tui.jobs.train import Spec
from kanji_tui.runs import recorder
from kanji_tui.runs.following import end_of, follow
from kanji_tui.runs.litter import remove_litter
from kanji_tui.runs.process import entry_of, run_in
from kanji_tui.runs.publish import previous, publish, published, undo_publish
from kanji_tui.runs.run_directory import create, list_runs, status_of_this_process
from kanji_tui.system import folders
from kanji_tui.system.files import replacing
from kanji_tui.system.folders import replacing_folder, temporary_folder
from kanji_tui.system.plain_data import to_plain
from kanji_tui.training.config import configure
from tests.breaking import broken_off
from tests.tui.terminal import plain, read, read_until, started, without_torch


class Remover:
    """A console that removes the run directory when the first epoch has ended, and waits until that is noticed."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.removed = directory, False

    def __call__(self, event: Event) -> None:
        if isinstance(event, Epoch) and not self.removed:
            while self.directory.exists():  # a heartbeat may be writing its status there
                shutil.rmtree(self.directory, ignore_errors=True)
            self.removed = True

    def stop_requested(self) -> bool:
        return False


def test_a_training_whose_directory_is_removed_says_so_and_ends(sample_dataset, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(recorder, "HEARTBEAT_SECONDS", 0.01)
    config = configure(network="v1", recipe="standard", epochs=500, batch_size=16)
    spec = Spec(sample_dataset, tmp_path / "models", config)
    run = create("train", entry_of("train"), to_plain(spec), tmp_path / "models" / "runs")
    console = Remover(run.path)
    assert run_in(run, console) == 1
    assert console.removed
    assert "was removed while its job ran" in capfd.readouterr().err
    assert not run.path.exists()  # nor is it made again by what was written since
    for ask in (lambda: end_of(run).result_or_error(), lambda: follow(run, print).result_or_error()):
        with pytest.raises(KanjiError, match="was removed while its job ran"):
            ask()


def test_another_directory_of_that_name_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "HEARTBEAT_SECONDS", 0.01)
    run = create("verify", "kanji_tui.jobs.verify:run", {}, tmp_path)
    with recorder.Recorder(run, "verify") as report:
        run.path.rename(tmp_path / "elsewhere")
        run.path.mkdir()
        (run.path / "config.yaml").write_text("another's")
        with pytest.raises(KanjiError, match="was removed"):
            any(iter(report.stop_requested, True))  # asks until it is refused
    assert [path.name for path in run.path.iterdir()] == ["config.yaml"]


def killed_while_writing(path: Path) -> Path:
    """What is left when a process is killed while it writes `path`."""
    before = set(path.parent.iterdir())
    pid = os.fork()
    if pid == 0:
        with replacing(path) as beside:
            beside.write_text("half of it")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    (left,) = set(path.parent.iterdir()) - before
    return left


def test_what_a_dead_process_was_writing_is_removed_at_the_next_start(tmp_path):
    runs = tmp_path / "models" / "runs"
    old = create("verify", "kanji_tui.jobs.verify:run", {}, runs)
    left = [killed_while_writing(folder / "last.ckpt") for folder in (tmp_path / "models", old.path)]
    name = left[0].name
    others = [
        tmp_path / "models" / name.replace(name.split(".")[-2].split("-")[0], "0123abcd"),  # another host's
        tmp_path / "models" / name.replace(name.split("-")[-1], f"{os.getpid()}.part"),  # one that lives
        tmp_path / "models" / name.replace(name.split("-")[-1], "1.part"),  # root's, which cannot be signalled
        tmp_path / "models" / "a.part",
    ]
    for other in others:
        other.write_text("not ours to remove")
    assert all(path.exists() for path in left)
    create("verify", "kanji_tui.jobs.verify:run", {}, runs)
    assert not any(path.exists() for path in left)
    assert all(other.exists() for other in others)


def test_what_a_dead_preparation_was_writing_is_removed_by_the_next(sample_dir, tmp_path, report):
    (tmp_path / "dataset" / ".next").mkdir(parents=True)
    names = ("chunk_info.json", ".next/etl9g_dataset_chunk_00.npz")
    left = [killed_while_writing(tmp_path / "dataset" / name) for name in names]
    prepare(sample_dir, tmp_path / "dataset", 32, 1, None, report)
    assert not any(path.exists() for path in left)
    assert not list((tmp_path / "dataset").rglob("*.part"))


@pytest.mark.parametrize("ahead", [60.0, 3600.0, 1e9])
def test_a_heartbeat_in_the_future_keeps_no_dead_run_alive(ahead):
    elsewhere = replace(status_of_this_process("train", "running"), host="another", heartbeat=1000.0 + ahead)
    assert elsewhere.current_state(1000.0) == "lost"
    assert elsewhere.current_state(1000.0 + ahead + 5) == "running"
    ended = subprocess.Popen(["true"])
    ended.wait()
    here = replace(elsewhere, host=socket.gethostname(), pid=ended.pid)
    assert here.current_state(1000.0) == "lost"
    other = replace(
        elsewhere, host=socket.gethostname(), pid=os.getppid(), pid_start=1.0
    )  # its number was given anew
    assert other.current_state(1000.0) == "lost"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back_as_it_was(tmp_path, signum):
    ours, process = started(tmp_path, PYTHONPATH=without_torch(tmp_path))
    try:
        began = read_until(ours, "Preflight")
        process.send_signal(signum)
        ended = b""
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            ended += read(ours, 0.02)
        ended += read(ours, 0.02)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert process.returncode == 128 + signum
    for number in (
        b"1049",
        b"1000",
        b"2004",
    ):  # another screen, reports of the mouse, brackets around what is pasted
        assert b"\x1b[?" + number + b"h" in began
        assert b"\x1b[?" + number + b"l" in ended
    assert b"\x1b[?25h" in ended  # the cursor
    assert f"ended by {signum.name}; jobs that were running continue" in plain(ended)
    assert "Traceback" not in plain(ended)


def test_the_workbench_ends_with_a_terminal_that_sends_no_signal(tmp_path):
    """It is not the controlling terminal of its process, as in `docker exec` and `setsid`."""
    ours, process = started(tmp_path, PYTHONPATH=without_torch(tmp_path))
    try:
        read_until(ours, "Preflight")
        os.close(ours)
        assert process.wait(30) in (1, 128 + signal.SIGHUP)  # 1: its last words could not be written
    finally:
        process.kill()
        process.wait()


def test_the_workbench_takes_the_terminal_again_only_after_it_was_suspended(tmp_path):
    """A terminal that is closed sends SIGCONT too: with two threads for its keys the workbench never ended."""
    ours, process = started(tmp_path, PYTHONPATH=without_torch(tmp_path))
    taken = b"\x1b[?1049h"
    try:
        read_until(ours, "Preflight")
        process.send_signal(signal.SIGCONT)
        os.write(ours, b"?")
        assert taken not in read_until(ours, "esc closes")
        process.send_signal(signal.SIGTSTP)
        while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
            read(ours, 0.02)
        process.send_signal(signal.SIGCONT)
        read_until(ours, "esc closes")
        os.write(ours, b"\x1b")
        for signum in (signal.SIGHUP, signal.SIGCONT):
            process.send_signal(signum)
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            read(ours, 0.02)
        assert process.returncode == 128 + signal.SIGHUP
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_a_deletion_that_is_broken_off_leaves_nothing_listed_and_the_next_start_nothing_at_all(
    tmp_path, monkeypatch
):
    runs = tmp_path / "models" / "runs"
    run, other = (create("verify", "kanji_tui.jobs.verify:run", {}, runs) for _ in range(2))
    run.write_status(replace(status_of_this_process("verify", "finished")))

    def broken_off(path: Path) -> None:
        (path / "status.json").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("kanji_tui.runs.run_directory.shutil.rmtree", broken_off)
        with pytest.raises(KeyboardInterrupt):
            run.delete()
    assert list_runs(runs) == [other]
    assert len(list(runs.iterdir())) == 2
    remove_litter(runs)
    assert list(runs.iterdir()) == [other.path]


ARTIFACTS = ("best_kanji_model.pth", "best_model_info.json", "training_progress.json")


def models_of(home: Path, *names: str) -> None:
    """Runs with models of their own, whose files hold their names."""
    for name in names:
        (home / "runs" / name).mkdir(parents=True)
        for file in ARTIFACTS:
            (home / "runs" / name / file).write_text(json.dumps(name))


def of_publishing(path: Path) -> bool:
    return path.parent.parent.name != "runs"


def test_publishing_broken_off_anywhere_leaves_no_model_with_the_metadata_of_another(tmp_path):
    """And the same command again ends with the whole of it, and with nothing set aside."""
    models_of(tmp_path, "old", "new")
    broken = 0
    while True:
        publish(tmp_path / "runs" / "old", tmp_path)
        if not broken_off(broken, of_publishing, lambda: publish(tmp_path / "runs" / "new", tmp_path)):
            break
        broken += 1
        weights = (tmp_path / ARTIFACTS[0]).read_text()
        for file in ARTIFACTS[1:]:
            assert not (tmp_path / file).exists() or (tmp_path / file).read_text() == weights
        publish(tmp_path / "runs" / "new", tmp_path)
        assert {(tmp_path / file).read_text() for file in ARTIFACTS} == {'"new"'}
        assert published(tmp_path).run == "new"
        assert {path.name for path in tmp_path.iterdir()} == {*ARTIFACTS, "published.json", "runs", ".previous"}
    assert broken > 20


def test_undoing_a_publication_broken_off_anywhere_loses_neither_model(tmp_path):
    """Also where the runs that made them are deleted."""
    models_of(tmp_path, "old", "new")
    publish(tmp_path / "runs" / "old", tmp_path)
    publish(tmp_path / "runs" / "new", tmp_path)
    shutil.rmtree(tmp_path / "runs")
    shutil.copytree(tmp_path, whole := tmp_path.with_name("whole"))
    broken = 0
    while broken_off(broken, lambda path: True, lambda: undo_publish(tmp_path)):
        broken += 1
        runs = {undo_publish(tmp_path).run, undo_publish(tmp_path).run}
        assert runs == {"old", "new"}
        for folder, name in ((tmp_path, published(tmp_path).run), (tmp_path / ".previous", previous(tmp_path).run)):
            assert {(folder / file).read_text() for file in ARTIFACTS} == {json.dumps(name)}
        shutil.rmtree(tmp_path)
        shutil.copytree(whole, tmp_path)
    assert broken > 20


def test_a_replaced_folder_is_the_old_or_the_new_one_wherever_it_is_broken_off(tmp_path):
    def write(text: str) -> None:
        with replacing_folder(tmp_path / "page") as building:
            for name in ("a", "b"):
                (building / name).write_text(text)

    broken = 0
    write("old")
    while broken_off(broken, lambda path: True, lambda: write("new")):
        broken += 1
        assert {path.read_text() for path in (tmp_path / "page").iterdir()} in ({"old"}, {"new"})
        assert len(list((tmp_path / "page").iterdir())) == 2
        write("old")
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_a_folder_is_replaced_where_the_file_system_cannot_exchange_two(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_exchanged", lambda one, other: False)
    for text in ("old", "new"):
        with replacing_folder(tmp_path / "page") as building:
            (building / "a").write_text(text)
    assert (tmp_path / "page" / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_folders_of_killed_processes_are_removed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()

    def killed(context) -> None:
        pid = os.fork()
        if pid == 0:
            with context as folder:
                (folder / "half").write_text("half of it")
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(pid, 0)

    killed(replacing_folder(tmp_path / "page"))
    killed(temporary_folder())
    left = list(tmp_path.rglob("half"))
    assert len(left) == 2
    with replacing_folder(tmp_path / "page") as building:
        (building / "whole").write_text("whole")
    with temporary_folder() as folder:
        assert not any(path.exists() for path in left)
        assert list((tmp_path / "temporary").iterdir()) == [folder]
    assert not list((tmp_path / "temporary").iterdir())
