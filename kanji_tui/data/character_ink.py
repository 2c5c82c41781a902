"""Finds the ink of one character in a photograph or scan.

What is no part of the character is removed if it stands apart from it: objects at the edge of the image (a frame,
the table below the sheet, a neighbouring character), straight frames and guide lines, specks. A clean image keeps
every pixel.
"""

from dataclasses import dataclass, replace

import numpy as np

from kanji_tui.data.background import Separated, choose_levels, halve, has_dark_ink, separate_ink, spread
from kanji_tui.data.components import find_components, pad, run_lengths
from kanji_tui.data.sheet import find_sheet
from kanji_tui.data.stray_objects import Box, box_of, choose_components, stroke_width

INK = 0.3  # levels above this fraction of the strongest count as ink: not soft edges, not paper
FAINTEST, PALE = 0.04, 0.1  # ink of less contrast to its paper: not visible, doubtful
NOISE_FACTOR = 6  # the strongest ink exceeds the noise of the paper by this factor at least
PAPER_NOISE = 3  # deviations of the noise below which a level is paper
QUIET = 0.02  # noise of more than this share of the strongest ink makes specks
SMALLEST, SMALL = 5, 20  # pixels: a character with a shorter longer side is none, is doubtful
GRAINS = 1e-3  # more single pixels than this share of the image are noise
SMALLEST_IMAGE = 128  # pixels: a smaller image is not averaged against noise
FRINGE, CLOSE = 12, 2  # pixels: how far the soft edge of an object, of a stroke reaches
MARGIN = 2  # pixels: soft edges around a character in an image that was cut along it
MOST_PASSES = 4
LINE_LENGTH, LINE_WIDTH = 0.88, 0.4  # a guide line: shares of the image's side and of the stroke width
TIGHT = 0.02  # of the image's longer side: an image that was cut along the character has no wider margin
FINE = 0.0115  # of the character's longer side: thinner strokes are half a pixel wide, and pale, in a model's image
BOLD = 0.25  # of the same: thicker strokes run together, and no model has learned them
SQUARE = 0.8  # of the height of the ink: a part that is wider may be a character of its own
FILLED = 0.8  # more ink than this share of its box is no character
FULL = 0.25  # more ink than this share of a small image
LINE_SHARE = 0.35  # of its length that no stroke covers

SOLID = "the ink fills an area and has no strokes"
FAINT_INK = "the ink is very faint"
FEW_PIXELS = "the character is only {} pixels large"
FINE_STROKES = "the strokes are very thin"
BOLD_STROKES = "the strokes are very thick"
TWO = "there may be two characters"
AT_EDGE = "the character touches the edge of the image, so part of it may be missing"
LINES = "guide lines across the character were removed"


@dataclass(frozen=True, eq=False)
class FoundInk:
    """`ink` float32 (H, W), 0 paper to 1 black on white; all 0 if nothing is written. `doubtful`: why, or empty."""

    ink: np.ndarray
    doubtful: str = ""

    @property
    def blank(self) -> bool:
        return not self.ink.any()


def find_ink(colours: np.ndarray, invert: bool = False) -> FoundInk:
    """The ink of the character in an image uint8 (H, W, 3) or, if grey, (H, W).

    `invert`: swap ink and paper after their detection.
    """
    separated = _separate(colours, invert)
    if _without_paper(separated.ink):
        separated = replace(separated, noise=0.0)
    ink, doubts = (separated.ink - PAPER_NOISE * separated.noise).clip(0), []
    for _ in range(MOST_PASSES):
        strongest = float(ink.max())
        if strongest < max(FAINTEST, NOISE_FACTOR * separated.noise):
            return FoundInk(np.zeros_like(ink))
        mask = ink > INK * strongest
        lines = guide_lines(mask)
        ruled = bool(lines.any())
        found = find_components(mask & ~lines if ruled else mask)
        if not len(found):
            return FoundInk(np.zeros_like(ink))
        choice = choose_components(found, ink)
        doubts += [choice.doubtful] if choice.doubtful else []
        if choice.kept.all() and not ruled:
            break
        doubts += [LINES] if ruled and (spread(lines, 1) & found.mask(choice.kept)).any() else []
        ink = _erase(ink, found.mask(~choice.kept) | lines, found.mask(choice.kept))
    box = left, top, right, bottom = box_of(found, choice.kept)
    side = max(right - left, bottom - top)
    if side < SMALLEST:
        return FoundInk(np.zeros_like(ink))
    doubts += [FAINT_INK] if strongest < PALE else []
    doubts += [FEW_PIXELS.format(side)] if side < SMALL else []
    doubts += [SOLID] if _solid(box, int(found.area[choice.kept].sum())) else []
    width = stroke_width(found, choice.kept)
    doubts += [FINE_STROKES] if width < FINE * side else [BOLD_STROKES] if width > BOLD * side else []
    doubts += [TWO] if _two_characters(box, found.mask(choice.kept)) else []
    doubts += [AT_EDGE] if _cut_off(box, mask.shape) else []
    return FoundInk(ink, "; ".join(dict.fromkeys(doubts)))


def _without_paper(ink: np.ndarray) -> bool:
    """Whether a small image is so full of ink that its soft edges, not its paper, gave the noise."""
    strong = ink > INK * ink.max()
    return bool(max(ink.shape) < SMALLEST_IMAGE and strong.mean() > FULL and not _grainy(strong))


def _solid(box: Box, area: int) -> bool:
    """Whether ink of this area fills its box, unlike strokes, and it is not the box of one straight stroke."""
    left, top, right, bottom = box
    sides = sorted((right - left, bottom - top))
    return 2 * sides[0] > sides[1] and area > FILLED * sides[0] * sides[1]


def _two_characters(box: Box, character: np.ndarray) -> bool:
    """Whether the ink falls in two parts beside each other, each wide enough to be a character.

    One above the other is not told from a tall character of separate strokes, as 言.
    """
    left, top, right, bottom = box
    least = int(SQUARE * (bottom - top))
    if right - left < 2 * least:
        return False
    return not bool(character[top:bottom, left + least : right - least].any(axis=0).all())


def _cut_off(box: Box, shape: tuple[int, ...]) -> bool:
    """Whether the character touches one side of the image but has a margin on the opposite one.

    An image that was cut along the character has none on either.
    """
    (left, top, right, bottom), (height, width) = box, shape
    least = max(MARGIN, TIGHT * max(height, width))
    opposite = (left, width - right), (top, height - bottom)
    return any(min(pair) == 0 and max(pair) > least for pair in opposite)


def _separate(colours: np.ndarray, invert: bool) -> Separated:
    """The ink of the whole image, or of the sheet of paper in it; noisy images are halved until they are not."""
    levels = choose_levels(colours)
    sheet = None if invert else find_sheet(levels)
    dark_ink = sheet.light if sheet else has_dark_ink(levels) != invert
    region = sheet.region[sheet.box] if sheet else None
    levels = levels[sheet.box] if sheet else levels
    while True:
        separated = separate_ink(levels, dark_ink)
        ink = separated.ink if region is None else np.where(region, separated.ink, np.float32(0))
        strongest = float(ink.max())
        quiet = separated.noise <= QUIET * strongest and not _grainy(ink > INK * strongest)
        if quiet or max(levels.shape) < 2 * SMALLEST_IMAGE:
            return replace(separated, ink=ink)
        first, left = (min(1, side - 1) for side in levels.shape)
        levels, region = halve(levels), None if region is None else region[first::2, left::2]


def _grainy(mask: np.ndarray) -> bool:
    """Whether the mask is strewn with single pixels, as in a dithered image."""
    padded = pad(mask, 1, 1).view(np.uint8)
    columns = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return bool((mask & (columns[:-2] + columns[1:-1] + columns[2:] == 1)).sum() > GRAINS * mask.size)


def guide_lines(mask: np.ndarray) -> np.ndarray:
    """The pixels of thin straight lines from edge to edge, but where strokes cross them: bool (H, W)."""
    bands, upright = _bands(mask), _bands(mask.T)
    if not (bands.any() or upright.any()):
        return np.zeros_like(mask)
    across, down = run_lengths(mask), run_lengths(mask.T).T
    strokes = mask & ~bands & ~upright.T
    thin = LINE_WIDTH * float(np.median(np.minimum(across, down)[strokes if strokes.any() else mask]))
    horizontal, vertical = _lines(mask, bands, down <= thin), _lines(mask.T, upright, (across <= thin).T).T
    lines: np.ndarray = horizontal | vertical
    return lines


def _bands(mask: np.ndarray) -> np.ndarray:
    """What runs horizontally from edge to edge, and may rise or fall slightly, as a mask."""
    padded = pad(mask, 1, 0)
    thick: np.ndarray = padded[:-2] | padded[1:-1] | padded[2:]
    least = LINE_LENGTH * mask.shape[1]
    full = thick.sum(axis=1) >= least
    return thick & (run_lengths(thick) >= least) if full.any() else np.zeros_like(mask)


def _lines(mask: np.ndarray, band: np.ndarray, thin: np.ndarray) -> np.ndarray:
    """The thin pixels of those bands that are lines."""
    bands = find_components(band)
    straight = bands.count_pixels(mask & thin) >= LINE_SHARE * (bands.right - bands.left)
    lines: np.ndarray = mask & thin & bands.mask(straight)
    return lines


def _erase(ink: np.ndarray, objects: np.ndarray, strokes: np.ndarray) -> np.ndarray:
    """The ink without the objects and their soft edges, but for what is close to strokes."""
    edges = spread(objects, FRINGE) & ~spread(strokes, CLOSE)
    return np.where(objects | edges, np.float32(0), ink)
