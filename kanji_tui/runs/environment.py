"""Where a run was computed: `environment.json` in its directory, written when a training begins."""

import platform
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import kanji_tui
from kanji_tui.allowed import COUNT, TEXT
from kanji_tui.errors import KanjiError
from kanji_tui.system.files import write_json
from kanji_tui.system.gpu import read_gpus
from kanji_tui.system.machine import cores, memory
from kanji_tui.system.plain_data import read_as

ENVIRONMENT = "environment.json"
PACKAGES = ("torch", "numpy", "onnx", "onnxruntime", "tract", "textual", "psutil", "nvidia-ml-py")
GIT_SECONDS = 5.0

Text = Annotated[str, TEXT]


@dataclass(frozen=True)
class Environment:
    """`commit`: of the program's own repository, with `+` where files differ from it; empty for an installed one.

    `packages`: versions by name; `memory` in bytes, `cores` that the training may use.
    """

    program: Text = ""
    commit: Text = ""
    python: Text = ""
    packages: dict[str, Text] = field(default_factory=dict)
    host: Text = ""
    system: Text = ""
    processor: Text = ""
    cores: Annotated[int, COUNT] = 0
    memory: Annotated[int, COUNT] = 0
    gpus: tuple[Text, ...] = ()


def write_environment(run: Path) -> None:
    """Write environment.json of this process and machine into a run's directory."""
    write_json(run / ENVIRONMENT, asdict(find_environment()))


def read_environment(run: Path) -> Environment | None:
    """The environment of a run; None where it was not written or cannot be read."""
    try:
        return read_as(Environment, run / ENVIRONMENT)
    except KanjiError:
        return None


def find_environment() -> Environment:
    """The environment of this process."""
    return Environment(
        program=kanji_tui.__version__,
        commit=_commit(Path(kanji_tui.__file__).resolve().parents[1]),
        python=platform.python_version(),
        packages={name: found for name in PACKAGES if (found := _version(name))},
        host=socket.gethostname(),
        system=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        cores=cores().usable,
        memory=memory().total,
        gpus=tuple(gpu.name for gpu in read_gpus()),
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _commit(folder: Path) -> str:
    """The commit of the repository whose top is this folder; empty for a folder inside another's repository."""
    with suppress(OSError, subprocess.SubprocessError):
        top, commit = _git(folder, "rev-parse", "--show-toplevel", "HEAD").split()
        if Path(top).resolve() == folder:
            return commit + ("+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    return ""


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]  # fixed arguments of ours, and no shell
    ended = subprocess.run(  # nosec B603
        command, capture_output=True, text=True, check=True, timeout=GIT_SECONDS
    )
    return ended.stdout.strip()


def _processor() -> str:
    if sys.platform == "linux":
        with suppress(OSError):
            for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    return platform.processor()
