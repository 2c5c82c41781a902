"""`export web`: the folder it writes, the runtime's hashes, and what it refuses."""

import base64
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import stat
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kanji_tui import Recogniser
from kanji_tui.engines import web_runtime
from kanji_tui.engines.web_runtime import RuntimeFile, find_runtime, pinned
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import SilentReport
from kanji_tui.export.web_model import web_model
from kanji_tui.recognition.models import open_model
from kanji_tui.web import page
from kanji_tui.web.paths import CONTENT_SECURITY
from kanji_tui.web.results import ExportedPage

CONTENT = {"dist/a.mjs": b"export {};\n" * 40, "dist/b.wasm": b"\0asm" + bytes(5000)}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return small_package(tmp_path, monkeypatch)


def small_package(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small npm package in the place of the pinned one, and an empty cache."""
    path = home / "onnxruntime-web-1.30.0.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {**CONTENT, "README.md": b"unused"}.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    names = {"dist/a.mjs": "ort.js", "dist/b.wasm": "ort-wasm-simd-threaded.wasm"}
    files = tuple(
        RuntimeFile(path, names[path], hashlib.sha256(content).hexdigest()) for path, content in CONTENT.items()
    )
    integrity = f"sha512-{base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()}"
    made = replace(pinned(), integrity=integrity, files=files)
    for module in (web_runtime, page):
        monkeypatch.setattr(module, "pinned", lambda: made)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    return path


@pytest.fixture
def npm(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `npm` that gives the package to whoever asks for it by the pinned version."""
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1 $2" = "pack onnxruntime-web@1.30.0" ] || exit 3\ncp {package} "$4"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program


def test_the_pinned_version_has_its_hashes() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", pinned().version)
    assert len(base64.b64decode(pinned().integrity.removeprefix("sha512-"))) == 64
    assert [file.name for file in pinned().files] == ["ort.js", "ort-wasm-simd-threaded.wasm"]


def test_npm_is_asked_once_and_its_package_is_kept(npm: Path) -> None:
    folder = find_runtime("npm")
    assert (folder / "ort.js").read_bytes() == CONTENT["dist/a.mjs"]
    assert gzip.decompress((folder / "ort-wasm-simd-threaded.wasm.gz").read_bytes()) == CONTENT["dist/b.wasm"]
    npm.write_text("#!/bin/sh\nexit 9\n")
    assert find_runtime("npm") == find_runtime(None) == folder


@pytest.mark.parametrize("content", [b"", b"half", None])
def test_a_damaged_cache_is_filled_again(npm: Path, content: bytes | None) -> None:
    path = find_runtime("npm") / "ort-wasm-simd-threaded.wasm"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(KanjiError, match="the page needs onnxruntime-web"):
        find_runtime(None)
    assert (find_runtime("npm") / path.name).read_bytes() == CONTENT["dist/b.wasm"]


def test_a_package_with_another_hash_is_refused_and_not_kept(npm: Path, package: Path) -> None:
    package.write_bytes(package.read_bytes() + b"\0")
    with pytest.raises(KanjiError, match="its hash differs"):
        find_runtime("npm")
    assert web_runtime.cached() is None


def test_npm_that_fails_is_said(npm: Path) -> None:
    npm.write_text("#!/bin/sh\necho 'npm error network' >&2\nexit 1\n")
    with pytest.raises(KanjiError, match="npm error network"):
        find_runtime("npm")


def test_without_a_runtime_it_says_what_to_type(package: Path, kanji_tui) -> None:
    done = kanji_tui("export", "web")
    assert done.returncode == 1
    assert "kanji-tui export web --runtime npm" in done.stderr


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> ExportedPage:
    """A page of the built-in model, with a small file in the place of the runtime."""
    home = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        package = small_package(home, patch)
        with tarfile.open(package) as archive:
            archive.extractall(home, filter="data")
        return page.export_page(Path("built-in"), home / "page", str(home / "package"), SilentReport())


@pytest.mark.parametrize("mine", ["CNAME", ".git", "about.html", "main.js.map"])
def test_what_its_owner_added_to_a_page_is_not_lost(exported: ExportedPage, tmp_path: Path, mine: str) -> None:
    """The folder is replaced as a whole, so that export refuses where more than a page is in it."""
    folder = shutil.copytree(exported.path, tmp_path / "page")
    (folder / mine).mkdir() if mine == ".git" else (folder / mine).write_text("mine")
    with pytest.raises(UsageError, match=f"also holds {re.escape(mine)}, no part of a page"):
        page.export_page(Path("built-in"), folder, None, SilentReport())
    assert (folder / mine).exists()


@pytest.mark.parametrize("below", ["", "dist"])
def test_a_folder_may_hold_the_runtime(package: Path, tmp_path: Path, below: str) -> None:
    with tarfile.open(package) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = find_runtime(str(tmp_path / "package" / below))
    assert (folder / "ort.js").read_bytes() == CONTENT["dist/a.mjs"]
    (tmp_path / "package" / "dist" / "a.mjs").write_bytes(b"another version")
    with pytest.raises(UsageError, match="its hash differs"):
        find_runtime(str(tmp_path / "package"))
    with pytest.raises(UsageError, match="does not hold"):
        find_runtime(str(tmp_path / "bin"))


def test_the_folder_is_complete_and_asks_nobody_else(exported: ExportedPage) -> None:
    folder = Path(exported.path)
    assert exported.model == "built-in"
    texts = {
        path.name: path.read_text("utf-8") for path in folder.iterdir() if path.suffix in (".html", ".css", ".js")
    }
    for name, text in texts.items():
        named = [*re.findall(r'(?:src|href)="([^"]+)"', text), *re.findall(r'from "\./([^"]+)"', text)]
        named += re.findall(r'new URL\("([^"]+)", base\)', text)
        assert not [each for each in named if not (folder / each).is_file()], name
        assert not re.findall(r"https?://|url\(", text), name
    assert all(name in (folder / "licenses.txt").read_text("utf-8") for name in ("KANJIDIC2", "CC BY-SA"))
    assert f'http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY}"' in texts["index.html"]
    assert not re.findall(r"<script>|<style|\son\w+=| style=", texts["index.html"])  # that policy forbids them
    assert not re.findall(r"\beval\(|\bFunction\(|new Worker", "".join(texts.values()))


def test_copies_are_the_files_compressed_and_what_is_transferred_is_said(exported: ExportedPage) -> None:
    folder = Path(exported.path)
    copies = list(folder.glob("*.gz"))
    assert {path.name for path in copies} >= {"model.onnx.gz", "main.js.gz", "classes.json.gz", "index.html.gz"}
    for path in copies:
        assert gzip.decompress(path.read_bytes()) == path.with_suffix("").read_bytes()
    for path in folder.glob("*.br"):
        import brotli

        assert brotli.decompress(path.read_bytes()) == path.with_suffix("").read_bytes()
    smallest = min(path.stat().st_size for path in folder.glob("model.onnx*"))
    assert exported.transferred_model == smallest
    assert exported.transferred_page + smallest < 7e6
    assert exported.bytes == sum(path.stat().st_size for path in folder.iterdir())


def test_a_page_replaces_a_page_and_nothing_else(npm: Path, tmp_path: Path, kanji_tui) -> None:
    folder = tmp_path / "out" / "page"
    folder.mkdir(parents=True)
    (folder / "classes.json").write_text("{}")
    (folder / "of-yesterday.js").write_text("old")
    done = kanji_tui("export", "web", "--runtime", "npm", "--output-path", "out/page", "--json")
    assert json.loads(done.stdout)["path"] == "out/page"
    assert not (folder / "of-yesterday.js").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["page"]
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mine.txt").write_text("mine")
    refused = kanji_tui("export", "web", "--output-path", "letters")
    assert refused.returncode == 2
    assert "not a page" in refused.stderr
    assert (tmp_path / "letters" / "mine.txt").read_text() == "mine"


def test_a_model_of_ones_own_is_half_its_size_and_answers_alike(trained, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(web_model(trained.model_path))
    assert (tmp_path / "model.onnx").stat().st_size < 0.6 * trained.model_path.stat().st_size
    model, written = open_model(trained.model_path), Recogniser(tmp_path / "model.onnx")
    assert written.card == model.card
    images = np.random.default_rng(5).integers(0, 256, (20, model.card.size, model.card.size)).astype(np.uint8)
    expected, found = model.logits(images), open_model(tmp_path / "model.onnx").logits(images)
    assert np.abs(expected - found).max() < 0.02 * np.abs(expected).max()
    (tmp_path / "again.onnx").write_bytes(web_model(tmp_path / "model.onnx"))
    assert np.array_equal(open_model(tmp_path / "again.onnx").logits(images), found)
