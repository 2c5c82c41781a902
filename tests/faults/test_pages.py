"""A page of `export web` and the runtime in the cache: killed, or made by two at once, each is whole."""

import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from tests.faults.test_kills import KILLS, SIGNALS, chance_of, ended, files_of
from tests.web.test_page import small_package

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
# The program with a small runtime in the place of the pinned one, and a cache of its own.
PROGRAM = """
import sys
from pathlib import Path
import pytest
from tests.web.test_page import small_package
from kanji_tui.cli import main
Path("package-of-mine").mkdir(exist_ok=True)
small_package(Path("package-of-mine").resolve(), pytest.MonkeyPatch())
sys.exit(main(["export", "web", "--model-path", "built-in", *sys.argv[1:]]))
"""


def export(home: Path, *options: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *options],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A home with a page, and the runtime in a folder."""
    with tarfile.open(small_package(tmp_path, monkeypatch)) as package:
        package.extractall(tmp_path, filter="data")
    process = export(tmp_path, "--runtime", "package")
    said = ended(process)
    assert process.returncode == 0, said
    return tmp_path


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_killed_export_leaves_the_page_before_or_the_new_one(home, signum):
    chance = chance_of("export web", signum)
    page, cache = home / "models" / "web", home / "package-of-mine" / "cache"
    whole = {"page": files_of(page), "cache": files_of(cache)}
    began = time.monotonic()
    ended(export(home, "--runtime", "package"))
    longest = time.monotonic() - began
    assert {"page": files_of(page), "cache": files_of(cache)} == whole
    shutil.copytree(page, older := home / "older")
    (older / "index.html").write_text("the page before")
    for number in range(max(2, KILLS // 2)):
        shutil.rmtree(page, ignore_errors=True)
        if number % 2:
            shutil.copytree(older, page)
        before = files_of(page)
        process = export(home, "--runtime", "package")
        time.sleep(chance.uniform(0, longest))
        process.send_signal(signum)
        ended(process)
        assert files_of(page) in (before, whole["page"])
        assert files_of(cache) == whole["cache"]
    ended(export(home, "--runtime", "package"))
    assert files_of(page) == whole["page"]
    assert [path.name for path in page.parent.iterdir()] == ["web"]
    assert not list(cache.rglob(".*"))


def test_two_exports_at_once_leave_one_whole_page(home):
    page = home / "models" / "web"
    whole = files_of(page)
    for _ in range(2):
        shutil.rmtree(page)
        both = [export(home, "--runtime", "package") for _ in range(2)]
        said = [ended(process) for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        assert files_of(page) == whole
        assert [path.name for path in page.parent.iterdir()] == ["web"]
