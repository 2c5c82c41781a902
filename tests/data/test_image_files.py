"""Which files are read as images."""

import numpy as np
import pytest
from PIL import Image

from kanji_tui.data.image_files import ENDINGS, NOT_READABLE, read_colours, read_levels

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
