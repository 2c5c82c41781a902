"""Builds a dataset in `<dataset>/.next`, from where moving.py moves it into place.

A folder without metadata.json is not a dataset. `.next` holds plan.json (inputs and settings), the finished chunks,
and beside each chunk a JSON file with its digest, written after it. A later preparation with the same plan keeps
every chunk whose digest matches; with another plan it starts again.
"""

import hashlib
import shutil
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kanji_tui.characters.classes import strokes
from kanji_tui.characters.jis import jis_to_character, name_jis
from kanji_tui.data.chunks import chunk_name
from kanji_tui.data.dataset_files import FinishedChunk
from kanji_tui.data.input_files import Inputs
from kanji_tui.data.moving import NAMES, is_marked, mark_complete, move, next_dir
from kanji_tui.data.source import Contents, Source, stamp
from kanji_tui.errors import KanjiError
from kanji_tui.paths import CHUNK_INFO, CLASS_MAPPING, METADATA
from kanji_tui.system.files import read_json, remove_unfinished, sha256, write_json, write_text, writing_failed
from kanji_tui.system.plain_data import read_as

VERSION = 1
DESCRIPTIONS = (CHUNK_INFO, CLASS_MAPPING, "quarantine.tsv", METADATA)


@dataclass(frozen=True)
class Plan:
    """Settings and inputs of a dataset. `classes`: JIS codes, ascending. `inputs`: name and stamp of each.

    `made`: how images are resized; `test`: the inputs of the test split. The fields are those of plan.json.
    """

    size: int
    format: str
    dataset: str
    source: str
    made: str
    writers_known: bool
    test: tuple[str, ...]
    classes: tuple[int, ...]
    inputs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, source: Source, contents: list[Contents], size: int) -> "Plan":
        return cls(
            size=size,
            format=source.format,
            dataset=source.dataset,
            source=source.origin,
            made=source.resizing,
            writers_known=source.writers_known,
            test=source.test_inputs,
            classes=tuple(sorted({int(jis) for content in contents for jis in content.readings})),
            inputs=tuple((each.name, stamp(each.paths)) for each in source.inputs),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            **asdict(self),
            "test": list(self.test),
            "classes": [name_jis(jis) for jis in self.classes],
            "inputs": [list(item) for item in self.inputs],
        }


def begin(output_dir: Path, plan: Plan) -> dict[int, FinishedChunk]:
    """Prepare `.next` for `plan`; returns the chunks that an earlier preparation with the same plan finished.

    A complete dataset that waits there is moved into place first. To be called with the folder locked.
    """
    if is_marked(output_dir):
        move(output_dir)
    building = next_dir(output_dir)
    try:
        if _plan_in(building) != plan.to_json():
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir(parents=True, exist_ok=True)
            write_json(building / "plan.json", plan.to_json())
        for left_over in building.glob(".*.part"):  # whoever wrote them: the folder is locked
            left_over.unlink()
        remove_unfinished(output_dir)
    except OSError as error:
        raise writing_failed(building, error) from error
    numbers = range(len(plan.inputs))
    return {number: chunk for number in numbers if (chunk := _finished(output_dir, number)) is not None}


def _plan_in(building: Path) -> dict[str, Any] | None:
    try:
        return read_json(building / "plan.json")
    except KanjiError:
        return None


def _finished(output_dir: Path, number: int) -> FinishedChunk | None:
    """The chunk with this number if it is complete in `.next`; else None."""
    path = next_dir(output_dir) / chunk_name(number)
    try:
        chunk = read_as(FinishedChunk, path.with_suffix(".json"))
    except KanjiError:
        return None
    return chunk if path.is_file() and sha256(path) == chunk.digest else None


def commit(
    output_dir: Path, plan: Plan, contents: list[Contents], done: dict[int, FinishedChunk], inputs: Inputs
) -> str:
    """Describe the finished chunks, mark the dataset as complete and move it into place; returns the digest."""
    building = next_dir(output_dir)
    chunks = [done[number] for number in range(len(contents))]
    digest = _content_digest(plan, chunks)
    names = [chunk_name(number) for number in range(len(chunks))]
    write_json(building / CHUNK_INFO, _chunk_info(chunks))
    write_json(building / CLASS_MAPPING, _character_mapping(plan, contents))
    write_text(building / "quarantine.tsv", _quarantine_list(contents))
    if any(content.names for content in contents):
        write_text(building / NAMES, _names_list(plan, contents))
        names.append(NAMES)
    write_json(building / METADATA, {**_metadata(plan, contents, digest), "inputs": asdict(inputs)})
    mark_complete(output_dir, [*names, *DESCRIPTIONS])
    move(output_dir)
    return digest


def count_sets(plan: Plan, contents: list[Contents]) -> int:
    """The number of data sets of all inputs; 1 where they are unknown."""
    if not plan.writers_known:
        return 1
    return sum(len(set(content.set.tolist())) for content in contents)


def _content_digest(plan: Plan, chunks: list[FinishedChunk]) -> str:
    """Identifies the content: SHA-256 in hex of the image size, the classes and the chunk digests in order."""
    parts = [str(plan.size), *map(name_jis, plan.classes), *(chunk.digest for chunk in chunks)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _chunk_info(chunks: list[FinishedChunk]) -> dict[str, Any]:
    samples = [chunk.samples for chunk in chunks]
    return {
        "total_samples": sum(samples),
        "chunk_size": max(samples),
        "num_chunks": len(chunks),
        "chunks": [asdict(chunk) for chunk in chunks],
    }


def _samples_by_code(contents: list[Contents]) -> Counter[int]:
    counted: Counter[int] = Counter()
    for content in contents:
        counted.update(content.jis.tolist())
    return counted


def _character_mapping(plan: Plan, contents: list[Contents]) -> dict[str, Any]:
    counted = _samples_by_code(contents)
    readings: dict[int, str] = {}
    for content in contents:
        readings = {**content.readings, **readings}  # the first input's reading is kept
    return {
        name_jis(jis): {
            "class_idx": index,
            "ascii_reading": readings[jis],
            "sample_count": counted[jis],
            "character": jis_to_character(jis),
            "stroke_count": strokes(jis),
        }
        for index, jis in enumerate(plan.classes)
    }


def _metadata(plan: Plan, contents: list[Contents], digest: str) -> dict[str, Any]:
    """The fields of metadata.json: those of the original scripts, then additional ones."""
    counted = _samples_by_code(contents)
    total = sum(counted.values())
    quarantined = [asdict(record) for content in contents for record in content.quarantined]
    return {
        "num_classes": len(plan.classes),
        "total_samples": total,
        "target_size": plan.size,
        "jis_to_class": {name_jis(jis): index for index, jis in enumerate(plan.classes)},
        "class_to_jis": {str(index): name_jis(jis) for index, jis in enumerate(plan.classes)},
        "samples_per_class": {str(index): counted[jis] for index, jis in enumerate(plan.classes)},
        "dataset_info": {
            "source": plan.source,
            "description": f"{len(plan.classes):,} characters, {plan.made}",
            "files_processed": len(contents),
            "avg_samples_per_class": total / len(plan.classes),
        },
        "version": VERSION,
        "dataset": plan.dataset,
        "format": plan.format,
        "source": plan.source,
        "files": [name for name, _ in plan.inputs],
        "test_files": list(plan.test),
        "writers_known": plan.writers_known,
        "sets": count_sets(plan, contents),
        "quarantined": len(quarantined),
        "quarantine": quarantined,
        "digest": digest,
    }


def _quarantine_list(contents: list[Contents]) -> str:
    lines = [
        f"{_cell(record.file)}\t{record.record}\t{record.reason}\n"
        for content in contents
        for record in content.quarantined
    ]
    return "".join(["file\trecord\treason\n", *lines])


def _names_list(plan: Plan, contents: list[Contents]) -> str:
    """The path of each record: `file` as in metadata.json, record, path."""
    lines = [
        f"{name}\t{record}\t{_cell(path)}\n"
        for (name, _), content in zip(plan.inputs, contents, strict=True)
        for record, path in zip(content.record.tolist(), content.names, strict=True)
    ]
    return "".join(["file\trecord\tpath\n", *lines])


def _cell(name: str) -> str:
    """A file name without tabs and line breaks, which file names may contain."""
    return " ".join(name.replace("\t", " ").splitlines())
