"""The checks before the work: verdicts and remedies for folders and machines as they come."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kanji_tui.data.etl import KNOWN_FILES
from kanji_tui.errors import Stopped
from kanji_tui.jobs import preflight
from kanji_tui.jobs.preflight import GROUPS, Prepared, Spec, font_checks, quick_checks, run, torch_checks
from kanji_tui.system import preflight as machine
from kanji_tui.system.check import Check
from kanji_tui.system.gpu import Driver, GpuFacts
from kanji_tui.system.machine import Cores, Disk, Memory
from kanji_tui.system.packages import Package
from kanji_tui.system.terminal import Terminal
from kanji_tui.system.torch_facts import TorchDevice, TorchFacts

GIB = 1024**3
H200 = GpuFacts(0, "NVIDIA H200", "9.0", 140 * GIB, 139 * GIB, False)
DRIVER = Driver("580.65", "13.0", (H200,))


def at(home: Path) -> Spec:
    return Spec(home=home)


def find(checks: list[Check], name: str, group: str = "") -> Check:
    """The one check of this name; its remedy must be a shell command."""
    found = [check for check in checks if check.name == name and group in ("", check.group)]
    assert len(found) == 1, [check.name for check in checks]
    assert_pasteable(found[0])
    return found[0]


def assert_pasteable(check: Check) -> None:
    parsed = subprocess.run(["bash", "-n", "-c", check.remedy], capture_output=True, text=True, check=False)
    assert parsed.returncode == 0, f"{check.name}: {check.remedy}: {parsed.stderr}"
    assert check.remedy or check.verdict in ("ok", "not applicable"), check


def etl_files(home: Path, **sizes: int) -> None:
    """Record files of these sizes that take no room on the disk."""
    (home / "ETL9G").mkdir()
    for name, size in sizes.items():
        with open(home / "ETL9G" / name, "wb") as file:
            file.truncate(size)


def pretend(monkeypatch: pytest.MonkeyPatch, samples: int) -> None:
    """A dataset of `samples` pictures of 64 x 64 that is too large to make here."""
    monkeypatch.setattr(preflight, "read_prepared", lambda path: Prepared(samples, 3036, 64, "ETL9G record files"))


# --- the whole -------------------------------------------------------------------------------------------------


def test_all_groups_come_in_order_and_an_empty_folder_is_no_failure(tmp_path: Path, report) -> None:
    checks = run(at(tmp_path), report).checks
    groups = [check.group for check in checks]
    assert list(dict.fromkeys(groups)) == list(GROUPS)
    assert groups == sorted(groups, key=GROUPS.index)
    assert not [check for check in checks if check.verdict == "failed"]
    for check in checks:
        assert_pasteable(check)
    assert report.events[-1].done == report.events[-1].total


def test_the_command_prints_json_and_exits_0_without_data(kanji_tui, tmp_path: Path) -> None:
    process = kanji_tui("preflight", "--json")
    assert process.returncode == 0, process.stderr
    checks = json.loads(process.stdout)["checks"]
    assert {"group", "name", "verdict", "found", "remedy"} <= set(checks[0])
    assert next(c["found"] for c in checks if c["name"] == "Python").startswith(sys.version.split()[0])
    assert list(tmp_path.iterdir()) == []  # looking leaves nothing behind


def test_a_broken_torch_fails_the_command_with_its_reason(kanji_tui, tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise OSError('libtorch_cpu.so: undefined symbol')")
    process = kanji_tui("preflight", "--json", PYTHONPATH=str(tmp_path))
    assert process.returncode == 1, process.stderr
    failed = [check for check in json.loads(process.stdout)["checks"] if check["verdict"] == "failed"]
    assert [check["name"] for check in failed] == ["torch imports"]
    assert "undefined symbol" in failed[0]["found"]
    assert "pip install" in failed[0]["remedy"]


def test_without_numpy_the_other_checks_still_speak(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('no numpy')")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from kanji_tui.jobs.preflight import *\n"
        "checks = quick_checks(Spec(home=Path(sys.argv[1]))) + font_checks(Spec())\n"
        "print([check.found for check in checks if check.name == 'files'])"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "no numpy" in process.stdout


def test_a_stop_is_heeded(tmp_path: Path, report) -> None:
    report.stop = True
    with pytest.raises(Stopped):
        run(at(tmp_path), report)


def test_the_quick_checks_are_quick_and_load_no_torch(sample_dataset: Path, tmp_path: Path) -> None:
    etl_files(tmp_path, **dict.fromkeys(KNOWN_FILES, 8199))
    spec = Spec(home=tmp_path, data_dir=sample_dataset)
    quick_checks(spec)
    began = time.process_time()
    quick_checks(spec)
    assert time.process_time() - began < 0.1
    loaded = "import sys; from kanji_tui.jobs.preflight import *; quick_checks(Spec()); print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert not {"torch", "onnx", "onnxruntime", "textual"} & set(process.stdout.split())


# --- Python and packages ---------------------------------------------------------------------------------------


def test_missing_and_old_packages_are_named_with_their_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = (
        Package("numpy", ">=2.0", "1.26.4"),
        Package("tract", ">=0.23", ""),
        Package("textual", ">=8.2", ""),
        Package("rich", ">=14", "15.0"),
        Package("matplotlib-fontja", ">=1.1", "", "sample"),
    )
    monkeypatch.setattr(machine, "packages", lambda: needed)
    checks = machine.python_checks()
    assert find(checks, "numpy").verdict == "failed"
    assert find(checks, "numpy").found == "1.26.4, >=2.0 is needed"
    assert find(checks, "tract").verdict == "failed"
    assert find(checks, "tract").remedy.endswith("-m pip install 'tract>=0.23'")
    assert find(checks, "textual").verdict == "warning"
    assert "screens" in find(checks, "textual").found
    assert find(checks, "matplotlib-fontja").verdict == "not applicable"
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


def test_each_gpu_tells_its_facts() -> None:
    checks = machine.gpu_checks(DRIVER, 2 * GIB)
    assert find(checks, "driver").found == "580.65, CUDA up to 13.0"
    assert find(checks, "GPU 0").verdict == "ok"
    assert find(checks, "GPU 0").found == "NVIDIA H200, capability 9.0, 139.0 GiB of 140.0 GiB free, MIG off"


def test_a_gpu_whose_memory_others_hold_is_a_warning() -> None:
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
        (torch_facts("13.0"), Driver("570.1", "12.8", (H200,)), "warning", "serves 12.8 at most", "whl/cu128"),
        (torch_facts("13.2"), DRIVER, "warning", "sees no GPU: out of luck", "nvidia-smi"),
        (torch_facts(None), Driver(reason="none"), "ok", "CPU build", ""),
        (torch_facts("13.0"), Driver(reason="none"), "not applicable", "no GPU", ""),
    ],
)
def test_torchs_cuda_build_against_the_driver(
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


def test_hidden_gpus_are_called_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    check = machine.cuda_check(torch_facts("13.0"), DRIVER)
    assert (check.verdict, check.remedy) == ("warning", "unset CUDA_VISIBLE_DEVICES")


def test_a_device_that_cannot_compute_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    device = TorchDevice("Tesla K80", "3.7", 12 * GIB, False, "no kernel image is available")
    monkeypatch.setattr(machine, "read_torch_facts", lambda: TorchFacts("2.13", "13.0", (device,), 4, "", 1.0))
    check = find(machine.torch_checks(DRIVER), "torch on cuda:0")
    assert check.verdict == "warning"
    assert "no kernel image" in check.found


def test_the_installed_torch_imports() -> None:
    assert find(torch_checks(Spec()), "torch imports").verdict == "ok"


# --- memory and disk -------------------------------------------------------------------------------------------


def test_too_little_memory_says_how_many_samples_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, samples=607_200)
    small = Memory(8 * GIB, 3 * GIB, 4 * GIB)
    monkeypatch.setattr(machine, "memory", lambda: small)
    monkeypatch.setattr(preflight, "memory", lambda: small)
    monkeypatch.setattr(machine, "cores", lambda: Cores(16, 16, 1.5))
    checks = quick_checks(at(tmp_path))
    ram = find(checks, "RAM")
    assert ram.verdict == "warning"
    assert "4.0 GiB" in ram.found
    assert ram.remedy == f"kanji-tui train --sample-limit {GIB // 64**2}"
    assert find(checks, "CPU cores").found == "16 of 16 usable, limited to the time of 1.5"


def test_a_full_disk_fails_with_what_the_next_step_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "disk", lambda path: Disk(tmp_path, 10 * 1024**2, True))
    sample = find(quick_checks(at(tmp_path)), "free space")
    assert (sample.verdict, "kanji-tui sample needs" in sample.found) == ("failed", True)
    etl_files(tmp_path, ETL9G_01=99_568_656)
    prepare = find(quick_checks(at(tmp_path)), "free space")
    assert "kanji-tui prepare needs about 111.4 MiB" in prepare.found  # 12,144 x 64 x 64 and 64 MiB
    pretend(monkeypatch, samples=12_144)
    train = find(quick_checks(at(tmp_path)), "free space")
    assert "kanji-tui train needs" in train.found
    assert train.verdict == "failed"


def test_a_place_that_cannot_be_written_fails(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder belongs")
    check = find(quick_checks(at(tmp_path)), "write permission")
    assert check.verdict == "failed"
    assert "models" in check.found


# --- ETL9G files -----------------------------------------------------------------------------------------------


def test_no_folder_and_an_empty_one_are_warnings(tmp_path: Path) -> None:
    for _ in range(2):
        check = find(quick_checks(at(tmp_path)), "files")
        assert check.verdict == "warning"
        assert check.remedy.startswith("kanji-tui sample --output-dir")
        (tmp_path / "ETL9G").mkdir(exist_ok=True)


def test_files_one_folder_down_are_pointed_at(tmp_path: Path) -> None:
    etl_files(tmp_path)
    (tmp_path / "ETL9G" / "inner").mkdir()
    (tmp_path / "ETL9G" / "inner" / "ETL9G_01").write_bytes(bytes(8199))
    check = find(quick_checks(at(tmp_path)), "files")
    assert check.remedy == f"kanji-tui prepare --etl-dir {tmp_path / 'ETL9G' / 'inner'}"


def test_all_fifty_files(tmp_path: Path) -> None:
    etl_files(tmp_path, **KNOWN_FILES)
    checks = quick_checks(at(tmp_path))
    files = find(checks, "files", "ETL9G files")
    assert files.verdict == "ok"
    assert files.found.startswith(f"50 of the 50 in {tmp_path / 'ETL9G'}: 50 files, 607,200 records, 4.6 GiB")
    assert find(checks, "sizes").verdict == "ok"


def test_some_files_and_wrong_sizes_are_named(tmp_path: Path) -> None:
    etl_files(tmp_path, ETL9G_01=99_568_656, ETL9G_02=8199 * 3 + 5, ETL9G_04=99_568_657)
    checks = quick_checks(at(tmp_path))
    files = find(checks, "files", "ETL9G files")
    assert files.found.startswith("3 of the 50")
    assert files.found.endswith("not there: 03, 05-50")
    sizes = find(checks, "sizes")
    assert sizes.verdict == "warning"
    assert "ETL9G_02 has 24,602 of 99,568,656 bytes" in sizes.found
    assert "ETL9G_04 has 99,568,657" in sizes.found
    assert "ETL9G_01" not in sizes.found


def test_an_empty_file_is_a_warning(tmp_path: Path) -> None:
    etl_files(tmp_path, ETL9G_01=0)
    check = find(quick_checks(at(tmp_path)), "files", "ETL9G files")
    assert check.verdict == "warning"
    assert "0 bytes" in check.found


def test_a_drawn_sample_is_called_one(sample_dir: Path, tmp_path: Path) -> None:
    checks = quick_checks(Spec(home=tmp_path, etl_dir=sample_dir))
    files = find(checks, "files", "ETL9G files")
    assert files.verdict == "ok"
    assert "192 records" in files.found
    assert "drawn sample, not handwriting" in files.found
    assert not [check for check in checks if check.name == "sizes"]


def test_drawn_and_other_files_side_by_side_are_a_warning(sample_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_dir, tmp_path / "ETL9G")
    (tmp_path / "ETL9G" / "ETL9G_50").write_bytes(bytes(8199))
    check = find(quick_checks(at(tmp_path)), "files", "ETL9G files")
    assert check.verdict == "warning"
    assert "ETL9G_50 was not drawn" in check.found


def test_the_font_for_samples() -> None:
    check = find(font_checks(Spec()), "font for samples")
    assert check.verdict in ("ok", "warning")
    assert check.found


# --- dataset ---------------------------------------------------------------------------------------------------


def test_a_prepared_dataset_tells_what_it_holds(sample_dataset: Path, tmp_path: Path) -> None:
    check = find(quick_checks(Spec(home=tmp_path, data_dir=sample_dataset)), "prepared")
    assert check.verdict == "ok"
    assert check.found == "192 samples of 12 classes, 32 x 32, 192.0 KiB; drawn samples, not handwriting"


def test_no_dataset_yet(tmp_path: Path) -> None:
    none = find(quick_checks(at(tmp_path)), "prepared")
    assert (none.verdict, none.found.startswith("none yet")) == ("warning", True)
    (tmp_path / "dataset" / ".next").mkdir(parents=True)
    begun = find(quick_checks(at(tmp_path)), "prepared")
    assert "goes on where it stopped" in begun.found


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", '{"version": 1}', '{"total_samples": 1}'])
def test_broken_metadata_is_a_warning(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "metadata.json").write_text(text)
    check = find(quick_checks(at(tmp_path)), "prepared")
    assert check.verdict == "warning"
    assert str(tmp_path / "dataset") in check.found


def test_a_missing_chunk_is_named(sample_dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_dataset, tmp_path / "dataset")
    (tmp_path / "dataset" / "etl9g_dataset_chunk_01.npz").unlink()
    check = find(quick_checks(at(tmp_path)), "prepared")
    assert check.verdict == "warning"
    assert "etl9g_dataset_chunk_01.npz" in check.found
    assert f"kanji-tui sample --output-dir {tmp_path / 'ETL9G'} && kanji-tui prepare" in check.remedy


# --- terminal --------------------------------------------------------------------------------------------------

GOOD = Terminal(True, 120, 40, "tmux-256color", "truecolour", False, True, True, "tmux")


def test_a_good_terminal() -> None:
    assert {check.verdict for check in machine.terminal_checks(GOOD)} == {"ok"}


@pytest.mark.parametrize(
    ("change", "name", "verdict", "words"),
    [
        ({"attached": False}, "size", "not applicable", "no terminal"),
        ({"columns": 79}, "size", "warning", "80 x 24 is needed"),
        ({"columns": 80, "rows": 24}, "size", "ok", "80 x 24"),
        ({"columns": 0, "rows": 0}, "size", "warning", "does not tell"),
        ({"no_color": True}, "colours", "ok", "NO_COLOR"),
        ({"colours": "none", "term": "dumb"}, "colours", "warning", "'dumb'"),
        ({"declares_utf8": False}, "UTF-8", "warning", "does not say UTF-8"),
        ({"declares_utf8": False, "multiplexer": ""}, "UTF-8", "ok", "does not say UTF-8"),
        ({"encodes_utf8": False, "multiplexer": ""}, "UTF-8", "warning", "does not say UTF-8"),
    ],
)
def test_terminals(change: dict, name: str, verdict: str, words: str) -> None:
    check = find(machine.terminal_checks(Terminal(**{**GOOD.__dict__, **change})), name)
    assert check.verdict == verdict
    assert words in check.found
