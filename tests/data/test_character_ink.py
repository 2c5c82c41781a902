"""The ink of one character is found in photographs and scans, whatever else they show."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from kanji_tui.data.character_ink import find_ink, guide_lines
from kanji_tui.data.sheet import find_sheet
from kanji_tui.data.stray_objects import FRAME_OR_PART
from kanji_tui.recognition.ink import fit_to_frame
from tests.drawn import DRAWN

SIDE = 240
Made = Callable[[Image.Image], Image.Image]
GA = (*DRAWN["あ"], ((0.86, 0.02), (0.92, 0.1)), ((0.95, 0.0), (1.0, 0.07)))  # あ with two short strokes
KO = (((0.1, 0.0), (0.9, 0.02)), ((0.15, 0.95), (0.9, 1.0)))  # こ, its strokes as far apart as they are long
KAI = (  # a box around a box, as in 回
    ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0)),
    ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3)),
)


def ink_mask(strokes, margin: int = 45, width: int = 12) -> Image.Image:
    """Strokes in 0-1 as an ink mask, 255 ink, with soft edges."""
    large = Image.new("L", (2 * SIDE, 2 * SIDE))
    draw = ImageDraw.Draw(large)
    for stroke in strokes:
        points = [tuple(2 * (margin + (SIDE - 2 * margin) * value) for value in point) for point in stroke]
        draw.line(points, fill=255, width=2 * width, joint="curve")
        for x, y in points:
            draw.circle((x, y), width, fill=255)
    return large.reduce(2)


def on(mask: Image.Image, paper: str | tuple[int, int, int] | Image.Image, ink="black") -> Image.Image:
    ground = paper if isinstance(paper, Image.Image) else Image.new("RGB", mask.size, paper)
    return Image.composite(Image.new("RGB", mask.size, ink), ground.convert("RGB"), mask)


def grey(levels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)).convert("RGB")


def with_(image: Image.Image, draw: Callable[[ImageDraw.ImageDraw], object]) -> Image.Image:
    draw(ImageDraw.Draw(image))
    return image


def ruled(level: int, width: int) -> Image.Image:
    paper = Image.new("RGB", (SIDE, SIDE), "white")
    for place in range(20, SIDE, 50):
        ImageDraw.Draw(paper).line([(0, place), (SIDE, place + 1)], fill=(level, level, 255), width=width)
    return paper


def boxed(mask: Image.Image) -> Image.Image:
    def lines(draw):
        draw.rectangle([15, 15, SIDE - 15, SIDE - 15], outline=(60, 60, 60), width=2)
        draw.line([(SIDE // 2, 15), (SIDE // 2, SIDE - 15)], fill=(190, 190, 190))

    return on(mask, with_(Image.new("RGB", mask.size, "white"), lines))


def sheet_on_table(mask: Image.Image) -> Image.Image:
    y, x = np.mgrid[:400, :500]
    table = grey(70 + 15 * np.sin(x / 5 + np.sin(y / 40)))
    sheet = on(mask, (235, 235, 230)).convert("RGBA").rotate(12, expand=True, resample=Image.Resampling.BICUBIC)
    table.paste(sheet, (90, 40), sheet)
    return table.rotate(-12, resample=Image.Resampling.BICUBIC, fillcolor=(70, 70, 70))


across = np.mgrid[:SIDE, :SIDE][1]
shadow = np.tri(SIDE, SIDE, -20) > 0
noise = np.random.default_rng(0).normal(0, 10, (SIDE, SIDE))
FORMS: dict[str, Made] = {
    "light on dark": lambda mask: on(mask, (40, 80, 60), (230, 230, 220)),
    "faint pencil": lambda mask: on(mask, "white", (222, 222, 222)),
    "red on green of equal grey": lambda mask: on(mask, (60, 150, 60), (230, 80, 60)),
    "blue on yellow of equal grey": lambda mask: on(mask, (140, 130, 40), (120, 120, 220)),
    "gradient": lambda mask: on(mask, grey(110 + 130 * across / SIDE), (50, 50, 50)),
    "noise": lambda mask: grey(np.asarray(on(mask, (200, 200, 200), (60, 60, 60)).convert("L")) + noise),
    "half a shadow": lambda mask: on(mask, grey(np.where(shadow, 110, 225)), (25, 25, 25)),
    "speck": lambda mask: with_(on(mask, "white"), lambda draw: draw.ellipse([3, 3, 8, 8], fill="black")),
    "dark frame": lambda mask: ImageOps.expand(on(mask, "white"), 5, fill="black"),
    "thick frame": lambda mask: ImageOps.expand(on(mask, "white"), 30, fill="black"),
    "dark table": lambda mask: ImageOps.expand(on(mask, (235, 235, 230)), 60, fill=(70, 50, 40)),
    "turned sheet on a wooden table": sheet_on_table,
    "dark sheet on a light table": lambda mask: ImageOps.expand(on(mask, "black", "white"), 60, fill="white"),
    "table on one side": lambda mask: ImageOps.expand(on(mask, "white"), (80, 0, 0, 0), fill=(60, 45, 35)),
    "the edge of a page, as wide as the strokes": lambda mask: ImageOps.expand(
        on(mask, (235, 235, 230)), (0, 0, 14, 0), fill=(60, 60, 60)
    ),
    "a bar above, as wide as the strokes": lambda mask: ImageOps.expand(
        on(mask, "white"), (0, 15, 0, 0), fill=(50, 90, 200)
    ),
    "box with a cross": boxed,
    "pencil on ruled paper": lambda mask: on(mask, ruled(150, 1), (120, 120, 120)),
    "a neighbour at the edge": lambda mask: with_(
        on(mask, "white"), lambda draw: draw.line([(0, 60), (14, 90), (0, 170)], fill="black", width=10)
    ),
}


def colours(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def model_input(image: Image.Image) -> np.ndarray:
    return fit_to_frame(find_ink(colours(image)).ink, 64, 0.8).astype(np.float64) / 255


@pytest.mark.parametrize("character", ["田", "あ"])
@pytest.mark.parametrize("form", FORMS)
def test_the_model_gets_the_same_image_in_every_form(form, character):
    mask = ink_mask(DRAWN[character])
    clean, found = model_input(on(mask, "white")), model_input(FORMS[form](mask))
    assert np.corrcoef(clean.ravel(), found.ravel())[0, 1] > (0.9 if "sheet" in form else 0.95)


@pytest.mark.parametrize("margin", [45, 70])
@pytest.mark.parametrize("strokes", [*DRAWN.values(), GA, KAI, KO])
def test_a_clean_image_keeps_every_pixel(strokes, margin):
    mask = ink_mask(strokes, margin)
    found = find_ink(colours(on(mask, "white")))
    assert found.doubtful == ""
    assert np.allclose(found.ink, np.asarray(mask) / 255)


@pytest.mark.parametrize("strokes", [*DRAWN.values(), GA, KAI])
def test_a_character_that_fills_its_image_keeps_every_pixel(strokes):
    mask = ink_mask(strokes)
    mask = mask.crop(mask.getbbox())
    assert np.allclose(find_ink(colours(on(mask, "white"))).ink, np.asarray(mask) / 255)


SAN = (((0.1, 0.1), (0.9, 0.1)), ((0.2, 0.5), (0.8, 0.5)), ((0, 0.9), (1, 0.9)))  # as in 三


def test_the_longest_stroke_of_a_character_that_fills_its_image_is_kept():
    mask = ink_mask(SAN)
    mask = mask.crop(mask.getbbox())
    assert np.allclose(find_ink(colours(on(mask, "white"))).ink, np.asarray(mask) / 255)


NI = (((0.15, 0.2), (0.85, 0.2)), ((0, 0.8), (1, 0.8)))  # as in 二
GRID = with_(
    Image.new("RGB", (SIDE, SIDE), "white"),
    lambda draw: [
        draw.line(line, fill=(64, 160, 160), width=2)
        for place in range(15, SIDE, 30)
        for line in ([(0, place), (SIDE, place)], [(place, 0), (place, SIDE)])
    ],
)


@pytest.mark.parametrize(("strokes", "width"), [(NI, 9), (DRAWN["田"], 22)], ids=["few", "bold"])
def test_guide_lines_with_more_ink_than_the_strokes_or_mostly_under_them_are_removed(strokes, width):
    mask = ink_mask(strokes, width=width)
    clean, found = model_input(on(mask, "white")), model_input(on(mask, GRID))
    assert np.corrcoef(clean.ravel(), found.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("size", [28, 40, 64])
def test_a_dense_character_with_a_narrow_margin_is_no_paper(size):
    """Its gaps are narrower than its strokes, and the margin is narrower than both together."""
    dense = Image.new("L", (SIDE, SIDE), 0)
    draw = ImageDraw.Draw(dense)
    draw.rectangle([18, 18, 222, 222], fill=255)
    for top in range(46, 200, 44):
        for left in range(40, 200, 62):
            draw.rectangle([left, top, left + 34, top + 18], fill=0)
    small = dense.resize((size, size), Image.Resampling.BOX)
    for paper, ink in (("white", "black"), ("black", "white")):
        found = find_ink(colours(on(small, paper, ink)))
        assert np.corrcoef(found.ink.ravel(), np.asarray(small).ravel())[0, 1] > 0.95


def test_strokes_wider_than_any_paper_between_them_stay_filled():
    cross = ((0, 0.5), (1, 0.5)), ((0.5, 0), (0.5, 1))
    mask = ink_mask(cross, 75, 35)
    found = find_ink(colours(on(mask, "white")))
    assert np.allclose(found.ink, np.asarray(mask) / 255, atol=0.02)
    assert "the strokes are very thick" in found.doubtful


def test_a_character_whose_strokes_run_together_is_no_dark_sheet():
    mask = with_(
        Image.new("L", (SIDE, SIDE), 0),
        lambda draw: [
            draw.rounded_rectangle([50, 45, 190, 195], 8, fill=255),
            draw.rectangle([50, 80, 57, 160], fill=0),
            *(draw.rectangle([left, 110, left + 4, 170], fill=0) for left in (80, 110, 140)),
        ],
    )
    found = find_ink(colours(on(mask, "white")))
    assert np.corrcoef(found.ink.ravel(), np.asarray(mask).ravel())[0, 1] > 0.95


def test_two_characters_beside_each_other_are_doubtful():
    both = Image.new("L", (2 * SIDE, SIDE))
    for number, character in enumerate("田研"):
        both.paste(ink_mask(DRAWN[character], margin=30), (number * SIDE, 0))
    assert "two characters" in find_ink(colours(on(both, "white"))).doubtful


def test_short_strokes_are_kept_in_an_image_with_specks():
    mask = ink_mask(GA, width=8)
    specks = with_(on(mask, "white"), lambda draw: draw.point([(5, 230), (6, 230), (230, 235)], fill="black"))
    assert np.allclose(find_ink(colours(specks)).ink, np.asarray(mask) / 255)


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (on(ink_mask(DRAWN["田"]), "white", (238, 238, 238)), "very faint"),
        (on(ink_mask(DRAWN["田"]), "white").resize((24, 24)), "pixels large"),
        (ImageOps.expand(on(ink_mask(DRAWN["田"], 20), "white"), 12, fill="black"), FRAME_OR_PART),
        (on(ink_mask(DRAWN["あ"]), ruled(60, 2)), "guide lines"),
        (
            with_(on(ink_mask(DRAWN["田"], 90), "white"), lambda draw: draw.ellipse([2, 2, 30, 30], fill="black")),
            "more ink beside",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_doubtful_image_has_a_reason(image, why):
    found = find_ink(colours(image))
    assert why in found.doubtful
    assert not found.blank


@pytest.mark.parametrize(
    "levels",
    [
        np.full((60, 60), 200),
        np.full((1, 1), 7),
        60 + 2 * np.mgrid[:90, :90][0],
        200 + np.random.default_rng(1).normal(0, 3, (300, 300)),
        np.where((np.mgrid[:90, :90] == 40).all(axis=0), 0, 255),
    ],
    ids=["flat", "one pixel", "gradient", "noise", "one dot"],
)
def test_nothing_is_found_where_nothing_is_written(levels):
    assert find_ink(colours(grey(levels))).blank


@pytest.mark.parametrize("shape", [(268, 1), (1, 600), (300, 2), (513, 3)])
def test_noise_of_few_pixels_width_is_halved_as_any_other(shape):
    levels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    assert np.array_equal(find_ink(levels).ink, find_ink(np.stack([levels] * 3, axis=-1)).ink)


def test_a_guide_line_is_found_across_and_upright() -> None:
    mask = np.zeros((100, 120), bool)
    mask[20:80, 30:42] = mask[20:32, 30:90] = True  # thick strokes
    across = mask.copy()
    across[50:52] = True
    line = guide_lines(across)
    assert line[50:52, 60:].all()
    assert line.sum() == line[50:52].sum()
    assert np.array_equal(guide_lines(across.T), line.T)
    assert not guide_lines(mask).any()


@pytest.mark.parametrize("light", [True, False])
def test_a_small_sheet_is_found(light: bool) -> None:
    side = 48 if light else 110  # 4 % of the image, 21 %
    levels = np.full((240, 240), 90, np.uint8)
    levels[100 : 100 + side, 80 : 80 + side] = 250
    middle, end = side // 2, side - 8
    for near, far in ((8, 10), (middle, middle + 2), (end - 2, end)):
        levels[100 + near : 100 + far, 88 : 80 + end] = 20
        levels[108 : 100 + end, 80 + near : 80 + far] = 20
    found = find_sheet(levels if light else 255 - levels)
    assert found is not None
    assert found.light == light
    rows, columns = found.box
    assert 100 <= rows.start < 108 < 100 + end < rows.stop <= 100 + side
    assert 80 <= columns.start < 88 < 80 + end < columns.stop <= 80 + side
