"""Asking torch in a child: the installed torch, and broken replacements."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from kanji_tui.errors import KanjiError
from kanji_tui.system.torch_facts import read_torch_facts


@pytest.fixture
def stub_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Replace the package `torch` by the given source, in child processes only."""

    def put(source: str) -> None:
        (tmp_path / "torch").mkdir()
        (tmp_path / "torch" / "__init__.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return put


def test_the_installed_torch_is_described() -> None:
    facts = read_torch_facts()
    assert facts.version == torch.__version__
    assert facts.cuda_build == torch.version.cuda
    assert len(facts.devices) == torch.cuda.device_count()
    assert all(device.error == "" for device in facts.devices)
    assert facts.seconds > 0


def test_a_failed_import_gives_the_last_line_of_the_traceback(stub_torch) -> None:
    stub_torch("raise ImportError('libcudart.so.13: cannot open shared object file')")
    with pytest.raises(KanjiError) as raised:
        read_torch_facts()
    assert raised.value.message == "ImportError: libcudart.so.13: cannot open shared object file"


def test_a_crash_gives_its_signal(stub_torch) -> None:
    stub_torch("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(KanjiError, match="SIGSEGV"):
        read_torch_facts()


def test_a_silent_end_gives_its_exit_code(stub_torch) -> None:
    stub_torch("import os; os._exit(3)")
    with pytest.raises(KanjiError, match="exit code 3"):
        read_torch_facts()


def test_a_hanging_import_is_killed_at_the_limit_with_its_children(stub_torch, tmp_path: Path) -> None:
    stub_torch(
        "import os, subprocess, sys, time\n"
        "sleeper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{sleeper.pid}}')\n"
        "time.sleep(600)"
    )
    with pytest.raises(KanjiError, match="did not answer in time"):
        read_torch_facts(limit=2)
    time.sleep(0.2)
    for pid in (tmp_path / "pids").read_text().split():
        assert not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE


def test_output_of_torch_does_not_change_the_answer(stub_torch) -> None:
    stub_torch(
        "import os, sys\n"
        "print('hello'); os.write(1, b'from below'); sys.stderr.write('x' * 200_000)\n"
        "__version__ = '9.9'\n"
        "class version: cuda = '13.0'\n"
        "class cuda:\n"
        "    @staticmethod\n"
        "    def is_available():\n"
        "        import warnings; warnings.warn('The NVIDIA driver on your system is too old'); return False\n"
        "def get_num_threads(): return 1\n"
    )
    facts = read_torch_facts()
    assert (facts.version, facts.cuda_build, facts.devices) == ("9.9", "13.0", ())
    assert facts.reason == "The NVIDIA driver on your system is too old"


def test_torch_is_not_loaded_in_this_process() -> None:
    code = (
        "import sys, kanji_tui.system.torch_facts, kanji_tui.preflight.all_checks; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
