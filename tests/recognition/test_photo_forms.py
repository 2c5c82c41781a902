"""The 27 forms in which handwriting was photographed, scanned or saved when `predict` misread some of them.

Whatever the form, the model gets the image that it gets of the character in black on white, or a word says why not.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from kanji_tui.recognition.ink import fit_to_frame
from kanji_tui.recognition.predictor import read_ink
from tests.data.test_character_ink import ink_mask, on
from tests.drawn import DRAWN

Made = Callable[[Image.Image], Image.Image]
CHARACTERS = ("田", "あ", "研")
noise = np.random.default_rng(1)


def lit(side: int, low: int, high: int, deviation: float) -> Image.Image:
    """Paper whose light grows from left to right and fades downward."""
    light = np.linspace(low, high, side)[None, :] * np.linspace(1, 0.92, side)[:, None]
    levels = light + noise.normal(0, deviation, (side, side))
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8)).convert("RGB")


def placed(mask: Image.Image, canvas: tuple[int, int], share: float, at: float) -> Image.Image:
    side = int(min(canvas) * share)
    whole = Image.new("L", canvas)
    whole.paste(mask.resize((side, side)), tuple(int((length - side) * at) for length in canvas))
    return whole


def half_shadow(mask: Image.Image) -> Image.Image:
    shadow = Image.fromarray((np.tri(600, 600, -100) * 255).astype(np.uint8))
    dark, light = (Image.new("RGB", (600, 600), level) for level in ((110, 110, 105), (225, 225, 220)))
    return on(mask.resize((600, 600)), Image.composite(dark, light, shadow), (25, 25, 25))


def grid(mask: Image.Image) -> Image.Image:
    paper = Image.new("RGB", (400, 400), "white")
    for place in range(0, 400, 50):
        for line in ([(place, 0), (place, 400)], [(0, place), (400, place)]):
            ImageDraw.Draw(paper).line(line, fill=(170, 200, 255))
    return on(mask.resize((400, 400)), paper)


def box_with_cross(mask: Image.Image) -> Image.Image:
    paper = Image.new("RGB", (400, 400), "white")
    draw = ImageDraw.Draw(paper)
    draw.rectangle([20, 20, 380, 380], outline=(60, 60, 60), width=3)
    draw.line([(200, 20), (200, 380)], fill=(190, 190, 190))
    draw.line([(20, 200), (380, 200)], fill=(190, 190, 190))
    return on(placed(mask, (400, 400), 0.75, 0.5), paper)


def speck(mask: Image.Image) -> Image.Image:
    image = on(placed(mask, (400, 400), 0.5, 0.6), "white")
    ImageDraw.Draw(image).ellipse([5, 5, 9, 9], fill="black")
    return image


def transparent(mask: Image.Image, level: int) -> Image.Image:
    return Image.merge("RGBA", [Image.new("L", mask.size, level)] * 3 + [mask])


def black(mask: Image.Image) -> Image.Image:
    return on(mask, "white")


FORMS: dict[str, Made] = {
    "clean_black_white": black,
    "white_on_black": lambda mask: on(mask, "black", "white"),
    "grey_on_white": lambda mask: on(mask, "white", (150, 150, 150)),
    "faint_pencil": lambda mask: on(mask, "white", (215, 215, 215)),
    "blue_pen": lambda mask: on(mask, (250, 250, 245), (40, 60, 170)),
    "red_pen": lambda mask: on(mask, "white", (220, 40, 40)),
    "blackboard": lambda mask: on(mask, (40, 80, 60), (230, 230, 220)),
    "red_on_green_sameluma": lambda mask: on(mask, (60, 150, 60), (230, 80, 60)),
    "transparent_black": lambda mask: transparent(mask, 0),
    "transparent_white": lambda mask: transparent(mask, 255),
    "la": lambda mask: Image.merge("LA", [Image.new("L", mask.size), mask]),
    "one_bit": lambda mask: black(mask).convert("1"),
    "cmyk_jpg": lambda mask: black(mask).convert("CMYK"),
    "png16": lambda mask: Image.fromarray(65535 - np.asarray(mask).astype(np.uint16) * 257),
    "gradient_shadow": lambda mask: on(mask.resize((600, 600)), lit(600, 120, 235, 4), (60, 60, 60)),
    "photo_noise_blur": lambda mask: on(
        mask.resize((800, 800)).filter(ImageFilter.GaussianBlur(4)), lit(800, 170, 225, 12), (50, 50, 60)
    ),
    "half_shadow_edge": half_shadow,
    "tiny_20px": lambda mask: black(placed(mask, (600, 400), 0.05, 0.5)),
    "big_touching": lambda mask: black(mask.crop(mask.getbbox())),
    "thin_1px_large": lambda mask: black(mask.resize((600, 600)).filter(ImageFilter.MinFilter(9))),
    "blue_grid_paper": grid,
    "box_with_cross": box_with_cross,
    "frame_on_border": lambda mask: ImageOps.expand(black(mask), 6, fill="black"),
    "paper_on_dark_table": lambda mask: ImageOps.expand(
        on(mask.resize((400, 400)), (235, 235, 230), (30, 30, 30)), 60, fill=(70, 50, 40)
    ),
    "speck_far": speck,
    "exif3": lambda mask: black(mask).transpose(Image.Transpose.ROTATE_180),
    "exif6": lambda mask: black(mask).transpose(Image.Transpose.ROTATE_90),
}
OTHER_SHAPE = ("tiny_20px", "thin_1px_large")  # these are not compared with the plain character
DOUBTFUL = {"tiny_20px": "pixels large"}


def save(image: Image.Image, path: Path, form: str) -> Path:
    options: dict[str, Any] = {}
    path = (
        path / f"{form}{'.jpg' if image.mode == 'CMYK' or form.startswith(('exif', 'photo', 'grad')) else '.png'}"
    )
    if form.startswith("exif"):
        options["exif"] = Image.Exif()
        options["exif"][0x112] = int(form[4:])  # Orientation
    image.save(path, **options)
    return path


@pytest.mark.parametrize("character", CHARACTERS)
@pytest.mark.parametrize("form", FORMS)
def test_the_model_gets_the_character_of_a_photographed_form(form: str, character: str, tmp_path: Path) -> None:
    mask = ink_mask(DRAWN[character])
    image = FORMS[form](mask)
    found = read_ink(save(image, tmp_path, form))
    assert DOUBTFUL.get(form, "") in found.doubtful
    assert bool(found.doubtful) == (form in DOUBTFUL)
    written = 1 - np.asarray(image.convert("L")) / 255 if form in OTHER_SHAPE else np.asarray(mask) / 255
    model_inputs = [fit_to_frame(ink, 64, 0.8).ravel() for ink in (written, found.ink)]
    assert np.corrcoef(*model_inputs)[0, 1] > 0.95


@pytest.mark.parametrize(
    ("strokes", "doubtful"),
    [(1, True), (2, True), (5, True), (9, False), (18, False)],
    ids=lambda value: str(value),
)
def test_strokes_that_fade_in_the_models_image_are_doubtful(strokes: int, doubtful: bool, tmp_path: Path) -> None:
    """Lines of a 600 pixel large character; at 64 x 64 the model's image shows them in less than half a pixel."""
    image = Image.new("L", (700, 700), 255)
    for line in DRAWN["研"]:
        points = [tuple(50 + 600 * value for value in point) for point in line]
        ImageDraw.Draw(image).line(points, fill=0, width=strokes)
    found = read_ink(save(image, tmp_path, "lines"))
    assert ("strokes are very thin" in found.doubtful) == doubtful


@pytest.mark.parametrize(
    ("box", "doubtful"),
    [((0, 0, 170, 240), True), ((0, 0, 240, 120), True), ((60, 0, 240, 240), True), ((0, 0, 240, 240), False)],
)
def test_a_character_that_is_cut_off_by_the_edge_is_doubtful(
    box: tuple[int, int, int, int], doubtful: bool, tmp_path: Path
) -> None:
    """One that fills its image, as `big_touching` does, is not."""
    found = read_ink(save(black(ink_mask(DRAWN["研"])).crop(box), tmp_path, "cut"))
    assert ("touches the edge" in found.doubtful) == doubtful
    assert found.ink.any()
