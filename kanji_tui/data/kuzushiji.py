"""Reads Kuzushiji-49, KMNIST and collections in their format: pairs of npz files and a class map.

`k49-train-imgs.npz` (N, 28, 28) uint8, ink high, `k49-train-labels.npz` (N,), the same with `test`;
`k49_classmap.csv` with index, codepoint, char. Other layouts of the arrays: see `npz_arrays`. The characters come
from cursive Japanese books of several centuries; the writers are unknown. Source: http://codh.rois.ac.jp/kmnist/
(CC BY-SA 4.0).
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kanji_tui.characters.jis import character_to_jis, parse_code_point
from kanji_tui.data.copies import find_copies
from kanji_tui.data.listing import ListedInput, Listing
from kanji_tui.data.npz_arrays import find_images, read_labels
from kanji_tui.data.resize import resize_grey
from kanji_tui.data.source import (
    Contents,
    Quarantined,
    Source,
    ignored_names,
    repeated,
    select_accepted,
)
from kanji_tui.errors import KanjiError, UsageError

IMAGES_NAME = re.compile(r"([A-Za-z0-9_]+)-(train|test)-imgs\.npz")
NAMES = {"k49": "Kuzushiji-49", "kmnist": "KMNIST"}
CREDIT = "CODH, adapted from the Kuzushiji Dataset of NIJL and others, doi:10.20676/00000341, CC BY-SA 4.0"
DOWNLOAD = "get it from http://codh.rois.ac.jp/kmnist/ and put it into the same folder"


@dataclass(frozen=True)
class Pair:
    """The file of images, the file of their labels, and the class map that gives each label its character.

    `copy_of`: the name of the file of images that this one repeats.
    """

    images_file: Path
    labels_file: Path
    class_map: Path
    copy_of: str = ""

    @property
    def name(self) -> str:
        return self.images_file.name

    @property
    def paths(self) -> tuple[Path, ...]:
        return self.images_file, self.labels_file, self.class_map

    def read(self) -> Contents:
        codes = read_class_map(self.class_map)
        labels = read_labels(self.labels_file)
        images = find_images(self.images_file)
        if images.count != len(labels):
            raise KanjiError(
                f"{self.images_file} holds {images.count:,} images, {self.labels_file.name} {len(labels):,} labels",
                f"save a label for each image: images of shape {images.shape} were found",
            )
        if self.copy_of:
            return repeated(self.name, self.copy_of, images.count)
        images.check_values()
        self._check_first_class(labels, codes)
        jis = np.array([codes.get(label, 0) for label in labels.tolist()], np.uint16)
        accepted = np.flatnonzero(jis)
        return Contents(
            record=accepted.astype(np.uint32),
            jis=jis[accepted],
            set=np.zeros(len(accepted), np.uint16),
            readings=dict.fromkeys(np.unique(jis[accepted]).tolist(), ""),
            quarantined=tuple(
                Quarantined(self.name, number, f"class {labels[number]} has no character in {self.class_map.name}")
                for number in np.flatnonzero(jis == 0).tolist()
            ),
        )

    def _check_first_class(self, labels: np.ndarray, codes: dict[int, int]) -> None:
        """KanjiError where the labels count classes from another number than the class map: all would be wrong."""
        first, last = min(codes, default=0), max(codes, default=0)
        low, high = int(labels.min()), int(labels.max())
        if low - first == high - last != 0:
            raise KanjiError(
                f"{self.labels_file} counts its classes from {low}, {self.class_map.name} from {first}",
                f"save the labels from {first}: numpy.savez_compressed(FILE, labels - {low - first})",
            )

    def images(self, record: np.ndarray, size: int) -> Iterator[np.ndarray]:
        blocks = find_images(self.images_file).blocks()
        return (resize_grey(images, size) for images in select_accepted(blocks, record))


def pairs_in(directory: Path) -> dict[str, list[Path]]:
    """The image files in a folder by the name of their collection: k49, kmnist or another."""
    found: dict[str, list[Path]] = {}
    for path in sorted(directory.iterdir()):
        if match := IMAGES_NAME.fullmatch(path.name):
            found.setdefault(match[1], []).append(path)
    return found


def open_kuzushiji(directory: Path) -> Source:
    """The collection in `directory`; where it has a test and a train pair, its test samples stay the test split.

    Raises UsageError for a folder with no or several collections, KanjiError where labels or class map are missing.
    """
    prefix, pairs = _find_pairs(directory)
    copies = find_copies([pair.images_file for pair in pairs])
    pairs = [
        replace(pair, copy_of=copies[pair.images_file].name) if pair.images_file in copies else pair
        for pair in pairs
    ]
    name = prefix.lower()
    return Source(
        format="kuzushiji",
        dataset=name[:64],  # a part of file names
        origin=f"{NAMES[name]} by {CREDIT}" if name in NAMES else f"{prefix} in the form of Kuzushiji-49",
        resizing="enlarged bilinearly, ink high",
        writers_known=False,
        inputs=tuple(pairs),
        test_inputs=tuple(pair.name for pair in pairs if "-test-" in pair.name) if len(pairs) > 1 else (),
        notices=tuple(
            f"{pair.name} has dark ink on light paper: its images are inverted"
            for pair in pairs
            if find_images(pair.images_file).light_paper()
        ),
        ignored=_ignored(directory, pairs),
    )


def list_pairs(directory: Path) -> Listing:
    """The collection in `directory`, from the headers of its archives; raises as `open_kuzushiji` does."""
    _, pairs = _find_pairs(directory)
    items = []
    for pair in pairs:
        size = sum(path.stat().st_size for path in pair.paths[:2])
        items.append(ListedInput(pair.name, size, find_images(pair.images_file).count))
    return Listing("kuzushiji", tuple(items), ignored=_ignored(directory, pairs))


def _find_pairs(directory: Path) -> tuple[str, list[Pair]]:
    """The name of the collection in the folder, and its pairs; raises as `open_kuzushiji` does."""
    found = pairs_in(directory)
    if not found:
        raise UsageError(
            f"there are no Kuzushiji files in {directory}",
            "put files there named k49-train-imgs.npz, k49-train-labels.npz, k49_classmap.csv, or kmnist-...",
        )
    if len(found) > 1:
        raise UsageError(
            f"{directory} holds several collections: {', '.join(found)}", "put each into a folder of its own"
        )
    ((prefix, images),) = found.items()
    class_map = directory / f"{prefix}_classmap.csv"
    pairs = [Pair(path, path.with_name(path.name.replace("-imgs.", "-labels.")), class_map) for path in images]
    for path in (class_map, *(pair.labels_file for pair in pairs)):
        if not path.is_file():
            raise KanjiError(f"{path} is missing: without it the images have no labels", DOWNLOAD)
    return prefix, pairs


def _ignored(directory: Path, pairs: list[Pair]) -> tuple[str, ...]:
    return ignored_names(directory, [path.name for pair in pairs for path in pair.paths])


def read_class_map(path: Path) -> dict[int, int]:
    """JIS X 0208 code by class number; classes whose character has no code are missing."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [(int(row["index"]), row["codepoint"], row["char"]) for row in csv.DictReader(file)]
        if any(None in row for row in rows):
            raise ValueError("a line is incomplete")
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise KanjiError(
            f"{path} cannot be read as a class map with index, codepoint and char: {error}", DOWNLOAD
        ) from None
    codes = {index: parse_code_point(point) or character_to_jis(character) for index, point, character in rows}
    return {index: jis for index, jis in codes.items() if jis is not None}
