"""Files that hold no ONNX model are named as what they are."""

import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest

from kanji_tui.engines.loading import LARGEST, load_onnx
from kanji_tui.errors import KanjiError
from tests.inspection.graphs import image_network
from tests.inspection.strange_files import weights_beside


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return content.getvalue()


def numpy_archive() -> bytes:
    content = io.BytesIO()
    np.savez(content, x=np.zeros(3))
    return content.getvalue()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 2327524\n"
KINDS = {
    "a Git LFS pointer, which stands for 2,327,524 bytes": (POINTER, "git lfs pull"),
    "a web page": (b"\n <!DOCTYPE html>\n<html><title>404</title></html>", "download"),
    "an XML document": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "download"),
    "a JSON document": (b'{"error": "not found"}', "download"),
    "compressed by gzip": (gzip.compress(b"model"), "gzip -dc"),
    "a ZIP archive that holds net/model.onnx": (zipped("net/model.onnx", "README"), "unzip"),
    "a PyTorch file": (zipped("archive/data.pkl", "archive/data/0"), "torch.onnx.export"),
    "a NumPy archive": (numpy_archive(), "ONNX file"),
    "a truncated ZIP archive": (zipped("a")[:40], "copy it again"),
    "a TensorFlow Lite model": (b"\x1c\0\0\0TFL3" + b"\0" * 20, "tf2onnx"),
    "a SafeTensors file": (b"\x10" + b"\0" * 7 + b'{"w": {"dtype"', "as ONNX"),
    "an HDF5 file": (b"\x89HDF\r\n\x1a\n" + b"\0" * 20, "tf2onnx"),
    "a tar archive": (b"model.onnx".ljust(257, b"\0") + b"ustar\0", "tar xf"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_other_files_are_named_as_what_they_are(tmp_path: Path, kind: str) -> None:
    content, remedy = KINDS[kind]
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(KanjiError, match="is not an ONNX file but") as caught:
        load_onnx(path)
    assert kind in caught.value.message
    assert remedy in caught.value.remedy


def test_a_file_larger_than_onnx_files_can_be_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with open(path, "wb") as file:
        file.write(b"\x08\x08")
        file.truncate(LARGEST + 1)  # a hole
    with pytest.raises(KanjiError, match=r"has 2\.0 GiB, but ONNX files end at 2\.0 GiB"):
        load_onnx(path)


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.onnx")
    with pytest.raises(KanjiError, match="not a regular file"):
        load_onnx(tmp_path / "model.onnx")


def test_weights_beside_a_file_must_be_complete(tmp_path: Path) -> None:
    path = weights_beside(tmp_path / "big.onnx")
    os.truncate(tmp_path / "big.data", 100)
    with pytest.raises(KanjiError, match=r"big\.data has 100 bytes, but the tensor 'w' ends at 102400"):
        load_onnx(path)


def test_weights_whose_length_is_not_stated_must_be_complete_too(tmp_path: Path) -> None:
    path = weights_beside(tmp_path / "big.onnx")
    model = onnx.load(str(path), load_external_data=False)
    for tensor in model.graph.initializer:
        for number in reversed(range(len(tensor.external_data))):
            if tensor.external_data[number].key == "length":
                del tensor.external_data[number]
    path.write_bytes(model.SerializeToString())
    load_onnx(path)
    os.truncate(tmp_path / "big.data", 100)
    with pytest.raises(KanjiError, match=r"big\.data has 100 bytes, but the tensor 'w' ends at 102400"):
        load_onnx(path)


@pytest.mark.parametrize("location", ["../big.data", "{folder}/big.data"])
def test_weights_outside_of_the_models_folder_are_refused(tmp_path: Path, location: str) -> None:
    weights_beside(tmp_path / "big.onnx")
    (tmp_path / "model").mkdir()
    model = onnx.load(str(tmp_path / "big.onnx"), load_external_data=False)
    model.graph.initializer[0].external_data[0].value = location.format(folder=tmp_path)
    (tmp_path / "model" / "big.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(KanjiError, match="outside of the model's folder"):
        load_onnx(tmp_path / "model" / "big.onnx")


def test_small_tensors_are_read_and_large_ones_stay_in_their_file(tmp_path: Path) -> None:
    small = load_onnx(image_network(tmp_path / "net.onnx", save_as_external_data=True))
    assert all(tensor.HasField("raw_data") for tensor in small.graph.initializer)
    large = load_onnx(weights_beside(tmp_path / "big.onnx", values=False, side=200))
    assert not large.graph.initializer[0].HasField("raw_data")
