"""What all tests share: a report that remembers, a small drawn sample, its dataset, a trained model."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy or torch are loaded: workers share the cores

import gc
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from kanji_tui.events import Event
from tests.forking import Forks, forking

os.environ.setdefault("KANJI_TUI_SEED", str(int(time.time())))  # of random faults: one for all test workers

# What a user's cache holds must not change a test; those of the web page that need the runtime in it say so.
# Test workers find what the process that starts them has set here.
USERS_CACHE = os.environ.setdefault("KANJI_TUI_USERS_CACHE", os.environ.get("XDG_CACHE_HOME", ""))
OWN_CACHE = TemporaryDirectory(prefix="kanji-tui-cache-")  # deleted when the process ends
os.environ["XDG_CACHE_HOME"] = OWN_CACHE.name

# A container may say that no bytecode is kept. Each worker and each of a hundred children would compile all anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Half of hypothesis's 100 examples for each test that says nothing else, the same ones at every run. No test
# asserts a time.
settings.register_profile(
    "suite", max_examples=50, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

SHARED_FORKS = "KANJI_TUI_SHARED_FORKS"
UNTIL_THE_END = ExitStack()

gc.set_threshold(50_000, 50, 50)  # a full collection takes 0.2 s where torch and Textual are loaded

# The files that take longest, which begin first: at the end no worker waits long for the other.
LONGEST = (
    *("test_gpu_benchmark", "test_all_steps", "test_docs", "test_everywhere", "test_queued_keys", "test_tmux"),
    *("test_browser", "test_variants", "test_torchrun", "test_tour", "test_snapshots"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


def pytest_configure(config: pytest.Config) -> None:
    """The programs that tests start hear SIGHUP and SIGINT also where the shell has everything ignore them.

    `nohup` does so with SIGHUP, and `&` in a script with SIGINT. Test workers share one process to fork.
    """
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        os.environ[SHARED_FORKS] = UNTIL_THE_END.enter_context(forking())
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)  # which no program inherits
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    UNTIL_THE_END.close()


def pytest_sessionfinish() -> None:
    """pytest collects garbage five times at its end, which takes seconds where torch is loaded."""
    gc.freeze()


@dataclass
class Remembered:
    """A report that keeps its events; set `stop` to ask the job to stop."""

    directory: Path | None = None
    events: list[Event] = field(default_factory=list)
    stop: bool = False

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def stop_requested(self) -> bool:
        return self.stop

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def report() -> Remembered:
    return Remembered()


@dataclass(frozen=True)
class Trained:
    """A home folder with a dataset and a finished, published training on it."""

    home: Path
    data_dir: Path
    models_dir: Path
    run: Path

    @property
    def model_path(self) -> Path:
        return self.models_dir / "best_kanji_model.pth"


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that `make` fills once for all test workers, in the way xdist's documentation gives. Read only."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not (folder / ".made").exists():
            folder.mkdir()
            make(folder)
            (folder / ".made").touch()
    return folder


@pytest.fixture(scope="session")
def sample_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record files with 12 classes by 16 synthetic writers, from a font, which is learned fast. Read only."""
    from kanji_tui.data.sample import generate_sample

    home = made_once(
        tmp_path_factory, "sample", lambda home: generate_sample(home / "ETL9G", 12, 16, 1, Remembered(), "font")
    )
    return home / "ETL9G"


@pytest.fixture(scope="session")
def sample_dataset(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample prepared at 32 pixels. Read only."""
    from kanji_tui.data.preparation import prepare

    home = made_once(
        tmp_path_factory,
        "prepared",
        lambda home: prepare(sample_dir, home / "dataset", 32, 1, None, Remembered()),
    )
    return home / "dataset"


@pytest.fixture(scope="session")
def trained(sample_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The sample's dataset and a kanjinet trained on it for a few epochs, published. Read only."""
    from kanji_tui.jobs.train import Spec
    from kanji_tui.runs.process import entry_of, run_in
    from kanji_tui.runs.run_directory import create
    from kanji_tui.system.plain_data import to_plain
    from kanji_tui.training.config import configure

    def train(home: Path) -> None:
        models = home / "models"
        config = configure(epochs=8, batch_size=32, precision="float32")  # fewer steps read worse
        spec = Spec(data_dir=sample_dataset, models_dir=models, config=config)
        run = create("train", entry_of("train"), to_plain(spec), models / "runs")
        assert run_in(run) == 0, run.events.read_text()

    home = made_once(tmp_path_factory, "trained", train)
    (run,) = (home / "models" / "runs").iterdir()
    return Trained(home, sample_dataset, home / "models", run)


def run_command(home: Path, *arguments: object, timeout: float = 300, **environment: str):
    """Run `kanji-tui ARGUMENTS` as a process in the folder `home`; returns the ended process."""
    return subprocess.run(
        [sys.executable, "-m", "kanji_tui", *map(str, arguments)],
        cwd=home,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@dataclass(frozen=True)
class Ended:
    """What a command of `kanji_tui` ended with and printed, named as in a `subprocess.CompletedProcess`."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Stands in for `subprocess`: its commands are forks of a process that has loaded torch."""
    if SHARED_FORKS in os.environ:
        yield Forks(os.environ[SHARED_FORKS])
    else:
        with forking() as address:
            yield Forks(address)


@pytest.fixture
def forked_jobs(forks: Forks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are forks of a process that has loaded torch."""
    monkeypatch.setattr("kanji_tui.runs.process.subprocess", forks)


@pytest.fixture
def forked_children(forks: Forks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's children are forks too: engines, the recogniser, what the workbench asks for."""
    monkeypatch.setattr("kanji_tui.system.child.subprocess", forks)


@pytest.fixture
def kanji_tui(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], forked_jobs: None
):
    """`kanji-tui ARGUMENTS` within this process, in a folder of the test's own: torch is loaded once for all tests.

    What runs as a child of the command (each training) is a process here too, a fork; `run_command` starts an
    interpreter.
    """

    def call(*arguments: object, **environment: str) -> Ended:
        from kanji_tui.cli import main

        torch = sys.modules.get("torch")
        threads = torch.get_num_threads() if torch else 0
        monkeypatch.chdir(tmp_path)
        capsys.readouterr()
        if isinstance(sys.stderr, TextIOWrapper):  # as in a process of its own
            sys.stderr.reconfigure(errors="backslashreplace")
        with patch.dict(os.environ, environment):  # --home sets a variable for child processes
            code = main([str(argument) for argument in arguments])
        if torch:
            torch.set_num_threads(threads)
        return Ended(code, *capsys.readouterr())

    return call


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly which tests of the page and of faults were skipped: they need what not every machine has.

    And the seed of the random faults.
    """
    if terminalreporter.config.getoption("markexpr") == "faults":
        terminalreporter.write_line(f"KANJI_TUI_SEED={os.environ['KANJI_TUI_SEED']}")
    for folder, what in (("/web/", "the web page"), ("/faults/", "faults")):
        skipped = [each for each in terminalreporter.stats.get("skipped", []) if folder in each.nodeid]
        reasons = {str(each.longrepr[2]).removeprefix("Skipped: ") for each in skipped}
        for reason in sorted(reasons):
            terminalreporter.write_line(f"SKIPPED tests of {what}: {reason}", yellow=True, bold=True)
