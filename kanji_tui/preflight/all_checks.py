"""Every check of the way from record files to a recogniser.

`quick_checks` loads neither torch nor onnx and may run while a screen waits; `font_checks` may search folders and
`torch_checks` asks a child process.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from kanji_tui.data.defaults import IMAGE_SIZE, SAMPLE_CLASSES, SAMPLE_SETS, SYNTHETIC_SOURCE
from kanji_tui.data.listing import Listing
from kanji_tui.errors import KanjiError
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.paths import DATA_DIR, ETL_DIR, METADATA, MODELS_DIR
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

DISK, DATASET = "disk", "dataset"
GROUPS = (machine.PYTHON, machine.GPU, machine.MEMORY, DISK, ETL_FILES, DATASET, machine.TERMINAL)

SAMPLE_BYTES = 8199  # a record of a drawn sample
TRAINING_BYTES = 2 * 1024**3  # torch itself, the network, a few batches: beside the pictures in RAM
PREPARING_MARGIN = 64 * 1024**2  # labels, JSON, what the file system rounds up
RUN_BYTES = 512 * 1024**2  # a training's checkpoints, the published copies and their exports


@dataclass(frozen=True)
class Folders:
    """The folders to check; those that are not absolute count from `home`."""

    home: Path = Path(".")
    etl_dir: Path = ETL_DIR
    data_dir: Path = DATA_DIR
    models_dir: Path = MODELS_DIR


@dataclass(frozen=True)
class Prepared:
    """What the dataset holds, or the `problem` why it cannot be used."""

    samples: int = 0
    classes: int = 0
    size: int = IMAGE_SIZE
    source: str = ""
    problem: str = ""

    @property
    def bytes(self) -> int:
        return self.samples * self.size**2


def run_checks(folders: Folders, report: Report) -> Preflight:
    """All checks: the quick ones, then torch's."""
    steps: tuple[tuple[str, Callable[[Folders], list[Check]]], ...] = (
        ("machine, files and terminal", quick_checks),
        ("fonts", font_checks),
        ("importing torch in a process of its own", torch_checks),
    )
    checks: list[Check] = []
    for done, (item, step) in enumerate(steps):
        raise_if_stopped(report)
        report(Progress("preflight", done, len(steps), "steps", item))
        checks += step(folders)
    report(Progress("preflight", len(steps), len(steps), "steps"))
    return Preflight(in_order(checks))


def in_order(checks: list[Check]) -> tuple[Check, ...]:
    """The checks sorted into the order of GROUPS, each group as it came."""
    return tuple(sorted(checks, key=lambda check: GROUPS.index(check.group)))


def quick_checks(folders: Folders) -> list[Check]:
    """Everything but what only torch knows; a few reads of small files and of the driver."""
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


def font_checks(folders: Folders) -> list[Check]:
    """Whether a font is there that `kanji-tui sample` can draw with; may have to search folders of fonts."""
    try:
        from kanji_tui.data.fonts import find_fonts

        names = ", ".join(font.name for font in find_fonts())
    except KanjiError as error:
        remedy = machine.pip("matplotlib-fontja")
        return [Check(ETL_FILES, "font for samples", "warning", error.message, remedy)]
    except ImportError:  # a package is missing, and named where packages are checked
        return []
    return [Check(ETL_FILES, "font for samples", "ok", names)]


def torch_checks(folders: Folders) -> list[Check]:
    """What only torch knows, from a child process; takes seconds."""
    with torch_facts.start() as child:
        child.wait()
        return read_torch_checks(child)


def read_torch_checks(child: Child) -> list[Check]:
    """The checks of torch from the child that `torch_facts.start` started, once it has ended."""
    try:
        return machine.torch_checks(torch_facts.read(child), read_driver())
    except KanjiError as error:
        return machine.torch_failed(error)


def start_font_checks() -> Child:
    """A child that searches for fonts, for whoever must not wait; `read_font_checks` reads it."""
    return Child("kanji_tui.preflight.all_checks:answer_font_checks")


def read_font_checks(child: Child) -> list[Check]:
    """What the ended child found; nothing where it could not search."""
    return [] if child.wait() else [from_plain(Check, check) for check in json.loads(child.output)]


def answer_font_checks() -> None:
    """The child of `start_font_checks`."""
    with take_stdout() as out:
        out.write(json.dumps(to_plain(font_checks(Folders()))).encode())


def read_prepared(data_dir: Path) -> Prepared | None:
    """The prepared dataset as it opens, its pictures left on the disk; None where there is none."""
    try:
        if not (data_dir / METADATA).is_file():
            return None
        from kanji_tui.data.dataset import open_dataset

        dataset = open_dataset(data_dir)
    except KanjiError as error:
        return Prepared(problem=error.message)
    except (ImportError, OSError) as error:
        return Prepared(problem=f"{data_dir} cannot be looked at: {error}")
    return Prepared(len(dataset), len(dataset.classes), dataset.size, dataset.source)


def read_files(etl_dir: Path) -> Listing:
    """What lies in `etl_dir` to be prepared, whatever its format, or why it cannot be."""
    try:
        from kanji_tui.data.formats import list_inputs

        return list_inputs(etl_dir)
    except ImportError as error:
        return Listing(problem=f"{etl_dir} cannot be looked at: {error}")


def _memory_checks(prepared: Prepared | None, files: Listing) -> list[Check]:
    size = prepared.size if prepared else IMAGE_SIZE
    if prepared and prepared.samples:
        pictures, purpose = prepared.bytes, "training the prepared dataset"
    elif files.items:
        pictures, purpose = files.samples * size**2, f"training what {files.samples:,} records give"
    else:
        pictures, purpose = 0, "training a drawn sample"
    fitting = (memory().available - TRAINING_BYTES) // size**2
    remedy = f"kanji-tui train --sample-limit {fitting}" if fitting > 0 else "top  # close what is not needed"
    return machine.memory_checks(TRAINING_BYTES + pictures, purpose, remedy)


def _disk_checks(folders: Folders, prepared: Prepared | None, files: Listing) -> list[Check]:
    command, folder, needed = _next_step(folders, prepared, files)
    place = disk(folder)
    found = f"{size(place.free)} free in {place.folder}; {command} needs about {size(needed)}"
    if place.free >= needed:
        space = Check(DISK, "free space", "ok", found)
    else:
        remedy = f"df -h {quote(str(place.folder))}  # free some, or take another disk with --home DIR"
        space = Check(DISK, "free space", "failed", found, remedy)
    return [space, _permission_check({folder, folders.home / folders.data_dir, folders.home / folders.models_dir})]


def _next_step(folders: Folders, prepared: Prepared | None, files: Listing) -> tuple[str, Path, int]:
    """The command that comes next, the folder it writes to, and the bytes it needs there."""
    if prepared and not prepared.problem:
        return "kanji-tui train", folders.home / folders.models_dir, RUN_BYTES
    if files.items:
        # An earlier dataset stays until the new one is whole, so nothing is given back before.
        return (
            "kanji-tui prepare",
            folders.home / folders.data_dir,
            files.samples * IMAGE_SIZE**2 + PREPARING_MARGIN,
        )
    return "kanji-tui sample", folders.home / folders.etl_dir, SAMPLE_CLASSES * SAMPLE_SETS * SAMPLE_BYTES


def _permission_check(folders: set[Path]) -> Check:
    closed = [disk(folder).folder for folder in sorted(folders) if not disk(folder).writable]
    if not closed:
        return Check(DISK, "write permission", "ok", ", ".join(str(folder) for folder in sorted(folders)))
    names = " ".join(dict.fromkeys(quote(str(folder)) for folder in closed))
    remedy = f'sudo chown "$USER" {names}'
    return Check(DISK, "write permission", "failed", f"this user may not write in {names}", remedy)


def _dataset_check(folders: Folders, prepared: Prepared | None, files: Listing) -> Check:
    folder = folders.home / folders.data_dir
    prepare = (
        _prepare_command(folders) if files.items else f"{_sample_command(folders)} && {_prepare_command(folders)}"
    )
    if prepared is None:
        begun = "; a preparation was begun and goes on where it stopped" if (folder / ".next").is_dir() else ""
        return Check(DATASET, "prepared", "warning", f"none yet in {folder}{begun}", prepare)
    if prepared.problem:
        return Check(DATASET, "prepared", "warning", prepared.problem, prepare)
    source = "drawn samples, not handwriting" if prepared.source == SYNTHETIC_SOURCE else prepared.source
    pixels = f"{prepared.size}x{prepared.size}"
    found = f"{prepared.samples:,} samples of {prepared.classes:,} classes, {pixels}, {size(prepared.bytes)}"
    return Check(DATASET, "prepared", "ok", f"{found}; {source}" if source else found)


def _sample_command(folders: Folders) -> str:
    return _command("sample", {"--output-dir": (folders.home / folders.etl_dir, Folders.etl_dir)})


def _prepare_command(folders: Folders) -> str:
    etl_dir, data_dir = (
        (folders.home / folders.etl_dir, Folders.etl_dir),
        (folders.home / folders.data_dir, Folders.data_dir),
    )
    return _command("prepare", {"--etl-dir": etl_dir, "--output-dir": data_dir})


def _command(name: str, paths: dict[str, tuple[Path, Path]]) -> str:
    """The command to type; a path is named only where it is not the default, its second one."""
    flags = [f"{flag} {quote(str(path))}" for flag, (path, default) in paths.items() if path != default]
    return " ".join(["kanji-tui", name, *flags])
