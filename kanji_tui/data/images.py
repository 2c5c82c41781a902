"""Reads a folder of image files with one subfolder per class.

A subfolder is named by the character or its code, as `folder_names` says; several may name the same character.
Images may have any size and shape. The median level of the border is paper; the level furthest from it is ink. If
the border is a frame or a table instead, the character within it is found as in `predict`. Paper becomes 0, the
darkest possible pixel 255; the image is padded with paper to a square and resized by area averages.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.data.background import has_dark_ink
from kanji_tui.data.character_ink import FAINTEST, find_ink
from kanji_tui.data.folder_names import choose_reading, parse_class
from kanji_tui.data.image_files import ENDINGS, NOT_READABLE, problem_of, read_colours, read_levels
from kanji_tui.data.listing import ListedInput, Listing
from kanji_tui.data.resize import resize_grey
from kanji_tui.data.source import (
    Contents,
    Quarantined,
    Source,
    describe_ignored,
    ignored_names,
    unreadable,
)
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.system.visible import visible

MAX_COUNTED = 10_000  # images, when a folder is only listed
FOLDERS = (
    "put the images of each character into a folder of its own; name each folder by its character, its code point "
    "or its JIS code: 田, U+7530, 0x7530 or 4544"
)
TABLES = (".csv", ".tsv")
MIN_BATCH, MAX_BATCHES = 2000, 200
MOST_INK = 0.2  # share of an image; more may be paper within a frame


@dataclass(frozen=True)
class ClassFolders:
    """The image files of some classes: path and JIS code of each, 0 where its folder names no character."""

    root: Path
    files: tuple[tuple[Path, int], ...]

    @property
    def name(self) -> str:
        codes = [jis for _, jis in self.files if jis] or [0]
        return name_jis(codes[0]) if codes[0] == codes[-1] else f"{name_jis(codes[0])}-{name_jis(codes[-1])}"

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(path for path, _ in self.files)

    def read(self) -> Contents:
        """The contents; every file is decoded once, because nothing else shows whether it can be."""
        reasons = [self._problem(path, jis) for path, jis in self.files]
        accepted = [number for number, reason in enumerate(reasons) if not reason]
        jis = np.array([self.files[number][1] for number in accepted], np.uint16)
        names = [path.relative_to(self.root).as_posix() for path, _ in self.files]
        return Contents(
            record=np.array(accepted, np.uint32),
            jis=jis,
            set=np.zeros(len(accepted), np.uint16),
            readings=dict.fromkeys(np.unique(jis).tolist(), ""),
            quarantined=tuple(
                Quarantined(names[number], number, reason) for number, reason in enumerate(reasons) if reason
            ),
            names=tuple(names[number] for number in accepted),
        )

    @staticmethod
    def _problem(path: Path, jis: int) -> str:
        if not jis:
            return "its folder names no character of JIS X 0208"
        try:
            levels = read_levels(path)
        except NOT_READABLE as error:
            return f"not a readable image: {problem_of(path, error)[0]}"
        return "blank: no ink stands out from the paper" if np.ptp(levels) < FAINTEST * 255 else ""

    def images(self, record: np.ndarray, size: int) -> Iterator[np.ndarray]:
        for number in record.tolist():
            path = self.files[number][0]
            try:
                yield resize_grey(_pad_to_square(read_ink(path))[None], size)
            except NOT_READABLE as error:
                raise KanjiError(f"{path} changed while it was read: {error}", "prepare again") from None


def character_folders(directory: Path) -> list[Path]:
    """The subfolders named after a character, by name; none unless at least one of them has an image."""
    return [folder for folder, _ in _class_folders(directory)[0]]


def _class_folders(directory: Path) -> tuple[list[tuple[Path, int]], str]:
    """The folders of `character_folders` with the JIS code of each, and the reading of their names."""
    folders = _subfolders(directory)
    labels = choose_reading(folder.name for folder in folders).labels
    named = [(folder, jis) for folder in folders if (jis := parse_class(folder.name, labels))]
    return (named if any(next(_image_entries(folder), None) for folder, _ in named) else []), labels


def list_images(directory: Path) -> Listing:
    """The character folders in `directory`; counts images up to MAX_COUNTED."""
    items, left = [], MAX_COUNTED
    folders, labels = _class_folders(directory)
    for folder, jis in folders:
        count = sum(1 for _ in islice(_image_entries(folder), left + 1)) if left >= 0 else None
        items.append(ListedInput(folder.name, samples=count, character=character_of(jis)))
        left -= count or 0
    ignored = ignored_names(directory, [item.name for item in items])
    return Listing("images", tuple(items), counted=left >= 0, ignored=ignored, labels=labels)


def _subfolders(directory: Path) -> list[Path]:
    with os.scandir(directory) as entries:
        return sorted(Path(entry) for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def open_images(directory: Path, labels: str | None = None) -> Source:
    """The image files in the subfolders of `directory`; `labels`: how names of digits are read, None: decided.

    Raises UsageError for unknown labels, and where no folder with images names a character.
    """
    try:
        folders = _subfolders(directory)
        reading = choose_reading([folder.name for folder in folders], labels)
        files = {folder: both for folder in folders if (both := _images_and_others(folder))[0]}
        ignored = ignored_names(directory, [folder.name for folder in files])
        ignored += _summary([path for _, others in files.values() for path in others])
    except OSError as error:
        raise unreadable(directory, error) from None
    by_code = [(parse_class(folder.name, reading.labels) or 0, folder) for folder in files]
    if not any(jis for jis, _ in by_code):
        names = f": {', '.join(folder.name for _, folder in by_code[:3])}" if by_code else ""
        raise UsageError(
            f"no subfolder of {directory} with images is named after a character{names}",
            sorting_remedy(directory),
        )
    ordered = sorted(by_code, key=lambda pair: (pair[0] == 0, pair[0], pair[1].name))
    listed = [[(path, jis) for path in files[folder][0]] for jis, folder in ordered]
    return Source(
        format="images",
        dataset="images",
        origin=visible(f"image files of {directory.resolve().name}"),
        resizing="paper 0, ink high, padded to a square, area averages (enlarged: bilinear)",
        writers_known=False,
        inputs=tuple(ClassFolders(directory, tuple(batch)) for batch in _batches(listed)),
        notices=tuple(filter(None, [reading.notice])),
        ignored=ignored,
        labels=reading.labels,
    )


def sorting_remedy(directory: Path) -> str:
    """What to do with images that no folder names a character for; names a table that may hold their labels."""
    tables: list[str] = []
    with suppress(OSError):  # the parent need not be readable
        tables += sorted(name for name in os.listdir(directory) if name.lower().endswith(TABLES))
        beside = sorted(os.listdir(directory.resolve().parent))
        tables += [name for name in beside if name.lower().endswith(TABLES) and "label" in name.lower()]
    if not tables:
        return FOLDERS
    return f"{tables[0]} is not read, for the names of folders are the labels: {FOLDERS} (docs/COMMANDS.md)"


def has_images(folder: Path) -> bool:
    """Whether there is an image file in the folder itself."""
    return next(_image_entries(folder), None) is not None


def _image_entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from filter(_is_image, entries)


def _is_image(entry: os.DirEntry[str]) -> bool:
    return os.path.splitext(entry.name)[1].lower() in ENDINGS and entry.name[0] != "." and entry.is_file()


def _images_and_others(folder: Path) -> tuple[list[Path], list[Path]]:
    """The images in a folder and its other files, each by name; hidden files are neither."""
    images: list[Path] = []
    others: list[Path] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name[0] != ".":
                (images if _is_image(entry) else others).append(Path(entry))
    return sorted(images), sorted(others)


def _summary(paths: list[Path]) -> tuple[str, ...]:
    """For each ending the first of these files, as `folder/name`, and how many more there are."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(path.suffix.lower(), []).append(path)
    return tuple(
        f"{first.parent.name}/{describe_ignored(first)}{f' and {len(more):,} more like it' if more else ''}"
        for first, *more in found.values()
    )


def _batches(folders: list[list[tuple[Path, int]]]) -> Iterator[list[tuple[Path, int]]]:
    """Groups of whole folders, each with enough files for a chunk."""
    enough = max(MIN_BATCH, -(-sum(map(len, folders)) // MAX_BATCHES))
    batch: list[tuple[Path, int]] = []
    for files in folders:
        batch += files
        if len(batch) >= enough:
            yield batch
            batch = []
    if batch:
        yield batch


def read_ink(path: Path) -> np.ndarray:
    """The ink of an image file, uint8 (H, W): paper 0, black on white 255; raises one of NOT_READABLE."""
    levels = read_levels(path)
    ink, dark_ink = extract_ink(levels)
    # Paper within a frame looks like much ink. The costlier comparison is needed only then.
    if (ink > ink.max() / 2).mean() < MOST_INK or has_dark_ink(levels) == dark_ink:
        return ink
    return (255 * find_ink(read_colours(path)).ink + 0.5).astype(np.uint8)


def extract_ink(levels: np.ndarray) -> tuple[np.ndarray, bool]:
    """Grey levels to ink, uint8 (H, W): paper 0, black (white on dark paper) 255; and whether the ink is dark."""
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    paper = int(np.sort(border)[len(border) // 2])
    dark_ink = paper - int(levels.min()) >= int(levels.max()) - paper
    reach = max(1, paper if dark_ink else 255 - paper)
    away = (paper - levels.astype(np.int32)) if dark_ink else (levels.astype(np.int32) - paper)
    return ((away.clip(0) * 255 + reach // 2) // reach).astype(np.uint8), dark_ink


def _pad_to_square(ink: np.ndarray) -> np.ndarray:
    """The image centred in a square of paper."""
    height, width = ink.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    return np.pad(ink, ((top, side - height - top), (left, side - width - left)))
