"""Which files are read as images."""

import os

import numpy as np
import pytest
from PIL import Image

from kanji_tui.data.image_files import ENDINGS, NOT_READABLE, problem_of, read_colours, read_levels

SHAPE = np.zeros((40, 50, 3), np.uint8)
SHAPE[10:30, 10:40] = 200, 60, 20


@pytest.mark.parametrize("ending", sorted(ENDINGS - {".pgm", ".pbm"}))
def test_every_format_is_read(tmp_path, ending):
    Image.fromarray(SHAPE).save(tmp_path / f"image{ending}")
    assert np.abs(read_colours(tmp_path / f"image{ending}").astype(int) - SHAPE).mean() < 12
    assert abs(int(read_levels(tmp_path / f"image{ending}")[20, 25]) - 97) < 12


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


def test_an_image_of_too_many_pixels_is_to_be_shrunk(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    Image.fromarray(SHAPE).save(tmp_path / "image.png")
    assert refused(tmp_path / "image.png") == ("it has too many pixels", "give a smaller copy of it")


@pytest.mark.parametrize("ink", [0.0, 1.0])
def test_floats_of_0_to_1_are_levels(tmp_path, ink):
    levels = np.full((40, 50), 1 - ink, np.float32)
    levels[10:30, 10:40] = ink
    levels[15, 20] = 0.5
    Image.fromarray(levels).save(tmp_path / "image.tif")
    read = read_levels(tmp_path / "image.tif")
    assert (read[20, 25], read[0, 0], read[15, 20]) == (255 * ink, 255 - 255 * ink, 127)
