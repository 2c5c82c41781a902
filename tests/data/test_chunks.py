import hashlib

import numpy as np
import pytest

from kanji_tui.data.chunks import chunk_name, map_members, write_chunk
from kanji_tui.errors import KanjiError
from kanji_tui.system.files import sha256


def blocks(seed=0):
    images = np.random.default_rng(seed).integers(0, 256, (10, 32, 32), dtype=np.uint8)
    return images, [images[:4], images[4:9], images[9:]]


def columns():
    return {"y": np.arange(10, dtype=np.int32), "jis": np.arange(10, dtype=np.uint16)}


def test_numpy_reads_a_chunk(tmp_path):
    images, parts = blocks()
    path = tmp_path / chunk_name(0)
    digest = write_chunk(path, images.shape, iter(parts), columns())
    with np.load(path) as chunk:
        assert sorted(chunk.files) == ["X", "jis", "y"]
        assert np.array_equal(chunk["X"], images)
        assert chunk["y"].dtype == np.int32
        assert np.array_equal(chunk["jis"], columns()["jis"])
    assert digest == sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.name == "etl9g_dataset_chunk_00.npz"


def test_a_member_is_mapped_not_loaded(tmp_path):
    images, parts = blocks()
    path = tmp_path / "c.npz"
    write_chunk(path, images.shape, parts, columns())
    mapped, labels = map_members(path, "X", "y")
    assert isinstance(mapped, np.memmap)
    assert np.array_equal(mapped, images)
    assert np.array_equal(labels, columns()["y"])


def test_the_same_content_gives_the_same_bytes_for_any_block_size(tmp_path):
    images, parts = blocks()
    write_chunk(tmp_path / "a.npz", images.shape, parts, columns())
    write_chunk(tmp_path / "b.npz", images.shape, [images], columns())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_an_empty_chunk(tmp_path):
    write_chunk(tmp_path / "c.npz", (0, 32, 32), [], {"y": np.empty(0, np.int32)})
    assert map_members(tmp_path / "c.npz", "X")[0].shape == (0, 32, 32)


def test_a_failure_while_writing_leaves_nothing(tmp_path):
    def failing():
        yield blocks()[0][:4]
        raise KeyError("on purpose")

    with pytest.raises(KeyError):
        write_chunk(tmp_path / "c.npz", (10, 32, 32), failing(), {})
    assert list(tmp_path.iterdir()) == []


def test_deflated_or_damaged_files_are_refused(tmp_path):
    np.savez_compressed(tmp_path / "deflated.npz", X=blocks()[0])
    with pytest.raises(KanjiError, match="compressed"):
        map_members(tmp_path / "deflated.npz", "X")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(KanjiError, match="cannot be read"):
        map_members(tmp_path / "broken.npz", "X")
    with pytest.raises(KanjiError, match="cannot be read"):
        map_members(tmp_path / "missing.npz", "X")
