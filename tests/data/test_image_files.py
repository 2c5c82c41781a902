"""Which files are read as images."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from kanji_tui.data import image_files
from kanji_tui.data.image_files import ENDINGS, NOT_READABLE, colours_of, problem_of, read_colours, read_levels

SHAPE = np.zeros((40, 50, 3), np.uint8)
SHAPE[10:30, 10:40] = 200, 60, 20


@pytest.mark.parametrize("ending", sorted(ENDINGS - {".pgm", ".pbm"}))
def test_every_format_is_read(tmp_path, ending):
    Image.fromarray(SHAPE).save(tmp_path / f"image{ending}")
    assert np.abs(read_colours(tmp_path / f"image{ending}").astype(int) - SHAPE).mean() < 12
    assert abs(int(read_levels(tmp_path / f"image{ending}")[20, 25]) - 97) < 12


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_grey_image_is_read_without_colours(mode, tmp_path):
    levels = np.arange(40 * 50, dtype=np.uint8).reshape(40, 50)
    image = Image.fromarray(levels).convert(mode)
    image.save(tmp_path / "image.png")
    expected = levels if mode == "L" else np.stack([levels] * 3, axis=-1)
    assert np.array_equal(read_colours(tmp_path / "image.png"), expected)
    assert np.array_equal(colours_of(image), expected)


def test_a_format_that_starts_another_program_is_refused_whatever_its_name(tmp_path, monkeypatch):
    import subprocess

    def start(*arguments, **options):
        raise AssertionError(f"started {arguments}")

    monkeypatch.setattr(subprocess, "Popen", start)
    Image.fromarray(SHAPE).save(tmp_path / "image.eps")
    (tmp_path / "image.eps").rename(tmp_path / "image.png")
    with pytest.raises(NOT_READABLE):
        read_colours(tmp_path / "image.png")


def test_a_large_image_is_averaged(tmp_path):
    Image.fromarray(SHAPE).resize((2100, 1680)).save(tmp_path / "large.png")
    assert read_colours(tmp_path / "large.png").shape == (560, 700, 3)
    assert read_levels(tmp_path / "large.png").shape == (560, 700)


@pytest.fixture
def few_pixels(monkeypatch):
    """At most 64 x 64 pixels are read, and 16 a side kept."""
    monkeypatch.setattr(image_files, "MAX_PIXELS", 64 * 64)
    monkeypatch.setattr(image_files, "MAX_SIDE", 16)


@pytest.mark.parametrize("size", [(65, 64), (1, 5000), (5000, 1)])
def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path, few_pixels, size):
    Image.new("RGBA", size).save(tmp_path / "large.png")
    (tmp_path / "large.png").write_bytes((tmp_path / "large.png").read_bytes()[:60])  # no pixel can be decoded
    with pytest.raises(ValueError, match=rf"it has {size[0]:,} x {size[1]:,} pixels, and at most"):
        read_colours(tmp_path / "large.png")


def test_a_format_that_can_is_decoded_at_a_smaller_size(tmp_path, few_pixels):
    Image.fromarray(SHAPE).resize((400, 320)).save(tmp_path / "large.jpg", quality=95)
    found = read_colours(tmp_path / "large.jpg").astype(int)
    assert max(found.shape) <= 16
    assert np.abs(found[len(found) // 2, found.shape[1] // 2] - [200, 60, 20]).max() < 12


def test_an_image_of_just_as_many_pixels_is_read(tmp_path, few_pixels):
    Image.new("L", (64, 64), 7).save(tmp_path / "image.png")
    assert (read_levels(tmp_path / "image.png") == 7).all()


@pytest.mark.parametrize("height", [255, 256, 257, 600])
def test_transparency_is_composed_as_a_whole(tmp_path, height):
    """By rows it is what it would be at once, whether the ink is dark or light."""
    random = np.random.default_rng(height)
    for low, high, paper in ((0, 90, 255), (170, 256, 0)):
        levels = random.integers(low, high, (height, 50, 4), np.uint8)
        levels[..., 3] = random.integers(0, 256, (height, 50))
        Image.fromarray(levels).save(tmp_path / "image.png")
        background = Image.new("RGBA", (50, height), (paper, paper, paper, 255))
        whole = Image.alpha_composite(background, Image.fromarray(levels)).convert("RGB")
        assert np.array_equal(read_colours(tmp_path / "image.png"), np.asarray(whole))


def test_a_pipe_and_a_device_are_refused(tmp_path):
    os.mkfifo(tmp_path / "image.png")
    for path in (tmp_path / "image.png", Path("/dev/zero")):
        with pytest.raises(OSError, match="it is not a regular file"):
            read_levels(path)


def exif(orientation: int, *others: bytes) -> bytes:
    """EXIF data of this orientation and other entries of 12 bytes."""
    entries = [struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0), *others]
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(tmp_path, orientation):
    Image.fromarray(SHAPE).save(tmp_path / "image.png", exif=exif(orientation))
    expected = ImageOps.exif_transpose(Image.open(tmp_path / "image.png"))
    assert expected is not None
    assert np.array_equal(read_colours(tmp_path / "image.png"), np.asarray(expected))


DAMAGED = {  # Pillow cannot write these entries again, which ImageOps.exif_transpose does
    "a text where a number belongs": exif(3, struct.pack("<HHI4s", 0x8769, 2, 4, b"abc\0")),
    "a number where a text belongs": exif(3, struct.pack("<HHIf", 0x132, 11, 1, 0.5)),
    "a text where a fraction belongs": exif(3, struct.pack("<HHI4s", 0x11A, 2, 4, b"abc\0")),
}


@pytest.mark.parametrize("ending", [".jpg", ".png"])
@pytest.mark.parametrize("entries", DAMAGED.values(), ids=DAMAGED)
def test_damaged_exif_entries_beside_the_orientation_are_no_matter(tmp_path, entries, ending, recwarn):
    Image.fromarray(SHAPE).save(tmp_path / f"image{ending}", exif=entries)
    found = read_colours(tmp_path / f"image{ending}").astype(int)
    assert np.abs(found - SHAPE[::-1, ::-1]).mean() < 12
    assert not recwarn.list


@pytest.mark.parametrize("entries", [b"Exif\0\0II*\0", exif(3)[:20], b"Exif\0\0rubbish of 20 bytes."])
def test_an_image_with_exif_data_that_are_none_is_read_as_it_is(tmp_path, entries, recwarn):
    Image.fromarray(SHAPE).save(tmp_path / "image.png", exif=entries)
    assert np.array_equal(read_colours(tmp_path / "image.png"), SHAPE)
    assert not recwarn.list


def test_levels_that_are_no_numbers_are_refused(tmp_path):
    Image.fromarray(np.full((20, 20), np.nan, np.float32)).save(tmp_path / "image.tif")
    with pytest.raises(ValueError, match="levels that are no numbers"):
        read_colours(tmp_path / "image.tif")


CONTENTS = {
    "it is empty": b"",
    "it is a HEIC photograph": b"\0\0\0\x18ftypheic\0\0\0\0heicmif1",
    "it is a PDF document": b"%PDF-1.4",
    "it is an SVG drawing": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "it is an HTML page": b"<!DOCTYPE html><html></html>",
    "it is no image in a known format": b"words",
}


def refused(path):
    with pytest.raises(NOT_READABLE) as raised:
        read_levels(path)
    return problem_of(path, raised.value)


@pytest.mark.parametrize("problem", CONTENTS)
def test_what_is_no_image_is_named_as_what_it_is(tmp_path, problem):
    (tmp_path / "image.png").write_bytes(CONTENTS[problem])
    assert refused(tmp_path / "image.png")[0] == problem


def test_half_an_image_is_to_be_copied_again(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "image.jpg")
    content = (tmp_path / "image.jpg").read_bytes()
    (tmp_path / "image.jpg").write_bytes(content[: len(content) // 2])
    problem, remedy = refused(tmp_path / "image.jpg")
    assert "truncated" in problem
    assert "again" in remedy


def test_a_pipe_and_a_folder_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    assert refused(tmp_path / "pipe.png")[0] == "it is not a regular file"
    assert refused(tmp_path / "folder.png")[0] == "it is a folder"


def test_an_image_of_too_many_pixels_is_to_be_shrunk(tmp_path, few_pixels):
    Image.new("L", (65, 64)).save(tmp_path / "image.png")
    problem, remedy = refused(tmp_path / "image.png")
    assert problem.startswith("it has 65 x 64 pixels")
    assert remedy == "give a smaller copy of it"


@pytest.mark.parametrize("ink", [0.0, 1.0])
def test_floats_of_0_to_1_are_levels(tmp_path, ink):
    levels = np.full((40, 50), 1 - ink, np.float32)
    levels[10:30, 10:40] = ink
    levels[15, 20] = 0.5
    Image.fromarray(levels).save(tmp_path / "image.tif")
    read = read_levels(tmp_path / "image.tif")
    assert (read[20, 25], read[0, 0], read[15, 20]) == (255 * ink, 255 - 255 * ink, 127)
