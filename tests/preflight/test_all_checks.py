"""The preflight checks: verdicts and remedies for different folders and machines."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.etl import KNOWN_FILES
from kanji_tui.data.formats import open_source
from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.preflight import all_checks
from kanji_tui.preflight import machine_checks as machine
from kanji_tui.preflight.all_checks import (
    GROUPS,
    Folders,
    PreparedDataset,
    quick_checks,
    run_checks,
    sample_checks,
    torch_checks,
)
from kanji_tui.system.machine import Cores, Disk, Memory
from tests.data.making import CODES, write_images, write_kuzushiji, write_records
from tests.preflight.checks import assert_pasteable, find

GIB = 1024**3


def at(home: Path) -> Folders:
    return Folders(home=home)


def etl_files(home: Path, **sizes: int) -> None:
    """Sparse record files of these sizes, which use no disk space."""
    (home / "ETL9G").mkdir()
    for name, size in sizes.items():
        with open(home / "ETL9G" / name, "wb") as file:
            file.truncate(size)


def pretend(monkeypatch: pytest.MonkeyPatch, samples: int) -> None:
    """Pretend that there is a dataset of `samples` images of 64 x 64, too large to make in a test."""
    monkeypatch.setattr(
        all_checks, "read_prepared", lambda path: PreparedDataset(samples, 3036, 64, "ETL9G record files")
    )


# --- all checks ------------------------------------------------------------------------------------------------


def test_all_groups_are_in_order_and_an_empty_folder_is_not_a_failure(
    tmp_path: Path, report, forked_children
) -> None:
    checks = run_checks(at(tmp_path), report).checks
    groups = [check.group for check in checks]
    assert list(dict.fromkeys(groups)) == list(GROUPS)
    assert groups == sorted(groups, key=GROUPS.index)
    assert not [check for check in checks if check.verdict == "failed"]
    for check in checks:
        assert_pasteable(check)
    assert report.events[-1].done == report.events[-1].total


def test_the_command_prints_json_and_exits_0_without_data(kanji_tui, tmp_path: Path, forked_children) -> None:
    process = kanji_tui("preflight", "--json")
    assert process.returncode == 0, process.stderr
    checks = json.loads(process.stdout)["checks"]
    assert {"group", "name", "verdict", "found", "remedy"} <= set(checks[0])
    assert next(c["found"] for c in checks if c["name"] == "Python").startswith(sys.version.split()[0])
    assert list(tmp_path.iterdir()) == []  # the checks write no files


def test_a_broken_torch_fails_the_command_with_its_reason(kanji_tui, tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise OSError('libtorch_cpu.so: undefined symbol')")
    process = kanji_tui("preflight", "--json", PYTHONPATH=str(tmp_path))
    assert process.returncode == 1, process.stderr
    failed = [check for check in json.loads(process.stdout)["checks"] if check["verdict"] == "failed"]
    assert [check["name"] for check in failed] == ["torch imports"]
    assert "undefined symbol" in failed[0]["found"]
    assert "pip install" in failed[0]["remedy"]


def test_without_numpy_the_other_checks_still_run(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('no numpy')")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from kanji_tui.preflight.all_checks import *\n"
        "checks = quick_checks(Folders(home=Path(sys.argv[1]))) + sample_checks(Folders())\n"
        "print([check.found for check in checks if check.name == 'files'])"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "no numpy" in process.stdout


def test_a_stop_request_ends_the_checks(tmp_path: Path, report) -> None:
    report.stop = True
    with pytest.raises(Stopped):
        run_checks(at(tmp_path), report)


def test_the_quick_checks_do_not_load_torch() -> None:
    loaded = (
        "import sys; from kanji_tui.preflight.all_checks import *; quick_checks(Folders()); print(*sys.modules)"
    )
    process = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert not {"torch", "onnx", "onnxruntime", "textual"} & set(process.stdout.split())


# --- torch, memory and disk -----------------------------------------------------------------------------------


def test_the_installed_torch_imports(forked_children) -> None:
    assert find(torch_checks(Folders()), "torch imports").verdict == "ok"


def test_too_little_memory_gives_the_number_of_samples_that_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, samples=607_200)
    small = Memory(8 * GIB, 3 * GIB, 4 * GIB)
    monkeypatch.setattr(machine, "memory", lambda: small)
    monkeypatch.setattr(all_checks, "memory", lambda: small)
    monkeypatch.setattr(machine, "cores", lambda: Cores(16, 16, 1.5))
    checks = quick_checks(at(tmp_path))
    ram = find(checks, "RAM")
    assert ram.verdict == "warning"
    assert "4.0 GiB" in ram.found
    assert ram.remedy == f"kanji-tui train --sample-limit {GIB // 64**2}"
    assert find(checks, "CPU cores").found == "16 of 16 usable, limited by a quota to 1.5"


def test_a_full_disk_fails_with_the_space_that_the_next_step_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_checks, "disk", lambda path: Disk(tmp_path, 10 * 1024**2, True))
    sample = find(quick_checks(at(tmp_path)), "free space")
    assert (sample.verdict, "kanji-tui sample needs" in sample.found) == ("failed", True)
    etl_files(tmp_path, ETL9G_01=99_568_656)
    prepare = find(quick_checks(at(tmp_path)), "free space")
    assert "kanji-tui prepare needs about 111 MiB" in prepare.found  # 12,144 x 64 x 64 and 64 MiB
    pretend(monkeypatch, samples=12_144)
    train = find(quick_checks(at(tmp_path)), "free space")
    assert "kanji-tui train needs" in train.found
    assert train.verdict == "failed"


def test_a_folder_that_cannot_be_written_fails(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file instead of the folder")
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


def test_a_sample_is_not_advised_before_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every advice that can be pasted works where KanjiVG, an extra package, is not installed."""

    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("kanji_tui.data.advice.version", absent)
    checks = quick_checks(at(tmp_path))
    sample = f"-m pip install kanjivg && kanji-tui sample --output-dir {tmp_path / 'ETL9G'}"
    assert find(checks, "files").remedy.endswith(sample)
    assert f"{sample} && kanji-tui prepare" in find(checks, "prepared").remedy
    first = "pip install kanjivg, then kanji-tui sample"
    refusals: tuple[Callable[[], object], ...] = (
        lambda: open_dataset(tmp_path / "dataset"),
        lambda: open_source(tmp_path, None),
        lambda: open_source(tmp_path, "etl9g"),
        lambda: open_source(tmp_path / "nowhere", None),
    )
    for refuse in refusals:
        with pytest.raises(KanjiError) as refused:
            refuse()
        assert first in refused.value.remedy


def test_files_one_folder_down_are_named_in_the_remedy(tmp_path: Path) -> None:
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
    assert files.found.endswith("missing: 03, 05-50")
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


def test_a_synthetic_sample_is_called_synthetic(sample_dir: Path, tmp_path: Path) -> None:
    checks = quick_checks(Folders(home=tmp_path, etl_dir=sample_dir))
    files = find(checks, "files", "ETL9G files")
    assert files.verdict == "ok"
    assert "192 records" in files.found
    assert "synthetic sample, not handwriting" in files.found
    assert not [check for check in checks if check.name == "sizes"]


def test_synthetic_and_other_files_in_one_folder_are_a_warning(sample_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_dir, tmp_path / "ETL9G")
    (tmp_path / "ETL9G" / "ETL9G_50").write_bytes(bytes(8199))
    check = find(quick_checks(at(tmp_path)), "files", "ETL9G files")
    assert check.verdict == "warning"
    assert "ETL9G_50 is not part of it" in check.found


# --- other formats ---------------------------------------------------------------------------------------------


def test_npz_pairs_are_counted_by_their_headers(tmp_path: Path) -> None:
    write_kuzushiji(tmp_path / "ETL9G")
    check = find(quick_checks(at(tmp_path)), "files", "ETL9G files")
    assert check.verdict == "ok"
    assert check.found.startswith("2 npz pairs, 60 images, ")
    (tmp_path / "ETL9G" / "k49_classmap.csv").unlink()
    check = find(quick_checks(at(tmp_path)), "files", "ETL9G files")
    assert check.verdict == "warning"
    assert "k49_classmap.csv is missing" in check.found
    assert "codh.rois.ac.jp" in check.remedy


def test_folders_of_images_are_counted_and_one_without_a_character_is_named(tmp_path: Path) -> None:
    write_images(tmp_path / "ETL9G", {"田": 3, "U+3042": 2})
    check = find(quick_checks(at(tmp_path)), "files", "ETL9G files")
    assert check.verdict == "ok"
    assert check.found == f"2 folders, 5 images in {tmp_path / 'ETL9G'}, like U+3042"
    write_images(tmp_path / "ETL9G", {"unsorted": 1})
    check = find(quick_checks(at(tmp_path)), "files", "ETL9G files")
    assert check.verdict == "warning"
    assert check.found.endswith("excluded, because the name is not a character: unsorted")
    assert "田, U+7530, 7530 or 4544" in check.remedy
    write_images(tmp_path / "hex" / "ETL9G", {"5b57": 1, "672c": 1})
    check = find(quick_checks(at(tmp_path / "hex")), "files", "ETL9G files")
    assert check.found.endswith("like 5b57: 字, names of digits are Unicode code points")


def test_several_formats_in_one_folder_are_a_warning(tmp_path: Path) -> None:
    write_records(tmp_path / "ETL9G" / "ETL9G_01", CODES)
    write_kuzushiji(tmp_path / "ETL9G")
    check = find(quick_checks(at(tmp_path)), "files", "ETL9G files")
    assert check.verdict == "warning"
    assert "holds files of 2 formats: ETL9G files (1), npz pairs (k49)" in check.found
    assert "--format etl9g or kuzushiji" in check.remedy


def test_pairs_one_folder_down_are_named_in_the_remedy(tmp_path: Path) -> None:
    write_kuzushiji(tmp_path / "ETL9G" / "K 49")
    check = find(quick_checks(at(tmp_path)), "files", "ETL9G files")
    assert check.remedy == f"kanji-tui prepare --etl-dir '{tmp_path / 'ETL9G' / 'K 49'}'"


def test_other_files_are_listed_as_not_read(tmp_path: Path) -> None:
    write_records(tmp_path / "ETL9G" / "ETL9G_01", CODES)
    for name in ("ETL9B_1", "ETL9G.zip", "README.md", ".hidden"):
        (tmp_path / "ETL9G" / name).write_text("x")
    check = find(quick_checks(at(tmp_path)), "files", "ETL9G files")
    assert check.found.endswith("; not read: ETL9B_1, ETL9G.zip")


def test_a_file_without_records_is_named(tmp_path: Path) -> None:
    write_records(tmp_path / "ETL9G" / "ETL9G_01", CODES)
    assert find(quick_checks(at(tmp_path)), "content").verdict == "ok"
    (tmp_path / "ETL9G" / "ETL9G_02").write_bytes(b"<html>404</html>".ljust(8199))
    check = find(quick_checks(at(tmp_path)), "files")
    assert check.verdict == "warning"
    assert check.found.endswith("ETL9G_02 is not a record file but a web page (HTML)")
    (tmp_path / "ETL9G" / "ETL9G_02").write_bytes(b"404 not found".ljust(8199))
    check = find(quick_checks(at(tmp_path)), "content")
    assert check.verdict == "warning"
    assert check.found == "these files do not start with a record of ETL9G: ETL9G_02"


def test_etl8g_files_named_etl9g_give_a_warning(tmp_path: Path) -> None:
    write_records(tmp_path / "ETL9G" / "ETL9G_01", CODES, image_offset=60)
    check = find(quick_checks(at(tmp_path)), "content")
    assert check.verdict == "warning"
    assert "the files seem to be ETL8G" in check.found
    (tmp_path / "ETL9G" / "ETL9G_01").rename(tmp_path / "ETL9G" / "ETL8G_01")
    with open(tmp_path / "ETL9G" / "ETL8G_01", "ab") as file:
        file.write(b"cut")
    checks = quick_checks(at(tmp_path))
    assert find(checks, "content").verdict == "ok"
    assert "5 records" in find(checks, "files", "ETL9G files").found
    assert "ETL8G_01 ends within a record (40,998 bytes)" in find(checks, "sizes").found


def test_counting_many_images_stops_and_says_at_least(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("kanji_tui.data.images.MAX_COUNTED", 5)
    write_images(tmp_path, {"あ": 4, "日": 4, "月": 1}, different=1)
    files = all_checks.read_files(tmp_path)
    assert [item.samples for item in files.items] == [4, 2, None]
    assert files.summary == "3 folders, at least 6 images"


def test_what_samples_are_made_from_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object) -> None:
        raise KanjiError("nothing there")

    found = sample_checks(Folders())
    assert find(found, "strokes for samples").found == f"KanjiVG {version('kanjivg')}"
    assert (find(found, "font for samples").verdict, find(found, "font for samples").found != "") == ("ok", True)
    monkeypatch.setattr("kanji_tui.data.strokes.kanjivg.find_kanjivg", absent)
    monkeypatch.setattr("kanji_tui.data.fonts.find_fonts", absent)
    found = sample_checks(Folders())
    assert find(found, "strokes for samples").verdict == "warning"
    assert find(found, "strokes for samples").remedy.endswith("pip install kanjivg")
    assert find(found, "font for samples").verdict == "not applicable"


# --- dataset ---------------------------------------------------------------------------------------------------


def test_a_prepared_dataset_is_described(sample_dataset: Path, tmp_path: Path) -> None:
    check = find(quick_checks(Folders(home=tmp_path, data_dir=sample_dataset)), "prepared")
    assert check.verdict == "ok"
    assert check.found == "192 samples of 12 classes, 32x32, 192 KiB; synthetic samples, not handwriting"


def test_a_missing_and_an_unfinished_dataset_are_warnings(tmp_path: Path) -> None:
    none = find(quick_checks(at(tmp_path)), "prepared")
    assert (none.verdict, none.found.startswith("none yet")) == ("warning", True)
    (tmp_path / "dataset" / ".next").mkdir(parents=True)
    unfinished = find(quick_checks(at(tmp_path)), "prepared")
    assert "will be resumed" in unfinished.found


def test_a_folder_that_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    longer_than_a_name_can_be = tmp_path / ("x" * 300)
    check = find(quick_checks(at(longer_than_a_name_can_be)), "prepared")
    assert check.verdict == "warning"
    assert "cannot be read" in check.found


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", '{"version": 1}', '{"total_samples": 1}'])
def test_damaged_metadata_is_a_warning(tmp_path: Path, text: str) -> None:
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
