"""Preflight checks of this machine: Python and packages, GPU and CUDA, memory and cores, terminal.

Each turns facts, which other modules read, into verdicts. A remedy is a shell command; explanations follow a # in
it.
"""

import os
import platform
import shlex
import sys

from kanji_tui.errors import KanjiError
from kanji_tui.preflight.packages import Package, fits, packages, wanted_python
from kanji_tui.preflight.terminal import Terminal
from kanji_tui.system.check import Check, Verdict
from kanji_tui.system.gpu import Driver, GpuFacts
from kanji_tui.system.machine import cores, memory
from kanji_tui.system.numbers import size
from kanji_tui.system.torch_facts import TorchDevice, TorchFacts

PYTHON, GPU, MEMORY, TERMINAL = "Python and packages", "GPU and CUDA", "memory", "terminal"

# What does not work without these packages; everything else does.
LIMITED_WITHOUT = {"textual": "the screens", "nvidia-ml-py": "GPU load, memory, power and temperature"}
SMALLEST_TERMINAL = (80, 24)
GPU_WORKING_BYTES = 2 * 1024**3  # activations and kernels beside the data, at the recipes' batch sizes


def python_checks() -> list[Check]:
    """The running Python and every package, against the versions that the program requires."""
    wanted, found = wanted_python(), platform.python_version()
    running = f"{found} ({sys.executable})"
    if fits(found, wanted):
        checks = [Check(PYTHON, "Python", "ok", running)]
    else:
        remedy = f"sudo apt install python3 python3-venv  # or any other Python {wanted}"
        checks = [Check(PYTHON, "Python", "failed", f"{running}, {wanted} is needed", remedy)]
    required = packages()
    if not required:
        found = "the program is not installed but runs from its source folder, so versions cannot be checked"
        return [*checks, Check(PYTHON, "packages", "warning", found, pip("-e ."))]
    fitting = [package for package in required if package.fits]
    found = ", ".join(f"{package.name} {package.found}" for package in fitting) or "none has the required version"
    checks.append(Check(PYTHON, "packages", "ok" if fitting else "failed", found))
    return checks + [_unfit(package) for package in required if not package.fits]


def _unfit(package: Package) -> Check:
    state = f"{package.found}, {package.wanted} is needed" if package.found else "not installed"
    remedy = pip(shlex.quote(f"{package.name}{package.wanted}"))
    if package.extra:
        found = f"{state}; only the extra [{package.extra}] needs it"
        return Check(PYTHON, package.name, "warning" if package.found else "not applicable", found, remedy)
    if package.name in LIMITED_WITHOUT:
        found = f"{state}; without it these do not work: {LIMITED_WITHOUT[package.name]}"
        return Check(PYTHON, package.name, "warning", found, remedy)
    return Check(PYTHON, package.name, "failed", state, remedy)


def pip(what: str) -> str:
    """The command that installs `what` into the running Python."""
    return f"{shlex.quote(sys.executable)} -m pip install {what}"


def gpu_checks(driver: Driver, data_bytes: int) -> list[Check]:
    """The driver and each of its GPUs; their memory must hold `data_bytes` of images beside the training."""
    if not driver.gpus:
        found = f"no NVIDIA GPU: {driver.reason}. Everything runs on the CPU, and training is slow"
        remedy = "nvidia-smi  # works where there is a GPU and NVIDIA's driver is installed"
        return [Check(GPU, "driver", "warning", found, remedy)]
    version = Check(GPU, "driver", "ok", f"{driver.version or 'unknown version'}, CUDA up to {driver.cuda or '?'}")
    return [version, *(_gpu_check(gpu, data_bytes + GPU_WORKING_BYTES) for gpu in driver.gpus)]


def _gpu_check(gpu: GpuFacts, needed: int) -> Check:
    facts = [gpu.name, f"capability {gpu.capability or 'unknown'}"]
    if gpu.memory_free is not None and gpu.memory_total is not None:
        facts.append(f"{size(gpu.memory_free)} of {size(gpu.memory_total)} free")
    if gpu.mig is not None:
        facts.append(f"MIG on, {gpu.instances} instances visible" if gpu.mig else "MIG off")
    if gpu.reason:
        facts.append(f"N/A: {gpu.reason}")
    name = f"GPU {gpu.index}"
    if gpu.mig and not gpu.instances:
        remedy = f"sudo nvidia-smi mig -i {gpu.index} -cgi 0 -C  # one instance over the whole GPU"
        return Check(GPU, name, "warning", ", ".join(facts), remedy)
    if gpu.memory_free is not None and gpu.memory_free < needed:
        facts.append(f"training needs about {size(needed)}")
        remedy = f"nvidia-smi -i {gpu.index}  # shows which processes use it"
        return Check(GPU, name, "warning", ", ".join(facts), remedy)
    return Check(GPU, name, "ok", ", ".join(facts))


def torch_failed(error: KanjiError) -> list[Check]:
    """The check of a torch that could not be asked."""
    return [Check(PYTHON, "torch imports", "failed", error.message, pip("--force-reinstall torch"))]


def torch_checks(facts: TorchFacts, driver: Driver) -> list[Check]:
    """The checks of torch and of its devices."""
    found = f"torch {facts.version}, imported in {facts.seconds:.1f} s, threads: {facts.threads}"
    return [
        Check(PYTHON, "torch imports", "ok", found),
        cuda_check(facts, driver),
        *(_device_check(index, device) for index, device in enumerate(facts.devices)),
    ]


def cuda_check(facts: TorchFacts, driver: Driver) -> Check:
    """Does torch's CUDA build run on the driver? The same or an older major version does, a newer one does not.

    Within a major version, newer toolkits run on older drivers (NVIDIA: CUDA minor version compatibility).
    """
    name = "torch and CUDA"
    if facts.cuda_build is None:
        if not driver.gpus:
            return Check(GPU, name, "ok", "torch is a CPU build, and there is no GPU")
        return Check(GPU, name, "warning", "torch is a CPU build and does not use the GPU", torch_for(driver))
    found = f"torch is built for CUDA {facts.cuda_build}"
    if facts.devices:
        return Check(GPU, name, "ok", f"{found}, sees {len(facts.devices)} of {len(driver.gpus) or '?'} GPUs")
    if not driver.gpus:
        return Check(GPU, name, "not applicable", f"{found}; there is no GPU")
    if driver.cuda and _major(facts.cuda_build) > _major(driver.cuda):
        found = f"{found}, the driver supports at most {driver.cuda}"
        return Check(GPU, name, "warning", found, torch_for(driver))
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None:
        found += f" and sees no GPU: CUDA_VISIBLE_DEVICES is '{hidden}'"
        return Check(GPU, name, "warning", found, "unset CUDA_VISIBLE_DEVICES")
    return Check(
        GPU, name, "warning", f"{found} and sees no GPU: {facts.reason or 'no reason given'}", "nvidia-smi"
    )


def torch_for(driver: Driver) -> str:
    """The command that installs the newest CUDA build of torch that the driver supports."""
    version = tuple(int(part) for part in driver.cuda.split(".")) if driver.cuda else (13, 0)
    build = "cu130" if version >= (13,) else "cu128" if version >= (12, 8) else "cu126"
    return pip(f"--force-reinstall torch --index-url https://download.pytorch.org/whl/{build}")


def _device_check(index: int, device: TorchDevice) -> Check:
    name = f"torch on cuda:{index}"
    found = f"{device.name}, {size(device.memory_total)}, bf16 {'yes' if device.bf16 else 'no'}"
    if device.error:
        remedy = pip("--upgrade --force-reinstall torch")
        return Check(GPU, name, "warning", f"{found}; a test multiplication failed: {device.error}", remedy)
    return Check(GPU, name, "ok", found)


def _major(version: str) -> int:
    return int(version.split(".")[0])


def memory_checks(needed: int, purpose: str, remedy: str) -> list[Check]:
    """Is there enough RAM for the `needed` bytes of `purpose`, and how many cores are usable?"""
    ram, cpu = memory(), cores()
    found = f"{size(ram.available)} of {size(ram.total)} available"
    if ram.limit is not None:
        found += f", this process may use {size(ram.limit)}"
    found += f"; {purpose} needs about {size(needed)}"
    enough = ram.available >= needed
    usable = f"{cpu.usable} of {cpu.total} usable"
    if cpu.quota is not None and cpu.quota < cpu.usable:
        usable += f", limited by a quota to {cpu.quota:.1f}"
    return [
        Check(MEMORY, "RAM", "ok" if enough else "warning", found, "" if enough else remedy),
        Check(MEMORY, "CPU cores", "ok", usable),
    ]


def terminal_checks(terminal: Terminal) -> list[Check]:
    """Can the terminal show the screens?"""
    if not terminal.attached:
        found = "no terminal: the commands work, but the screens need one"
        return [Check(TERMINAL, "size", "not applicable", found, "kanji-tui demo")]
    return [_size_check(terminal), _colour_check(terminal), _text_check(terminal), _multiplexer_check(terminal)]


def _size_check(terminal: Terminal) -> Check:
    if not terminal.columns:
        return Check(TERMINAL, "size", "warning", "the terminal does not report its size", "stty size")
    found = f"{terminal.columns} x {terminal.rows}"
    columns, rows = SMALLEST_TERMINAL
    if terminal.columns < columns or terminal.rows < rows:
        return Check(
            TERMINAL, "size", "warning", f"{found}, {columns} x {rows} is needed", "stty size  # enlarge the window"
        )
    return Check(TERMINAL, "size", "ok", found)


def _colour_check(terminal: Terminal) -> Check:
    if terminal.no_color:
        return Check(TERMINAL, "colours", "ok", "none, as NO_COLOR asks")
    if terminal.colours == "none":
        found = f"TERM is '{terminal.term}', which has no colours"
        return Check(TERMINAL, "colours", "warning", found, "export TERM=xterm-256color")
    names = {"truecolour": "truecolour", "256": "256 colours", "16": "16 colours"}
    return Check(TERMINAL, "colours", "ok", f"{names[terminal.colours]} (TERM is {terminal.term})")


def _text_check(terminal: Terminal) -> Check:
    if terminal.declares_utf8 and terminal.encodes_utf8:
        return Check(TERMINAL, "UTF-8", "ok", "Japanese text can be shown")
    # Outside tmux and screen only Python's encoding matters; inside, they use the locale.
    verdict: Verdict = "warning" if terminal.multiplexer or not terminal.encodes_utf8 else "ok"
    restart = f"  # then restart {terminal.multiplexer}" if terminal.multiplexer else ""
    return Check(TERMINAL, "UTF-8", verdict, "the locale is not UTF-8", f"export LANG=C.UTF-8{restart}")


def _multiplexer_check(terminal: Terminal) -> Check:
    if terminal.multiplexer:
        found = f"inside {terminal.multiplexer}: the screens survive a lost connection"
        return Check(TERMINAL, "tmux or screen", "ok", found)
    if "SSH_CONNECTION" in os.environ:
        found = "over SSH without one: a lost connection closes the screens, trainings go on"
        return Check(TERMINAL, "tmux or screen", "ok", found, "tmux new -A -s kanji")
    return Check(TERMINAL, "tmux or screen", "not applicable", "none")
