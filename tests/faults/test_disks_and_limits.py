"""Disks that are full, read-only or vanish, limits of memory and of open files, folders of other users."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from kanji_tui.data import chunks
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.preparation import prepare
from kanji_tui.errors import KanjiError
from kanji_tui.system import files
from tests.data.making import CODES, bytes_of, write_records

NOBODY = 65534
# Root may write everywhere, but for a process that gives this up.
WITHOUT_PRIVILEGES = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]
    if os.geteuid() == 0 and shutil.which("setpriv")
    else []
)


@pytest.fixture
def etl_dir(tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        write_records(tmp_path / "ETL9G" / f"ETL9G_{number:02d}", CODES * 2, seed=number)
    return tmp_path / "ETL9G"


def failing(real, at: int, number: int):
    """In place of a function of the system: call `at`, from 0, and all later ones fail with this error number."""
    calls = []

    def call(*arguments, **named):
        calls.append(arguments)
        if len(calls) > at:
            raise OSError(number, os.strerror(number))
        return real(*arguments, **named)

    return call


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EROFS, "could not be written: Read-only file system"),
        (errno.EIO, "could not be written: Input/output error"),
        (errno.ESTALE, "could not be written: Stale file handle"),
    ],
)
def test_a_disk_that_fails_at_any_write_keeps_the_old_dataset(
    etl_dir, tmp_path, report, monkeypatch, number, words
):
    """At each of the files that a preparation syncs, in turn."""
    old = prepare(etl_dir, tmp_path / "ds", 32, 1, None, report).digest
    before = bytes_of(tmp_path / "ds")
    for at in range(12):  # the plan, three chunks with their digests, four descriptions, the mark
        with monkeypatch.context() as patched:
            patched.setattr(files.os, "fsync", failing(os.fsync, at, number))
            with pytest.raises(KanjiError, match=words) as failed:
                prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)
        assert failed.value.remedy
        assert open_dataset(tmp_path / "ds").digest == old
        assert bytes_of(tmp_path / "ds") == before
        shutil.rmtree(tmp_path / "ds" / ".next")
    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", failing(os.fsync, 12, number))
        prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)
    assert open_dataset(tmp_path / "ds").size == 64


def limited(home: Path, *arguments: object, **limits: int) -> subprocess.CompletedProcess:
    """A command under limits of the system, named as in `resource`."""

    def limit() -> None:
        for name, most in limits.items():
            resource.setrlimit(getattr(resource, name), (most, most))

    return subprocess.run(
        [sys.executable, "-m", "kanji_tui", *map(str, arguments)],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=limit,
    )


def test_a_file_size_limit_is_a_sentence(etl_dir, tmp_path):
    """As on a disk that fills while a chunk is written."""
    ended = limited(tmp_path, "prepare", "--workers", 1, RLIMIT_FSIZE=20_000)
    assert ended.returncode == 1
    assert "could not be written: File too large" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "dataset" / "metadata.json").exists()
    assert not list((tmp_path / "dataset").rglob("*.part"))


@pytest.mark.faults
@pytest.mark.parametrize("most", [6, 8, 10, 12, 16, 24, 32, 64])
@pytest.mark.parametrize(
    "arguments", [("runs",), ("prepare", "--workers", "1"), ("verify",), ("--once",), ("export", "mapping")]
)
def test_few_open_files_are_a_sentence(etl_dir, tmp_path, sample_dataset, most, arguments):
    shutil.copytree(sample_dataset, tmp_path / "dataset", dirs_exist_ok=True)
    ended = limited(tmp_path, *arguments, RLIMIT_NOFILE=most)
    assert ended.returncode in (0, 1, 2), ended
    if (
        "ModuleNotFoundError" not in ended.stderr and "ImportError" not in ended.stderr
    ):  # so few, Python does not start
        assert "Traceback" not in ended.stderr, ended
        assert ended.returncode == 0 or "error:" in ended.stderr
    assert open_dataset(tmp_path / "dataset")


@pytest.mark.faults
@pytest.mark.parametrize("megabytes", [150, 250, 400, 600, 1000, 1500])
@pytest.mark.parametrize("arguments", [("runs",), ("prepare", "--workers", "1"), ("verify",), ("evaluate",)])
def test_little_memory_is_a_sentence_and_spoils_nothing(etl_dir, tmp_path, trained, megabytes, arguments):
    shutil.copytree(trained.data_dir, tmp_path / "dataset")
    shutil.copytree(trained.models_dir, tmp_path / "models")
    before = bytes_of(tmp_path / "models")
    ended = limited(tmp_path, *arguments, RLIMIT_AS=megabytes * 2**20)
    if ended.returncode == 0:
        return
    assert open_dataset(tmp_path / "dataset")
    assert bytes_of(tmp_path / "models") == before
    if ended.returncode > 0 and "kanji_tui" in ended.stderr and "Import" not in ended.stderr:
        assert "Traceback" not in ended.stderr or "MemoryError" in ended.stderr, ended


# The command lines that stdin holds, each in a fork of a process that has loaded what most of them need.
COMMANDS = """
import json, os, sys, tempfile
from kanji_tui.cli import main, parser
nothing = os.open(os.devnull, os.O_WRONLY)

for line in json.load(sys.stdin):
    with tempfile.TemporaryFile("w+") as words:
        if (pid := os.fork()) == 0:
            os.dup2(nothing, 1)
            os.dup2(words.fileno(), 2)
            os._exit(main(line))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        words.seek(0)
        print(json.dumps([code, words.read()]), flush=True)
"""


@pytest.mark.skipif(not WITHOUT_PRIVILEGES, reason="needs root, and setpriv of util-linux, to make another's files")
def test_files_of_another_user_are_named_and_stay(tmp_path, sample_dataset, trained):
    """In a home that belongs to another user: what may be read is read, nothing is written."""
    home = tmp_path / "home"
    shutil.copytree(sample_dataset, home / "dataset")
    shutil.copytree(trained.models_dir, home / "models")
    for path in [home, *home.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    before = bytes_of(home / "dataset"), bytes_of(home / "models")
    cases = (
        (("runs", "--json"), 0, ""),
        (("verify", "--json"), 0, ""),
        (("sample", "--classes", "2", "--sets", "2"), 1, "could not be written: Permission denied"),
        (("publish", trained.run.name), 1, "could not be written: Permission denied"),
        (("delete", trained.run.name), 1, "could not be removed"),
        (("export", "mapping"), 1, "could not be written: Permission denied"),
        (("train", "--detach"), 1, "could not be written: Permission denied"),
    )
    all_ended = subprocess.run(
        [*WITHOUT_PRIVILEGES, sys.executable, "-c", COMMANDS],
        cwd=home,
        input=json.dumps([arguments for arguments, _, _ in cases]),
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    each_ended = map(json.loads, all_ended.stdout.splitlines())
    for (arguments, code, words), (returncode, stderr) in zip(cases, each_ended, strict=True):
        assert returncode == code, (arguments, stderr)
        assert words in stderr, (arguments, stderr)
        assert "Traceback" not in stderr
    assert (bytes_of(home / "dataset"), bytes_of(home / "models")) == before


@pytest.mark.parametrize("moment", range(3))
@pytest.mark.parametrize("name", ["ds", "ETL9G"])
def test_a_folder_that_vanishes_while_preparing_is_a_sentence_at_most(
    etl_dir, tmp_path, report, monkeypatch, moment, name
):
    """That of the dataset, or that of the record files, before each of the chunks."""
    written = []

    def vanishing(path, *rest):
        written.append(path)
        if len(written) == moment + 1:
            shutil.rmtree(tmp_path / name)
        return chunks.write_chunk(path, *rest)

    with monkeypatch.context() as patched:
        patched.setattr("kanji_tui.data.preparation.write_chunk", vanishing)
        with suppress(KanjiError):
            prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)
    for number in (1, 2, 3):
        write_records(etl_dir / f"ETL9G_{number:02d}", CODES * 2, seed=number)
    digest = prepare(etl_dir, tmp_path / "ds", 64, 1, None, report).digest
    assert open_dataset(tmp_path / "ds").digest == digest
    assert len(open_dataset(tmp_path / "ds")) == 30
