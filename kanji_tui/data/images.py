"""Reads a folder of image files with one subfolder per class.

A subfolder is named by the character (田), its JIS code in four hexadecimal digits (4544) or its code point
(U+7530); several may name the same character. A name of one letter is always the character, one of four digits
always a JIS code. Images may have any size and shape. The median level of the border is paper; the level furthest
from it is ink. If the border is a frame or a table instead, the character within it is found as in `predict`. Paper
becomes 0, the darkest possible pixel 255; the image is padded with paper to a square and resized by area averages.
"""

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from kanji_tui.characters.jis import character_to_jis, jis_to_character, name_jis
from kanji_tui.data.background import has_dark_ink
from kanji_tui.data.character_ink import find_ink
from kanji_tui.data.image_files import ENDINGS, NOT_READABLE, read_colours, read_levels
from kanji_tui.data.listing import ListedInput, Listing
from kanji_tui.data.resize import resize_grey
from kanji_tui.data.source import Contents, Quarantined, Source, other_names, parse_code_point, unreadable
from kanji_tui.errors import KanjiError, UsageError

MAX_COUNTED = 10_000  # images, when a folder is only listed
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
            read_levels(path)
        except NOT_READABLE as error:
            return f"not a readable image: {' '.join(str(error).split()) or type(error).__name__}"
        return ""

    def images(self, record: np.ndarray, size: int) -> Iterator[np.ndarray]:
        for number in record.tolist():
            path = self.files[number][0]
            try:
                yield resize_grey(_pad_to_square(read_ink(path))[None], size)
            except NOT_READABLE as error:
                raise KanjiError(f"{path} changed while it was read: {error}", "prepare again") from None


def character_folders(directory: Path) -> list[Path]:
    """The subfolders named after a character, by name; none unless at least one of them has an image."""
    folders = [folder for folder in _subfolders(directory) if parse_class(folder.name)]
    return folders if any(next(_images_in(folder), None) for folder in folders) else []


def list_images(directory: Path) -> Listing:
    """The character folders in `directory`; counts images up to MAX_COUNTED."""
    items, left = [], MAX_COUNTED
    for folder in character_folders(directory):
        count = sum(1 for _ in islice(_image_entries(folder), left + 1)) if left >= 0 else None
        items.append(ListedInput(folder.name, samples=count))
        left -= count or 0
    ignored = other_names(directory, [item.name for item in items])
    return Listing("images", tuple(items), counted=left >= 0, ignored=ignored)


def _subfolders(directory: Path) -> list[Path]:
    with os.scandir(directory) as entries:
        return sorted(Path(entry) for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def open_images(directory: Path) -> Source:
    """The image files in the subfolders of `directory`; UsageError where no such folder names a character."""
    try:
        folders = [folder for folder in _subfolders(directory) if next(_images_in(folder), None)]
    except OSError as error:
        raise unreadable(directory, error) from None
    by_code = [(parse_class(folder.name) or 0, folder) for folder in folders]
    if not any(jis for jis, _ in by_code):
        names = f": {', '.join(folder.name for folder in folders[:3])}" if folders else ""
        raise UsageError(
            f"no subfolder of {directory} with images is named after a character{names}",
            "name each by its character, its JIS code or its code point: 田, 4544 or U+7530",
        )
    ordered = sorted(by_code, key=lambda pair: (pair[0] == 0, pair[0], pair[1].name))
    listed = [[(path, jis) for path in sorted(_images_in(folder))] for jis, folder in ordered]
    return Source(
        format="images",
        dataset="images",
        origin=f"image files of {directory.resolve().name}",
        resizing="paper 0, ink high, padded to a square, area averages (enlarged: bilinear)",
        writers_known=False,
        inputs=tuple(ClassFolders(directory, tuple(batch)) for batch in _batches(listed)),
    )


def parse_class(name: str) -> int | None:
    """The JIS X 0208 code that a folder's name means, or None. Composes names: macOS stores が as two letters."""
    name = unicodedata.normalize("NFC", name.strip())
    if len(name) == 1:
        return character_to_jis(name)
    if name[:2].upper() == "U+":
        return parse_code_point(name)
    try:
        jis = int(name, 16) if len(name) == 4 else 0
    except ValueError:
        return None
    return jis if jis_to_character(jis) else None


def _images_in(folder: Path) -> Iterator[Path]:
    return map(Path, _image_entries(folder))


def _image_entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if os.path.splitext(entry.name)[1].lower() in ENDINGS and entry.name[0] != "." and entry.is_file():
                yield entry


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
