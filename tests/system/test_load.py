"""The load of the machine and of a job: real counters, and some that move only when told to."""

import os
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from kanji_tui.events import Load
from kanji_tui.system import load
from kanji_tui.system.load import LoadMeter, processes

BUSY = """
import sys, time
while time.process_time() < 0.6: pass
print("done", flush=True)
sys.stdin.read()
"""


class Clock:
    """Time and counters that move only when told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.read, self.written = 5_000, 7_000
        self.interfaces = {"lo": (900, 900), "eth0": (1_000, 2_000), "eth1": (0, 0)}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(load.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(
        psutil, "disk_io_counters", lambda: SimpleNamespace(read_bytes=clock.read, write_bytes=clock.written)
    )
    monkeypatch.setattr(
        psutil,
        "net_io_counters",
        lambda pernic: {
            name: SimpleNamespace(bytes_recv=received, bytes_sent=sent)
            for name, (received, sent) in clock.interfaces.items()
        },
    )
    return clock


def test_disks_and_network_are_bytes_a_second_since_the_last_reading(clock: Clock) -> None:
    meter = LoadMeter()
    clock.now, clock.read, clock.written = 105.0, 5_500, 7_050
    clock.interfaces = {"lo": (9_900, 9_900), "eth0": (1_100, 2_200), "eth1": (50, 0)}
    first = meter.read()
    assert (first.disk_read, first.disk_write) == (100.0, 10.0)
    assert (first.network_in, first.network_out) == (30.0, 40.0), "without loopback"
    clock.now = 110.0
    assert nothing_moved(meter.read())


def nothing_moved(found: Load) -> bool:
    return (found.disk_read, found.disk_write, found.network_in, found.network_out) == (0, 0, 0, 0)


def test_an_interface_that_goes_away_is_no_negative_rate(clock: Clock) -> None:
    meter = LoadMeter()
    clock.now, clock.interfaces = 105.0, {"lo": (900, 900), "eth1": (10, 0)}
    found = meter.read()
    assert (found.network_in, found.network_out) == (0.0, 0.0)


def test_what_the_system_does_not_say_is_none(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.interfaces = {"lo": (900, 900)}
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: None)
    monkeypatch.setattr(psutil, "Process", lambda pid: (_ for _ in ()).throw(psutil.AccessDenied(pid)))
    meter = LoadMeter()
    clock.now = 105.0
    found = meter.read()
    assert found.memory_used
    assert found == Load(cpu=found.cpu, memory_used=found.memory_used, memory_total=found.memory_total)


def test_a_job_is_its_process_and_all_below_it(clock: Clock) -> None:
    meter = LoadMeter()
    alone = meter.read()
    # A shell of its own between: a child of a child.
    with subprocess.Popen(
        ["/bin/sh", "-c", '"$0" -c "$1"; true', sys.executable, BUSY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as shell:
        assert shell.stdout is not None
        assert shell.stdout.readline() == b"done\n"
        family = processes(os.getpid())
        assert shell.pid in family
        assert set(psutil.Process(shell.pid).children()) == {
            psutil.Process(pid) for pid in processes(shell.pid)[1:]
        }
        clock.now += 10.0
        with_child = meter.read()
        own = psutil.Process().memory_info().rss
        assert with_child.own_memory > own + 2 * 2**20
        assert with_child.own_cpu is not None
        # A tenth of a second less than it used: the system says each of its counters in whole ticks.
        assert 0.5 / 10 / load.usable_cores() <= with_child.own_cpu <= 1.0
        assert alone.own_memory is not None
    assert shell.pid not in processes(os.getpid())
    clock.now += 10.0
    after = meter.read()
    assert after.own_cpu < 0.5 / 10 / load.usable_cores(), "what a child used counts once, also when it has ended"


def test_without_a_list_of_children_the_table_of_processes_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
        listed = sorted(processes(os.getpid()))
        monkeypatch.setattr(load, "Path", lambda text: SimpleNamespace(iterdir=lambda: iter(())))
        assert sorted(processes(os.getpid())) == listed
        assert child.pid in listed


def test_a_process_that_has_ended_has_no_children() -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    assert processes(int(ended.stdout)) == [int(ended.stdout)]
