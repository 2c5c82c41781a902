"""The JSON files of a dataset, as they must be to be read. What else they hold is for people and other programs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from kanji_tui.allowed import COUNT, DIGEST, NAME, TEXT, at_most, between
from kanji_tui.characters.jis import JIS
from kanji_tui.data.input_files import Inputs
from kanji_tui.data.source import Quarantined
from kanji_tui.errors import KanjiError
from kanji_tui.paths import CHUNK_INFO, METADATA
from kanji_tui.system.files import read_json
from kanji_tui.system.plain_data import read_as, read_plain

MAX_SIZE = 1024  # pixels a side
MAX_CLASSES = 94 * 94  # the codes of JIS X 0208
MAX_CHUNKS = 256  # a sample names its input file in one byte
# The columns of a chunk: one value for each sample.
COLUMNS = {"y": np.int32, "jis": np.uint16, "file": np.uint8, "record": np.uint32, "set": np.uint16}

Code = Annotated[str, JIS]
Number = Annotated[int, between(0, MAX_CLASSES - 1)]


@dataclass(frozen=True)
class Metadata:
    """metadata.json."""

    target_size: Annotated[int, between(1, MAX_SIZE)]
    total_samples: Annotated[int, COUNT]
    jis_to_class: Annotated[dict[Code, Number], at_most(MAX_CLASSES)]
    digest: Annotated[str, DIGEST]
    source: Annotated[str, TEXT]
    dataset: Annotated[str, NAME]
    format: Annotated[str, NAME]
    files: Annotated[tuple[str, ...], at_most(MAX_CHUNKS)]
    quarantine: tuple[Quarantined, ...]
    writers_known: bool = True
    test_files: tuple[str, ...] = ()
    inputs: Inputs = field(default_factory=Inputs)

    @property
    def classes(self) -> tuple[int, ...]:
        """The JIS codes in the order of class indices."""
        return tuple(int(code, 16) for code in self.jis_to_class)


@dataclass(frozen=True)
class LegacyInfo:
    """`dataset_info` of the original scripts."""

    source: Annotated[str, TEXT] = ""


@dataclass(frozen=True)
class LegacyMetadata:
    """metadata.json of the original scripts."""

    target_size: Annotated[int, between(1, MAX_SIZE)]
    total_samples: Annotated[int, COUNT]
    jis_to_class: Annotated[dict[Code, Number], at_most(MAX_CLASSES)]
    dataset_info: LegacyInfo = field(default_factory=LegacyInfo)


@dataclass(frozen=True)
class FinishedChunk:
    """A complete chunk: the name of its input, its samples, the SHA-256 of the chunk file."""

    file: str
    samples: Annotated[int, COUNT]
    digest: Annotated[str, DIGEST]


@dataclass(frozen=True)
class ChunkInfo:
    """chunk_info.json."""

    num_chunks: Annotated[int, between(1, MAX_CHUNKS)]
    chunks: Annotated[tuple[FinishedChunk, ...], at_most(MAX_CHUNKS)]


@dataclass(frozen=True)
class ClassEntry:
    """A class in character_mapping.json."""

    ascii_reading: str = ""


def read_metadata(folder: Path, plain: dict[str, Any], remedy: str) -> Metadata:
    """metadata.json from the values in it; KanjiError naming the field that is wrong."""
    metadata = read_plain(Metadata, plain, folder / METADATA, remedy)
    if list(metadata.jis_to_class.values()) != list(range(len(metadata.jis_to_class))):
        raise KanjiError(f"{folder / METADATA}: jis_to_class: the classes are not numbered from 0 in order", remedy)
    return metadata


def read_chunk_info(folder: Path, remedy: str) -> ChunkInfo:
    """chunk_info.json; KanjiError naming the field that is wrong."""
    info = read_as(ChunkInfo, folder / CHUNK_INFO, remedy)
    if info.num_chunks != len(info.chunks):
        raise KanjiError(
            f"{folder / CHUNK_INFO}: num_chunks is {info.num_chunks}, but {len(info.chunks)} chunks are listed",
            remedy,
        )
    return info


def read_readings(path: Path) -> dict[int, str]:
    """The ASCII reading of each class in character_mapping.json, by JIS code; KanjiError for a damaged file."""
    classes = read_plain(_Mapping, {"classes": read_json(path)}, path)
    return {int(code, 16): entry.ascii_reading for code, entry in classes.classes.items()}


@dataclass(frozen=True)
class _Mapping:
    classes: Annotated[dict[Code, ClassEntry], at_most(MAX_CLASSES)]
