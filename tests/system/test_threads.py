import os
import subprocess
import sys

import pytest

from kanji_tui.system.threads import SPIN_COUNT, busy_cores, threads_for, usable_cores

SHOW = (
    "import os; from kanji_tui.system.threads import prepare_process; prepare_process(); "
    "print(os.environ.get('OMP_NUM_THREADS'), os.environ.get('GOMP_SPINCOUNT'))"
)


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        ({}, f"None {SPIN_COUNT}"),
        ({"OMP_NUM_THREADS": "3", "GOMP_SPINCOUNT": "7"}, "3 7"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "None None"),
    ],
)
def test_environment_variables_of_the_user_take_precedence(given, settings):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    command = [sys.executable, "-c", SHOW]
    assert subprocess.check_output(command, env={**clean, **given}, text=True).strip() == settings


@pytest.mark.parametrize(
    ("cores", "busy", "threads"),
    [(2, 0.0, 2), (2, 0.4, 2), (2, 0.6, 1), (2, 1.0, 1), (2, 2.0, 1), (16, 1.2, 15), (16, 16.0, 1), (1, 0.0, 1)],
)
def test_busy_cores_get_no_thread(cores, busy, threads):
    assert threads_for(cores, busy) == threads


def test_a_busy_process_is_measured():
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        try:
            assert 0.3 < busy_cores() <= usable_cores()
        finally:
            other.kill()


def test_without_psutil_the_load_average_counts(monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.setattr(os, "getloadavg", lambda: (1.5, 0.5, 0.1))
    assert busy_cores() == 1.5
