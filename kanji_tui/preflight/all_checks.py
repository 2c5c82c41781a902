"""Runs every preflight check, from record files to training.

`quick_checks` loads neither torch nor onnx and is fast enough for a screen; `sample_checks` may search folders, and
`torch_checks` waits for a child process.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from kanji_tui.data.advice import sample_command
from kanji_tui.data.defaults import IMAGE_SIZE, SAMPLE_CLASSES, SAMPLE_SETS, describe_source
from kanji_tui.data.listing import Listing
from kanji_tui.data.moving import has_dataset, next_dir
from kanji_tui.errors import KanjiError
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.paths import DATA_DIR, ETL_DIR, MODELS_DIR
from kanji_tui.preflight import machine_checks as machine
from kanji_tui.preflight.file_checks import ETL_FILES, file_checks
from kanji_tui.preflight.results import Preflight
from kanji_tui.preflight.terminal import read_terminal
from kanji_tui.system import torch_facts
from kanji_tui.system.check import Check
from kanji_tui.system.child import Child, take_stdout
from kanji_tui.system.gpu import read_driver
from kanji_tui.system.machine import disk, memory
from kanji_tui.system.numbers import size
from kanji_tui.system.plain_data import from_plain, to_plain

if TYPE_CHECKING:
    from kanji_tui.data.input_files import Inputs

DISK, DATASET = "disk", "dataset"
GROUPS = (machine.PYTHON, machine.GPU, machine.MEMORY, DISK, ETL_FILES, DATASET, machine.TERMINAL)

SAMPLE_BYTES = 8199  # one record of a synthetic sample
TRAINING_BYTES = 2 * 1024**3  # of RAM for torch, the network and a few batches, beside the images
PREPARATION_MARGIN = 64 * 1024**2  # of disk for labels, JSON files and rounding by the file system
RUN_BYTES = 512 * 1024**2  # of disk for a training's checkpoints, the published copies and their exports


@dataclass(frozen=True)
class Folders:
    """The folders to check; relative ones are relative to `home`."""

    home: Path = Path(".")
    etl_dir: Path = ETL_DIR
    data_dir: Path = DATA_DIR
    models_dir: Path = MODELS_DIR


@dataclass(frozen=True)
class PreparedDataset:
    """The size of the dataset and what it was prepared from, or the `problem` why it cannot be used."""

    samples: int = 0
    classes: int = 0
    size: int = IMAGE_SIZE
    source: str = ""
    problem: str = ""
    digest: str = ""
    inputs: "Inputs | None" = None  # numpy is loaded with them

    @property
    def records_digest(self) -> str:
        return self.inputs.digest if self.inputs else ""

    def changed(self, data_dir: Path, folder: Path, files: Listing) -> tuple[str, ...]:
        """The record files in `folder` that are not those that the dataset in `data_dir` was prepared from."""
        if self.inputs is None:
            return ()
        from kanji_tui.data.input_files import changed_files

        names = [item.name for item in files.items] if files.format in ("etl9g", "etl8g") else []
        return changed_files(self.inputs, data_dir, folder, names)

    @property
    def bytes(self) -> int:
        return self.samples * self.size**2


def run_checks(folders: Folders, report: Report) -> Preflight:
    """Run all checks: the quick ones, what samples are made from, then torch."""
    steps: tuple[tuple[str, Callable[[Folders], list[Check]]], ...] = (
        ("machine, files and terminal", quick_checks),
        ("sources of samples", sample_checks),
        ("import of torch", torch_checks),
    )
    checks: list[Check] = []
    for done, (item, step) in enumerate(steps):
        raise_if_stopped(report)
        report(Progress("preflight", done, len(steps), "steps", item))
        checks += step(folders)
    report(Progress("preflight", len(steps), len(steps), "steps"))
    return Preflight(in_order(checks))


def in_order(checks: list[Check]) -> tuple[Check, ...]:
    """The checks in the order of GROUPS; the order within a group is kept."""
    return tuple(sorted(checks, key=lambda check: GROUPS.index(check.group)))


def quick_checks(folders: Folders) -> list[Check]:
    """All checks that need neither torch nor fonts; reads a few small files and queries the driver."""
    prepared = read_prepared(folders.home / folders.data_dir)
    files = read_files(folders.home / folders.etl_dir)
    return [
        *machine.python_checks(),
        *machine.gpu_checks(read_driver(), prepared.bytes if prepared else 0),
        *_memory_checks(prepared, files),
        *_disk_checks(folders, prepared, files),
        *file_checks(folders.home / folders.etl_dir, files, _sample_command(folders)),
        _dataset_check(folders, prepared, files),
        *machine.terminal_checks(read_terminal()),
    ]


def sample_checks(folders: Folders) -> list[Check]:
    """Whether there are strokes and a font for `kanji-tui sample`; may have to search font folders."""
    try:
        return [_strokes_check(), _font_check()]
    except ImportError:  # the check of packages names the missing package
        return []


def _strokes_check() -> Check:
    from kanji_tui.data.strokes.kanjivg import find_kanjivg, kanjivg_version

    try:
        find_kanjivg()
    except KanjiError as error:
        return Check(ETL_FILES, "strokes for samples", "warning", error.message, machine.pip("kanjivg"))
    return Check(ETL_FILES, "strokes for samples", "ok", f"KanjiVG {kanjivg_version()}")


def _font_check() -> Check:
    from kanji_tui.data.fonts import find_fonts

    try:
        names = ", ".join(font.name for font in find_fonts())
    except KanjiError as error:
        found = f"{error.message}; only `sample --source font` needs one"
        return Check(ETL_FILES, "font for samples", "not applicable", found, machine.pip("matplotlib-fontja"))
    return Check(ETL_FILES, "font for samples", "ok", names)


def torch_checks(folders: Folders) -> list[Check]:
    """The checks of torch, from a child process; takes seconds."""
    with torch_facts.start() as child:
        child.wait()
        return read_torch_checks(child)


def read_torch_checks(child: Child) -> list[Check]:
    """The checks of torch from the child that `torch_facts.start` started, once it has ended."""
    try:
        return machine.torch_checks(torch_facts.read(child), read_driver())
    except KanjiError as error:
        return machine.torch_failed(error)


def start_sample_checks() -> Child:
    """Start a child that searches for strokes and fonts; `read_sample_checks` reads it without waiting."""
    return Child("kanji_tui.preflight.all_checks:answer_sample_checks")


def read_sample_checks(child: Child) -> list[Check]:
    """The checks of the ended child; empty where it failed."""
    return [] if child.wait() else [from_plain(Check, check) for check in json.loads(child.output)]


def answer_sample_checks() -> None:
    """Entry point of the child of `start_sample_checks`."""
    with take_stdout() as out:
        out.write(json.dumps(to_plain(sample_checks(Folders()))).encode())


def read_prepared(data_dir: Path) -> PreparedDataset | None:
    """The prepared dataset, opened without reading its images; None where there is none."""
    try:
        if not has_dataset(data_dir):
            return None
        from kanji_tui.data.dataset import open_dataset

        dataset = open_dataset(data_dir)
    except KanjiError as error:
        return PreparedDataset(problem=error.message)
    except (ImportError, OSError) as error:
        return PreparedDataset(problem=f"{data_dir} cannot be read: {error}")
    return PreparedDataset(
        samples=len(dataset),
        classes=len(dataset.classes),
        size=dataset.size,
        source=dataset.source,
        digest=dataset.digest,
        inputs=dataset.inputs,
    )


def read_files(etl_dir: Path) -> Listing:
    """The files in `etl_dir` that can be prepared, of any format, or the problem why they cannot."""
    try:
        from kanji_tui.data.formats import list_inputs

        return list_inputs(etl_dir)
    except ImportError as error:
        return Listing(problem=f"{etl_dir} cannot be read: {error}")


def _memory_checks(prepared: PreparedDataset | None, files: Listing) -> list[Check]:
    size = prepared.size if prepared else IMAGE_SIZE
    if prepared and prepared.samples:
        image_bytes, purpose = prepared.bytes, "training on the prepared dataset"
    elif files.items:
        image_bytes, purpose = files.samples * size**2, f"training on {files.samples:,} records"
    else:
        image_bytes, purpose = 0, "training on a synthetic sample"
    fitting = (memory().available - TRAINING_BYTES) // size**2
    remedy = f"kanji-tui train --sample-limit {fitting}" if fitting > 0 else "top  # close other programs"
    return machine.memory_checks(TRAINING_BYTES + image_bytes, purpose, remedy)


def _disk_checks(folders: Folders, prepared: PreparedDataset | None, files: Listing) -> list[Check]:
    command, folder, needed = _next_step(folders, prepared, files)
    target = disk(folder)
    found = f"{size(target.free)} free in {target.folder}; {command} needs about {size(needed)}"
    if target.free >= needed:
        space = Check(DISK, "free space", "ok", found)
    else:
        remedy = f"df -h {quote(str(target.folder))}  # free some space, or use another disk: --home DIR"
        space = Check(DISK, "free space", "failed", found, remedy)
    return [space, _permission_check({folder, folders.home / folders.data_dir, folders.home / folders.models_dir})]


def _next_step(folders: Folders, prepared: PreparedDataset | None, files: Listing) -> tuple[str, Path, int]:
    """The next command to run, the folder it writes to, and the bytes it needs there."""
    if prepared and not prepared.problem:
        return "kanji-tui train", folders.home / folders.models_dir, RUN_BYTES
    if files.items:
        # An earlier dataset is only deleted when the new one is complete, so its space does not count as free.
        return (
            "kanji-tui prepare",
            folders.home / folders.data_dir,
            files.samples * IMAGE_SIZE**2 + PREPARATION_MARGIN,
        )
    return "kanji-tui sample", folders.home / folders.etl_dir, SAMPLE_CLASSES * SAMPLE_SETS * SAMPLE_BYTES


def _permission_check(folders: set[Path]) -> Check:
    read_only = [disk(folder).folder for folder in sorted(folders) if not disk(folder).writable]
    if not read_only:
        return Check(DISK, "write permission", "ok", ", ".join(str(folder) for folder in sorted(folders)))
    names = " ".join(dict.fromkeys(quote(str(folder)) for folder in read_only))
    remedy = f'sudo chown "$USER" {names}'
    return Check(DISK, "write permission", "failed", f"this user may not write to {names}", remedy)


def _dataset_check(folders: Folders, prepared: PreparedDataset | None, files: Listing) -> Check:
    folder = folders.home / folders.data_dir
    prepare = (
        _prepare_command(folders) if files.items else f"{_sample_command(folders)} && {_prepare_command(folders)}"
    )
    if prepared is None:
        unfinished = "; an unfinished preparation will be resumed" if next_dir(folder).is_dir() else ""
        return Check(DATASET, "prepared", "warning", f"none yet in {folder}{unfinished}", prepare)
    if prepared.problem:
        return Check(DATASET, "prepared", "warning", prepared.problem, prepare)
    if changed := prepared.changed(folder, folders.home / folders.etl_dir, files):
        return Check(DATASET, "prepared", "warning", f"changed since: {', '.join(changed[:3])}", prepare)
    source = describe_source(prepared.source)
    pixels = f"{prepared.size}x{prepared.size}"
    found = f"{prepared.samples:,} samples of {prepared.classes:,} classes, {pixels}, {size(prepared.bytes)}"
    return Check(DATASET, "prepared", "ok", f"{found}; {source}" if source else found)


def _sample_command(folders: Folders) -> str:
    return sample_command(folders.home / folders.etl_dir, " && ", machine.pip("kanjivg"))


def _prepare_command(folders: Folders) -> str:
    etl_dir, data_dir = (
        (folders.home / folders.etl_dir, Folders.etl_dir),
        (folders.home / folders.data_dir, Folders.data_dir),
    )
    return _command("prepare", {"--etl-dir": etl_dir, "--output-dir": data_dir})


def _command(name: str, paths: dict[str, tuple[Path, Path]]) -> str:
    """The command to type; `paths`: by flag the path and its default, at which the flag is omitted."""
    flags = [f"{flag} {quote(str(path))}" for flag, (path, default) in paths.items() if path != default]
    return " ".join(["kanji-tui", name, *flags])
