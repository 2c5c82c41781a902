"""Preparations that are stopped, killed or broken off, and go on."""

import itertools
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kanji_tui.data import moving, preparation, staging
from kanji_tui.data.checks import verify
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.preparation import prepare
from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.system.locks import locked
from tests.breaking import broken_off
from tests.data.making import (
    CODES,
    bytes_of,
    write_images,
    write_kuzushiji,
    write_records,
)


def test_a_stopped_preparation_keeps_the_old_dataset_and_resumes(etl_dir, tmp_path, report, monkeypatch):
    old = prepare(etl_dir, tmp_path / "ds", 32, 1, None, report).digest
    make = staging.FinishedChunk

    def stop_after_the_second(*fields):
        report.stop = fields[0] == "ETL9G_02"
        if report.stop:
            time.sleep(2 * preparation.REPORT_SECONDS)  # long enough to be noticed before the third
        return make(*fields)

    with monkeypatch.context() as patched:
        patched.setattr(preparation, "FinishedChunk", stop_after_the_second)
        with pytest.raises(Stopped):
            prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)
    assert open_dataset(tmp_path / "ds").digest == old
    building = tmp_path / "ds" / ".next"
    kept = {path.name: path.stat().st_ino for path in building.glob("*.npz")}
    assert sorted(kept) == ["etl9g_dataset_chunk_00.npz", "etl9g_dataset_chunk_01.npz"]
    report.stop = False
    prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)
    assert open_dataset(tmp_path / "ds").size == 64
    assert not building.exists()
    for name, inode in kept.items():
        assert (tmp_path / "ds" / name).stat().st_ino == inode  # kept, not made again
    prepare(etl_dir, tmp_path / "uninterrupted", 64, 1, None, report)
    assert bytes_of(tmp_path / "ds") == bytes_of(tmp_path / "uninterrupted")


def test_unfinished_work_with_other_inputs_is_discarded(etl_dir, tmp_path, report, monkeypatch):
    def no_commit(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(staging, "commit", no_commit)
        with pytest.raises(KeyboardInterrupt):
            prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)
    write_records(etl_dir / "ETL9G_01", CODES * 2, seed=7)
    prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)
    prepare(etl_dir, tmp_path / "uninterrupted", 64, 1, None, report)
    assert bytes_of(tmp_path / "ds") == bytes_of(tmp_path / "uninterrupted")


def test_a_damaged_unfinished_chunk_is_made_again(etl_dir, tmp_path, report, monkeypatch):
    def no_commit(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(staging, "commit", no_commit)
        with pytest.raises(KeyboardInterrupt):
            prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)
    damaged = tmp_path / "ds" / ".next" / "etl9g_dataset_chunk_01.npz"
    damaged.write_bytes(damaged.read_bytes()[:5000])
    prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)
    prepare(etl_dir, tmp_path / "uninterrupted", 64, 1, None, report)
    assert bytes_of(tmp_path / "ds") == bytes_of(tmp_path / "uninterrupted")


def of_the_dataset(path: Path) -> bool:
    return path.parent.name in (".next", "ds")


def test_broken_off_at_any_change_the_old_dataset_or_the_new_one_is_there(etl_dir, tmp_path, report):
    """Never neither, never a mixture: whoever opens it next finishes the move, also one broken off again."""
    prepare(etl_dir, tmp_path / "new", 64, 1, None, report)
    new, digest = bytes_of(tmp_path / "new"), open_dataset(tmp_path / "new").digest
    write_records(tmp_path / "etl_before" / "ETL9G_01", CODES[:4])
    old = prepare(tmp_path / "etl_before", tmp_path / "ds", 32, 1, None, report).digest
    shutil.copytree(tmp_path / "ds", tmp_path / "kept")
    before = bytes_of(tmp_path / "kept")
    found = []
    for at in itertools.count():
        shutil.rmtree(tmp_path / "ds")
        shutil.copytree(tmp_path / "kept", tmp_path / "ds")
        if not broken_off(at, of_the_dataset, lambda: prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)):
            break
        again = itertools.count()
        while broken_off(next(again), of_the_dataset, lambda: open_dataset(tmp_path / "ds")):
            pass
        found.append(open_dataset(tmp_path / "ds").digest)
        assert bytes_of(tmp_path / "ds") == (new if found[-1] == digest else before)
        assert not any(check.verdict == "failed" for check in verify(tmp_path / "ds", None, report).checks)
        prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)
        assert bytes_of(tmp_path / "ds") == new
    assert set(found) == {old, digest}
    assert found == sorted(found, key=[old, digest].index)  # once the new one is there it stays
    assert found.count(digest) > 10  # metadata.json, three chunks, four JSON files, what is left in .next


def test_a_dataset_that_is_being_replaced_is_waited_for(etl_dir, tmp_path, report, monkeypatch):
    prepare(etl_dir, tmp_path / "ds", 32, 1, None, report)
    monkeypatch.setattr(moving, "MOVE_SECONDS", 0.0)
    (tmp_path / "ds" / ".next").mkdir()
    moving.mark_complete(tmp_path / "ds", list(bytes_of(tmp_path / "ds")))
    with locked(tmp_path / "ds"), pytest.raises(KanjiError, match="another process is replacing"):
        open_dataset(tmp_path / "ds")
    assert len(open_dataset(tmp_path / "ds")) == 28
    assert not (tmp_path / "ds" / ".next").exists()


@pytest.mark.parametrize("mark", ["", "[]", '{"files": ["../../planted"]}', '{"files": []}'])
def test_a_mark_that_cannot_be_read_is_none(etl_dir, tmp_path, report, mark):
    prepare(etl_dir, tmp_path / "ds", 32, 1, None, report)
    (tmp_path / "ds" / ".next").mkdir()
    (tmp_path / "ds" / ".next" / "complete.json").write_text(mark)
    before = bytes_of(tmp_path)
    assert len(open_dataset(tmp_path / "ds")) == 28
    assert bytes_of(tmp_path) == {name: content for name, content in before.items() if "complete" not in name}


PREPARE = """
import sys
from pathlib import Path
from kanji_tui.data.preparation import prepare
from kanji_tui.events import SilentReport
prepare(Path(sys.argv[1]), Path(sys.argv[2]), 96, 2, None, SilentReport())
"""


def record_files_to_kill(folder, sample_dir):
    pieces = b"".join((sample_dir / f"ETL9G_0{number}").read_bytes() for number in (1, 2, 3, 4))
    folder.mkdir()
    for number in range(1, 9):
        content = bytearray(pieces * 4)
        content[12] = number  # of the serial number: no file repeats another
        (folder / f"ETL9G_{number:02d}").write_bytes(content)


def pairs_to_kill(folder, _):
    write_kuzushiji(folder, train=1500, test=1500)


def images_to_kill(folder, _):
    write_images(folder, dict.fromkeys("亜唖娃阿", 150), different=3)


@pytest.mark.parametrize(
    "make_input",
    [
        record_files_to_kill,
        *(pytest.param(make, marks=pytest.mark.faults) for make in (pairs_to_kill, images_to_kill)),
    ],
)
def test_a_preparation_killed_at_random_moments_ends_in_the_same_dataset(sample_dir, tmp_path, report, make_input):
    make_input(tmp_path / "in", sample_dir)
    began = time.monotonic()
    prepare(tmp_path / "in", tmp_path / "uninterrupted", 96, 2, None, report)
    longest = max(0.06, 0.6 * (time.monotonic() - began))
    command = [sys.executable, "-c", PREPARE, str(tmp_path / "in"), str(tmp_path / "ds")]
    chance = random.Random(5)
    building = tmp_path / "ds" / ".next"
    killed_at_work = 0
    for _ in range(5):
        child = subprocess.Popen(command)
        while not (building / "plan.json").exists() and child.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, longest))
        child.send_signal(signal.SIGKILL)
        killed_at_work += child.wait() == -signal.SIGKILL and building.exists()
        if not building.exists():
            shutil.rmtree(tmp_path / "ds", ignore_errors=True)  # it had finished: start again
        elif (tmp_path / "ds" / "metadata.json").exists():
            assert bytes_of(tmp_path / "ds") == bytes_of(tmp_path / "uninterrupted")
    assert killed_at_work >= 2
    subprocess.run(command, check=True)
    assert bytes_of(tmp_path / "ds") == bytes_of(tmp_path / "uninterrupted")
    assert not building.exists()
