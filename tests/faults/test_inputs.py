"""Damaged input of every format: images of the right size and type, quarantined records, or a sentence.

`make test` tries FEW of each, `make test-faults` 100,000 record files and 2,000 others of each kind.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.formats import open_source
from kanji_tui.data.image_files import read_levels
from kanji_tui.data.moving import mark_complete
from kanji_tui.data.preparation import prepare
from kanji_tui.data.record_files import RecordFile
from kanji_tui.errors import KanjiError
from kanji_tui.events import SilentReport
from tests.data.making import CODES, bytes_of, record, ring, write_kuzushiji, write_records
from tests.faults.mutations import Damage, damaged_bytes, damaged_json

FEW, MANY, MANY_RECORDS = 40, 2_000, 50_000  # the last of each of two formats
SIZE = 32


@dataclass(frozen=True)
class Input:
    """What is read: the file to damage in a folder that `make` fills, and how."""

    make: Callable[[Path], Path]
    read: Callable[[Path], None]
    damage: Damage = damaged_bytes
    many: int = MANY
    expected: tuple[type[Exception], ...] = (KanjiError,)


def record_file(format: str, name: str, image_offset: int) -> Input:
    def make(folder: Path) -> Path:
        return write_records(folder / name, CODES, image_offset=image_offset)

    def read(path: Path) -> None:
        file = RecordFile(path, format)
        contents = file.read()
        assert len(contents.jis) + len(contents.quarantined) <= path.stat().st_size // 8199 + 1
        count = 0
        for images in file.images(contents.record, SIZE):
            assert images.dtype == np.uint8
            assert images.shape[1:] == (SIZE, SIZE)
            count += len(images)
        assert count == len(contents.record)

    return Input(make, read, many=MANY_RECORDS)


def broken_records(content: bytes, random: Random) -> bytes:
    """Records whose bytes are changed, lost, doubled or shifted; more often in their heads, of 64 bytes."""
    if random.random() < 0.5:
        return damaged_bytes(content, random)
    changed = bytearray(content)
    for _ in range(random.randrange(1, 6)):
        start = random.randrange(len(content) // 8199) * 8199
        changed[start + random.randrange(64)] = random.randrange(256)
    return bytes(changed)


def make_picture(format: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / f"picture.{format}"
        Image.fromarray((255 - 17 * ring().astype(np.int64)).astype(np.uint8)).save(path)
        return path

    return make


def read_picture(path: Path) -> None:
    levels = read_levels(path)
    assert levels.dtype == np.uint8
    assert levels.ndim == 2


def make_pair(folder: Path) -> Path:
    return write_kuzushiji(folder) / "k49-train-labels.npz"


def make_pictures_of_pair(folder: Path) -> Path:
    return write_kuzushiji(folder) / "k49-train-imgs.npz"


def read_pair(path: Path) -> None:
    source = open_source(path.parent, "kuzushiji")
    for each in source.inputs:
        contents = each.read()
        for images in each.images(contents.record, SIZE):
            assert images.shape[1:] == (SIZE, SIZE)


def make_marked(folder: Path) -> Path:
    """A dataset in place, and the same one in `.next`, complete."""
    write_records(folder / "ETL9G" / "ETL9G_01", CODES)
    prepare(folder / "ETL9G", folder / "dataset", SIZE, 1, None, SilentReport())
    whole = bytes_of(folder / "dataset")
    (folder / "dataset" / ".next").mkdir()
    mark_complete(folder / "dataset", list(whole))
    return folder / "dataset" / ".next" / "complete.json"


def read_marked(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    open_dataset(path.parent.parent)


INPUTS = {
    "etl9g": record_file("etl9g", "ETL9G_01", 64),
    "etl8g": record_file("etl8g", "ETL8G_01", 60),
    "png": Input(make_picture("png"), read_picture, expected=(KanjiError, OSError, ValueError, SyntaxError)),
    "kuzushiji labels": Input(make_pair, read_pair),
    "kuzushiji images": Input(make_pictures_of_pair, read_pair),
}


def read_damaged(folder: Path, name: str, count: int) -> None:
    kind = INPUTS[name]
    folder.mkdir(exist_ok=True)
    path = kind.make(folder)
    whole = path.read_bytes()
    kind.read(path)
    damage = broken_records if kind.many == MANY_RECORDS else kind.damage
    for number in range(count):
        path.write_bytes(damage(whole, Random(f"{name} {number}")))
        try:
            kind.read(path)
        except kind.expected:
            pass
        except BaseException as error:
            raise AssertionError(f"{name}, damage {number}: {type(error).__name__}: {error}") from error


@pytest.mark.parametrize("name", INPUTS)
def test_damaged_input_is_read_quarantined_or_a_sentence(tmp_path, name):
    read_damaged(tmp_path / "in", name, FEW)


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", INPUTS)
def test_much_damaged_input_is_read_quarantined_or_a_sentence(tmp_path, name):
    read_damaged(tmp_path / "in", name, INPUTS[name].many)


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.faults)])
def test_a_damaged_mark_loses_nothing(tmp_path, count):
    mark = make_marked(tmp_path)
    whole, content = bytes_of(tmp_path / "dataset"), mark.read_bytes()
    (tmp_path / "precious.json").write_text("keep")
    for number in range(count):
        for name, kept in whole.items():
            (tmp_path / "dataset" / name).write_bytes(kept)
        mark.parent.mkdir(exist_ok=True)
        mark.write_bytes(damaged_json(content, Random(f"mark {number}")))
        with suppress(KanjiError):
            open_dataset(tmp_path / "dataset")
        assert (tmp_path / "precious.json").read_text() == "keep"
        assert {path.name for path in tmp_path.iterdir()} == {"precious.json", "dataset", "ETL9G"}
        assert bytes_of(tmp_path / "dataset") == whole


def test_records_of_every_length_but_whole_ones_are_refused_or_quarantined(tmp_path):
    one = record(CODES[0], ring())
    for length in (0, 1, 63, 64, 8198, 8199, 8200, 2 * 8199 - 1):
        (tmp_path / "ETL9G_01").write_bytes((one * 3)[:length])
        try:
            contents = RecordFile(tmp_path / "ETL9G_01", "etl9g").read()
            assert len(contents.record) <= length // 8199
        except KanjiError as error:
            assert "ETL9G_01" in error.message  # noqa: PT017
