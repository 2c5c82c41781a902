"""Verdicts and remedies for Python and packages, GPU and CUDA, and the terminal."""

import pytest

from kanji_tui.preflight import machine_checks as machine
from kanji_tui.preflight.packages import Package
from kanji_tui.preflight.terminal import Terminal
from kanji_tui.system.gpu import Driver, GpuFacts
from kanji_tui.system.torch_facts import TorchDevice, TorchFacts
from tests.preflight.checks import assert_pasteable, find

GIB = 1024**3
H200 = GpuFacts(0, "NVIDIA H200", "9.0", 140 * GIB, 139 * GIB, False)
DRIVER = Driver("580.65", "13.0", (H200,))

# --- Python and packages ---------------------------------------------------------------------------------------


def test_missing_and_old_packages_are_named_with_their_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = (
        Package("numpy", ">=2.0", "1.26.4"),
        Package("tract", ">=0.23", ""),
        Package("textual", ">=8.2", ""),
        Package("rich", ">=14", "15.0"),
        Package("kanjivg", ">=20260714", "", "sample"),
    )
    monkeypatch.setattr(machine, "packages", lambda: needed)
    checks = machine.python_checks()
    assert find(checks, "numpy").verdict == "failed"
    assert find(checks, "numpy").found == "1.26.4, >=2.0 is needed"
    assert find(checks, "tract").verdict == "failed"
    assert find(checks, "tract").remedy.endswith("-m pip install 'tract>=0.23'")
    assert find(checks, "textual").verdict == "warning"
    assert "screens" in find(checks, "textual").found
    assert find(checks, "kanjivg").verdict == "not applicable"
    assert find(checks, "packages").found == "rich 15.0"


def test_an_old_python_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.platform, "python_version", lambda: "3.10.12")
    check = find(machine.python_checks(), "Python")
    assert check.verdict == "failed"
    assert ">=3.11 is needed" in check.found


# --- GPU and CUDA ----------------------------------------------------------------------------------------------


def test_no_gpu_is_a_warning_with_the_drivers_reason() -> None:
    check = find(machine.gpu_checks(Driver(reason="NVML Shared Library Not Found"), 0), "driver")
    assert check.verdict == "warning"
    assert "NVML Shared Library Not Found" in check.found


def test_each_gpu_is_described() -> None:
    checks = machine.gpu_checks(DRIVER, 2 * GIB)
    assert find(checks, "driver").found == "580.65, CUDA up to 13.0"
    assert find(checks, "GPU 0").verdict == "ok"
    assert find(checks, "GPU 0").found == "NVIDIA H200, capability 9.0, 139 GiB of 140 GiB free, MIG off"


def test_a_gpu_with_too_little_free_memory_is_a_warning() -> None:
    full = GpuFacts(1, "NVIDIA L4", "8.9", 24 * GIB, 3 * GIB, None)
    check = find(machine.gpu_checks(Driver("580.65", "13.0", (full,)), 2 * GIB), "GPU 1")
    assert check.verdict == "warning"
    assert "MIG" not in check.found
    assert check.remedy.startswith("nvidia-smi -i 1")


def test_mig_without_an_instance_is_a_warning() -> None:
    bare = GpuFacts(0, "NVIDIA H200", "9.0", None, None, True, 0, "memory: Insufficient Permissions")
    check = find(machine.gpu_checks(Driver("580.65", "13.0", (bare,)), 0), "GPU 0")
    assert check.verdict == "warning"
    assert "N/A: memory: Insufficient Permissions" in check.found


def torch_facts(build: str | None, devices: int = 0, reason: str = "") -> TorchFacts:
    device = TorchDevice("NVIDIA H200", "9.0", 140 * GIB, True, "")
    return TorchFacts("2.13.0", build, (device,) * devices, 16, reason, 3.0)


@pytest.mark.parametrize(
    ("facts", "driver", "verdict", "words", "remedy"),
    [
        (torch_facts("13.0", 1), DRIVER, "ok", "sees 1 of 1 GPUs", ""),
        (torch_facts(None), DRIVER, "warning", "CPU build", "whl/cu130"),
        (torch_facts(None), Driver("560.1", "12.6", (H200,)), "warning", "CPU build", "whl/cu126"),
        (torch_facts("13.0"), Driver("570.1", "12.8", (H200,)), "warning", "supports at most 12.8", "whl/cu128"),
        (torch_facts("13.2"), DRIVER, "warning", "sees no GPU: out of luck", "nvidia-smi"),
        (torch_facts(None), Driver(reason="none"), "ok", "CPU build", ""),
        (torch_facts("13.0"), Driver(reason="none"), "not applicable", "no GPU", ""),
    ],
)
def test_the_cuda_build_of_torch_is_compared_with_the_driver(
    facts: TorchFacts, driver: Driver, verdict: str, words: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if not facts.devices:
        facts = TorchFacts(**{**facts.__dict__, "reason": "out of luck"})
    check = machine.cuda_check(facts, driver)
    assert_pasteable(check)
    assert check.verdict == verdict
    assert words in check.found
    assert remedy in check.remedy


def test_hidden_gpus_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    check = machine.cuda_check(torch_facts("13.0"), DRIVER)
    assert (check.verdict, check.remedy) == ("warning", "unset CUDA_VISIBLE_DEVICES")


def test_a_device_that_cannot_compute_is_a_warning() -> None:
    device = TorchDevice("Tesla K80", "3.7", 12 * GIB, False, "no kernel image is available")
    facts = TorchFacts("2.13", "13.0", (device,), 4, "", 1.0)
    check = find(machine.torch_checks(facts, DRIVER), "torch on cuda:0")
    assert check.verdict == "warning"
    assert "no kernel image" in check.found


# --- terminal --------------------------------------------------------------------------------------------------

GOOD = Terminal(True, 120, 40, "tmux-256color", "truecolour", False, True, True, "tmux")


def test_a_good_terminal_passes() -> None:
    assert {check.verdict for check in machine.terminal_checks(GOOD)} == {"ok"}


@pytest.mark.parametrize(
    ("change", "name", "verdict", "words"),
    [
        ({"attached": False}, "size", "not applicable", "no terminal"),
        ({"columns": 79}, "size", "warning", "80 x 24 is needed"),
        ({"columns": 80, "rows": 24}, "size", "ok", "80 x 24"),
        ({"columns": 0, "rows": 0}, "size", "warning", "does not report"),
        ({"no_color": True}, "colours", "ok", "NO_COLOR"),
        ({"colours": "none", "term": "dumb"}, "colours", "warning", "'dumb'"),
        ({"declares_utf8": False}, "UTF-8", "warning", "is not UTF-8"),
        ({"declares_utf8": False, "multiplexer": ""}, "UTF-8", "ok", "is not UTF-8"),
        ({"encodes_utf8": False, "multiplexer": ""}, "UTF-8", "warning", "is not UTF-8"),
    ],
)
def test_each_limit_of_a_terminal_has_its_verdict(change: dict, name: str, verdict: str, words: str) -> None:
    check = find(machine.terminal_checks(Terminal(**{**GOOD.__dict__, **change})), name)
    assert check.verdict == verdict
    assert words in check.found
