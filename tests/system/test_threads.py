import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from kanji_tui.system import threads
from kanji_tui.system.threads import SPIN_COUNT, OthersLoad, busy_cores, threads_for, usable_cores

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
    ("cores", "busy", "expected"),
    [(2, 0.0, 2), (2, 0.4, 2), (2, 0.6, 1), (2, 1.0, 1), (2, 2.0, 1), (16, 1.2, 15), (16, 16.0, 1), (1, 0.0, 1)],
)
def test_busy_cores_get_no_thread(cores, busy, expected):
    assert threads_for(cores, busy) == expected


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


def test_the_load_of_others_is_what_this_process_did_not_use(monkeypatch):
    """A second of two cores: 1.7 s busy, of which 0.9 s were this process's."""
    import psutil

    clock, times, own = iter((10.0, 11.0)), iter((0.0, 0.85)), iter((5.0, 5.9))

    def cpu_times(percpu):
        user = next(times)
        return [SimpleNamespace(user=user, system=0.0, idle=9.0, guest=user)] * 2

    monkeypatch.setattr(psutil, "cpu_times", cpu_times)
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda pid: {0, 1})
    monkeypatch.setattr(threads.os, "times", lambda: SimpleNamespace(user=next(own), system=0.0))
    monkeypatch.setattr(threads.time, "monotonic", lambda: next(clock))
    load = OthersLoad()
    assert load.busy_cores() is None  # one sample says nothing
    assert load.busy_cores() == pytest.approx(0.8)
