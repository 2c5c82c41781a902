"""ONNX Runtime Web for the page: one pinned version, checked, from a folder or by npm into the user's cache.

web_runtime.json holds the version, npm's integrity hash of the package, and the hash of each file that is used.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from kanji_tui.errors import KanjiError, UsageError, first_line
from kanji_tui.system.compression import COMPRESSED, compress
from kanji_tui.system.files import read_bytes, sha256
from kanji_tui.system.folders import replacing_folder, temporary_folder

NPM = "npm"
NPM_SECONDS = 300
GET_IT = "kanji-tui export web --runtime npm    (npm downloads it once; --runtime DIR takes it from a folder)"


@dataclass(frozen=True)
class RuntimeFile:
    """A file: its path in the npm package, its name in a page, its SHA-256."""

    package_path: str
    name: str
    sha256: str


@dataclass(frozen=True)
class Runtime:
    """The pinned version. `integrity`: npm's hash of the package, `sha512-...`."""

    package: str
    version: str
    integrity: str
    license: str
    files: tuple[RuntimeFile, ...]

    @property
    def title(self) -> str:
        return f"{self.package} {self.version}"


@cache
def pinned() -> Runtime:
    """The version that pages use."""
    value = json.loads((files("kanji_tui.engines") / "web_runtime.json").read_text(encoding="utf-8"))
    return Runtime(**{**value, "files": tuple(RuntimeFile(**file) for file in value["files"])})


def cache_folder() -> Path:
    """Where the runtime is kept for the next page."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kanji-tui" / f"{pinned().package}-{pinned().version}"


def cached() -> Path | None:
    """The folder with the runtime's files and their compressed copies; None where they are missing or damaged."""
    folder = cache_folder()
    return folder if all(_is_whole(folder / file.name, file) for file in pinned().files) else None


def _is_whole(path: Path, file: RuntimeFile) -> bool:
    return path.is_file() and sha256(path) == file.sha256


def find_runtime(source: str | None) -> Path:
    """The folder with the runtime's files under their names in a page.

    `source`: "npm", a folder (the unpacked package, its folder dist, or a page), or None: the cache. Raises
    KanjiError with what to type where it is not to be found.
    """
    if source is None:
        found = cached()
        if found is None:
            raise KanjiError(f"the page needs {pinned().title}, and it is not in {cache_folder().parent}", GET_IT)
        return found
    if source == NPM:
        return cached() or _fetch()
    return _from_folder(Path(source))


def _fetch() -> Path:
    """Let npm download the package, check it, and keep what is used."""
    npm = shutil.which("npm")
    if npm is None:
        raise KanjiError("npm is not installed", "install Node.js, or unpack the package: --runtime DIR")
    with temporary_folder() as temporary:
        wanted = f"{pinned().package}@{pinned().version}"
        command = [npm, "pack", wanted, "--pack-destination", str(temporary)]
        try:
            # npm, asked for one fixed package, whose hash is checked.
            done = subprocess.run(  # nosec B603
                command, cwd=temporary, capture_output=True, text=True, timeout=NPM_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise KanjiError(f"npm did not download {wanted} in {NPM_SECONDS} s", "try again") from None
        packages = list(temporary.glob("*.tgz"))
        if done.returncode or len(packages) != 1:
            reason = first_line(done.stderr) if done.stderr.strip() else f"exit code {done.returncode}"
            raise KanjiError(f"npm could not download {wanted}: {reason}", "try: npm view onnxruntime-web version")
        return keep(packages[0], cache_folder())


def keep(package: Path, folder: Path) -> Path:
    """Check a package and write the files of it that are used, and their compressed copies, into a folder."""
    digest = base64.b64encode(hashlib.sha512(read_bytes(package)).digest()).decode()
    if f"sha512-{digest}" != pinned().integrity:
        raise KanjiError(
            f"{package.name} is not the package {pinned().title}: its hash differs", "download it again"
        )
    with tarfile.open(package) as opened, replacing_folder(folder) as building:
        for file in pinned().files:
            content = opened.extractfile(f"package/{file.package_path}")
            assert content is not None, "the hash is that of a package with this file"
            (building / file.name).write_bytes(content.read())
            compress(building / file.name)
    return folder


def _from_folder(folder: Path) -> Path:
    """The folder itself if it holds the files under their names in a page, else a cache that is filled from it."""
    found = {}
    for file in pinned().files:
        places = (folder / file.name, folder / file.package_path, folder / Path(file.package_path).name)
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise UsageError(f"{folder} does not hold {Path(file.package_path).name} of {pinned().title}", GET_IT)
        if not _is_whole(path, file):
            raise UsageError(f"{path} is not that of {pinned().title}: its hash differs", GET_IT)
        found[file.name] = path
    with replacing_folder(cache_folder()) as building:
        for name, path in found.items():
            shutil.copyfile(path, building / name)
            compress(building / name)
    return cache_folder()


def copy_runtime(source: Path, folder: Path) -> None:
    """Copy the runtime's files and their compressed copies from the cache into a page."""
    for file in pinned().files:
        for ending in ("", *COMPRESSED):
            if (source / f"{file.name}{ending}").is_file():
                shutil.copyfile(source / f"{file.name}{ending}", folder / f"{file.name}{ending}")
