"""Names what a file is that was given as an ONNX file, or as a record file, and is none."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

BEGINNING = 512  # bytes in which all these formats show themselves
LFS = b"version https://git-lfs.github.com/spec/"
OTHER_MODEL = "give the model as ONNX: convert it with the tools of its framework"
UNPACK = "unpack it and give the ONNX file in it: {}"


@dataclass(frozen=True)
class FileKind:
    """`name` with its article, as in "is not an ONNX file but a ZIP archive"."""

    name: str
    remedy: str


# The place of the magic bytes, the bytes, what the file is, what to do. From the formats' own descriptions.
MAGIC = (
    (0, b"\x1f\x8b\x08", "compressed by gzip", UNPACK.format("gzip -dc {path} > model.onnx")),
    (0, b"BZh", "compressed by bzip2", UNPACK.format("bzip2 -dc {path} > model.onnx")),
    (0, b"\xfd7zXZ\x00", "compressed by xz", UNPACK.format("xz -dc {path} > model.onnx")),
    (0, b"\x28\xb5\x2f\xfd", "compressed by zstd", UNPACK.format("zstd -dc {path} > model.onnx")),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK.format("7z x {path}")),
    (257, b"ustar", "a tar archive", UNPACK.format("tar xf {path}")),
    (0, b"\x89HDF\r\n", "an HDF5 file, which Keras writes", "convert it with tf2onnx"),
    (4, b"TFL3", "a TensorFlow Lite model", "convert it with tf2onnx"),
    (4, b"ORTM", "a model in ONNX Runtime's own format (.ort)", "give the ONNX file that it was made from"),
    (0, b"GGUF", "a GGUF model, which llama.cpp reads", OTHER_MODEL),
    (0, b"\x80\x02", "a Python pickle, which older PyTorch writes", "export the model with torch.onnx.export"),
)


def foreign_kind(path: Path) -> FileKind | None:
    """What the file is, if it is of a known kind that is no ONNX file; None also if it cannot be read."""
    try:
        with open(path, "rb") as file:
            start = file.read(BEGINNING)
    except OSError:
        return None
    if start.startswith(LFS):
        return lfs_pointer(start)
    if start.startswith(b"PK\x03\x04"):
        return zip_kind(path)
    for place, magic, name, remedy in MAGIC:
        if start[place:].startswith(magic):
            return FileKind(name, remedy.replace("{path}", str(path)))
    return text_kind(start) or safetensors_kind(start)


def lfs_pointer(start: bytes) -> FileKind:
    """The pointer that git keeps in place of a large file: three lines of text."""
    size = re.search(rb"\nsize (\d+)", start)
    about = f", which stands for {int(size.group(1)):,} bytes that were not downloaded" if size else ""
    return FileKind(f"a Git LFS pointer{about}", "in its repository: git lfs install && git lfs pull")


def zip_kind(path: Path) -> FileKind:
    """A ZIP archive; PyTorch and NumPy write ZIP archives too."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return FileKind("a truncated ZIP archive", "copy it again, and compare the sizes")
    if any(name.endswith("data.pkl") for name in names):
        return FileKind("a PyTorch file", "export the model with torch.onnx.export")
    if names and all(name.endswith(".npy") for name in names):
        return FileKind("a NumPy archive (.npz)", "give the path of an ONNX file")
    models = [name for name in names if name.endswith(".onnx")]
    inside = f" that holds {models[0]}" if models else ""
    return FileKind(f"a ZIP archive{inside}", UNPACK.format(f"unzip {path}"))


def text_kind(start: bytes) -> FileKind | None:
    """A web page, XML or JSON: often a server's answer in place of the file."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    again = "download the file itself: in a browser by its download button, in a script with curl -fL"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return FileKind("a web page (HTML)", again)
    if text.startswith(b"<?xml"):
        return FileKind("an XML document", again)
    if re.match(rb'[{\[]\s*["{\[]', text):
        return FileKind("a JSON document", again)
    return None


def safetensors_kind(start: bytes) -> FileKind | None:
    """SafeTensors begins with the length of its header, 8 bytes little-endian, and the header, which is JSON."""
    if start[8:10] == b'{"' and 0 < int.from_bytes(start[:8], "little") < 10**8:
        return FileKind("a SafeTensors file, which holds weights but no graph", OTHER_MODEL)
    return None
