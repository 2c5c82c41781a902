"""From strokes to images: habits of writers, the pen's path, its ink."""

from dataclasses import replace

import numpy as np
import pytest

from kanji_tui.characters.jis import character_to_jis
from kanji_tui.data.strokes.forms import written_forms
from kanji_tui.data.strokes.kanjivg import FRAME
from kanji_tui.data.strokes.paper import add_neighbours, to_levels
from kanji_tui.data.strokes.randomness import keys_of
from kanji_tui.data.strokes.raster import draw
from kanji_tui.data.strokes.shapes import build_shapes, choose_forms, gather
from kanji_tui.data.strokes.stroke_writing import StrokeWriting, stroke_writing
from kanji_tui.data.strokes.style import Styles, make_styles
from kanji_tui.data.strokes.writing import Lines, write
from kanji_tui.events import Notice, SilentReport

CHARACTERS = "あきでぱソ一口田語池鬱〇"


@pytest.fixture(scope="module")
def writing() -> StrokeWriting:
    return stroke_writing(tuple(character_to_jis(each) or 0 for each in CHARACTERS), 5, SilentReport())


def plain_style(count: int, **changes: float) -> Styles:
    """Writers who draw KanjiVG's shapes as they are, with an even pen of three pixels."""
    even = make_styles(0, np.zeros(count, int))
    values = dict.fromkeys(Styles.__dataclass_fields__, 0.0)
    values |= {"size": 1, "link": 1, "hook": 1, "width": 3, "softness": 1, "ink": 1, "reach": 0.3} | changes
    return replace(even, **{name: np.full(count, value, np.float32) for name, value in values.items()})


def lines_of(writing: StrokeWriting, character: str, **changes: float) -> Lines:
    index = np.array([CHARACTERS.index(character)])
    return write(writing.shapes, index, plain_style(1, **changes), keys_of(1))


def longest_gap(lines: Lines) -> float:
    """The greatest distance between the end of a line and the start of the next, in frames."""
    return float(np.hypot(*(lines.start[1:] - lines.end[:-1]).T).max(initial=0))


def test_a_sample_does_not_depend_on_what_is_made_beside_it(writing):
    characters = np.arange(len(CHARACTERS))
    together = writing.write_samples(np.repeat([3, 9], len(characters)), np.tile(characters, 2))
    assert np.array_equal(writing.write(9, 0, len(characters)), together[len(characters) :])
    assert np.array_equal(writing.write(9, 4, 5)[0], together[len(characters) + 4])
    alone = build_shapes([written_forms(CHARACTERS[4])])
    alone = replace(writing, shapes=alone, codes=writing.codes[4:5])
    assert np.array_equal(alone.write(9, 0, 1)[0], together[len(characters) + 4])


def test_another_seed_or_writer_writes_otherwise(writing):
    samples = [writing.write(0, 0, 1), writing.write(1, 0, 1), replace(writing, seed=6).write(0, 0, 1)]
    assert len({each.tobytes() for each in samples}) == 3


def test_all_writers_stay_inside_the_image_and_leave_enough_ink(writing):
    characters = np.tile(np.arange(len(CHARACTERS)), 80)
    writers = np.repeat(np.arange(80), len(CHARACTERS))
    styles = replace(make_styles(2, writers), bleed=np.zeros(len(writers), np.float32))
    lines = write(writing.shapes, characters, styles, keys_of(writers, characters))
    assert np.abs(np.concatenate([lines.start, lines.end])).max() < 0.5
    ink = draw(lines, styles)
    assert ink.sum(axis=(1, 2)).min() > 40
    assert ink.max(axis=(1, 2)).min() > 0.5


def test_a_plain_writer_draws_the_strokes_as_they_are(writing):
    lines = lines_of(writing, "口")
    points = [stroke.points / FRAME - 0.5 for stroke in written_forms("口")[0].strokes]
    at_stroke_ends = np.flatnonzero(np.hypot(*(lines.start[1:] - lines.end[:-1]).T) > 1e-6)
    assert len(at_stroke_ends) == 2  # three strokes
    assert np.allclose(lines.start[[0, *(at_stroke_ends + 1)]], [each[0] for each in points], atol=1e-4)
    assert np.allclose(lines.end[[*at_stroke_ends, -1]], [each[-1] for each in points], atol=1e-4)
    curve = np.concatenate(points)
    nearest = np.hypot(*(lines.start[:, None] - curve).transpose(2, 0, 1)).min(axis=1)
    assert nearest.max() < 0.03  # the curve is known at eight places of each part
    assert (lines.width == 1).all()


def test_a_writer_who_joins_keeps_the_pen_down(writing):
    apart, joined = lines_of(writing, "語", join=0), lines_of(writing, "語", join=50, reach=9)
    assert longest_gap(apart) > 0.1
    assert longest_gap(joined) < 1e-6
    thin = lines_of(writing, "語", join=50, reach=9, link=0.4)
    assert sorted(set(np.float64(thin.width).round(3).tolist())) == [0.4, 1.0]


def test_short_gaps_are_joined_sooner_than_long_ones(writing):
    near = lines_of(writing, "語", join=50, reach=0.1)
    drawn = np.hypot(*(near.start[1:] - near.end[:-1]).T)
    assert drawn.max() > 0.12
    assert len(near.start) > len(lines_of(writing, "語").start)


def test_a_hook_can_be_omitted(writing):
    assert writing.shapes.hook.min() < 1
    with_hooks, without = lines_of(writing, "き", hook=1), lines_of(writing, "き", hook=-1)
    assert len(without.start) < len(with_hooks.start)
    assert longest_gap(without) > 0


def test_smoothing_rounds_corners_and_keeps_the_ends(writing):
    def sharpest(lines: Lines) -> float:
        direction = np.arctan2(*(lines.end - lines.start).T)
        turn = np.abs((np.diff(direction) + np.pi) % (2 * np.pi) - np.pi)
        return float(turn[np.hypot(*(lines.start[1:] - lines.end[:-1]).T) < 1e-6].max())

    sharp, smooth = lines_of(writing, "語"), lines_of(writing, "語", smoothing=1)
    assert sharpest(smooth) < 0.7 * sharpest(sharp)
    assert np.allclose(smooth.start[0], sharp.start[0])
    assert np.allclose(smooth.end[-1], sharp.end[-1])


def test_a_screen_with_few_points_draws_straight_lines(writing):
    broken, ring = lines_of(writing, "〇", corner=0.5), lines_of(writing, "〇")
    direction = np.arctan2(*(broken.end - broken.start).T).round(3)
    assert len(set(direction.tolist())) < 8 < len(set(np.arctan2(*(ring.end - ring.start).T).round(3).tolist()))
    assert longest_gap(broken) < 1e-6


def test_components_move_as_a_whole(writing):
    still, moved = lines_of(writing, "語"), lines_of(writing, "語", component=0.05)
    assert len(still.start) == len(moved.start)
    shift = moved.start - still.start
    left, right = shift[still.start[:, 0] < -0.1], shift[still.start[:, 0] > 0.05]
    assert np.abs(left.mean(axis=0) - right.mean(axis=0)).max() > 0.005


def test_dakuten_differ_in_place_and_size(writing):
    characters = np.full(200, CHARACTERS.index("で"))
    batch = gather(writing.shapes, writing.shapes.first_form[characters])
    assert batch.is_mark.sum() == 400
    styles = plain_style(200)
    lines = write(writing.shapes, characters, styles, keys_of(np.arange(200)))
    still = lines_of(writing, "で")
    same = len(still.start)
    assert len(lines.start) == 200 * same
    tick = lines.start.reshape(200, same, 2)[:, -3]
    assert 0.02 < tick[:, 0].std() < 0.12
    assert np.abs(lines.start.reshape(200, same, 2)[:, 0].std(axis=0)).max() < 0.06


# Ink


def test_a_line_is_as_wide_as_the_pen_with_round_ends():
    lines = Lines(
        np.array([[-0.2, 0.1]], np.float32),
        np.array([[0.1, 0.0]], np.float32),
        np.ones(1, np.float32),
        np.zeros(1, int),
    )
    lines = split(lines, 12)
    drawn = draw(lines, plain_style(1, width=5, softness=1.5))[0]
    row, column = np.mgrid[:127, :128]
    place = np.stack([(column - 63.5) / 128, (row - 63) / 128], axis=2)
    start, way = np.array([-0.2, 0.1]), np.array([0.3, -0.1])
    share = np.clip((place - start) @ way / (way @ way), 0, 1)
    distance = 128 * np.hypot(*np.moveaxis(place - start - share[..., None] * way, 2, 0))
    assert np.abs(drawn - np.clip((2.5 - distance) / 1.5 + 0.5, 0, 1)).max() < 1e-3


def split(line: Lines, parts: int) -> Lines:
    at = np.linspace(0, 1, parts + 1, dtype=np.float32)[:, None]
    points = line.start + at * (line.end - line.start)
    return Lines(points[:-1], points[1:], np.ones(parts, np.float32), np.zeros(parts, int))


@pytest.mark.parametrize("where", [-0.5, 0.5, -0.58, 0.58, 4.0])
def test_ink_at_and_beyond_the_border_is_cut_off(where):
    place = np.array([[where, 0], [0, where], [where, where]], np.float32)
    lines = Lines(place, place + 0.01, np.ones(3, np.float32), np.array([0, 1, 2]))
    drawn = draw(lines, plain_style(3, width=7))
    assert drawn.shape == (3, 127, 128)
    assert (drawn.sum(axis=(1, 2)) > 0).all() == (abs(where) == 0.5)
    assert not drawn[:, 30:90, 30:90].any()


def test_samples_of_one_batch_do_not_share_ink():
    place = np.zeros((1, 2), np.float32)
    drawn = draw(Lines(place, place, np.ones(1, np.float32), np.array([1])), plain_style(3, width=6))
    assert [bool(each.any()) for each in drawn] == [False, True, False]


def test_levels_follow_ink_grain_and_dirt():
    ink = np.zeros((4, 127, 128), np.float32)
    ink[:, 40:80, 40:80] = 1
    styles = replace(
        plain_style(4),
        ink=np.array([1, 0.6, 1, 1], np.float32),
        grain=np.array([0, 0, 0.4, 0], np.float32),
        dirt=np.array([0, 0, 0, 0.01], np.float32),
    )
    levels = to_levels(ink, styles, keys_of(np.arange(4)))
    assert levels.dtype == np.uint8
    assert set(levels[0].ravel().tolist()) == {0, 15}
    assert set(levels[1].ravel().tolist()) == {0, 9}
    assert len(set(levels[2, 40:80, 40:80].ravel().tolist())) > 3
    assert 0.005 < (levels[3][:30] > 0).mean() < 0.015


def test_a_neighbour_reaches_in_from_a_side_of_the_image(writing):
    characters = np.full(60, CHARACTERS.index("語"))
    styles = plain_style(60, bleed=1)
    alone = replace(styles, bleed=styles.bleed * 0)
    keys = keys_of(np.arange(60))
    lines = write(writing.shapes, characters, styles, keys)
    assert len(add_neighbours(lines, alone, keys).start) == len(lines.start)
    more = draw(add_neighbours(lines, styles, keys), styles) - draw(lines, styles)
    assert more.any(axis=(1, 2)).mean() > 0.6
    assert not more[:, :, 25:103].any()


# Characters


def test_characters_without_strokes_are_named(report):
    made = stroke_writing((0x2422, 0x2121, 0x4544), 0, report)  # 0x2121: the ideographic space
    assert made.codes == (0x2422, 0x4544)
    assert "KanjiVG lacks" in report.of(Notice)[0].message
    assert made.write(0, 0, 2).shape == (2, 127, 128)


def test_writers_choose_among_the_forms_of_a_character(writing):
    index = CHARACTERS.index("き")
    shapes, characters = writing.shapes, np.full(400, index)
    chance = np.stack([np.linspace(0, 1, 400, endpoint=False), np.full(400, 0.5)], axis=1)
    chosen = choose_forms(shapes, characters, np.full(400, 0.3), np.full(400, 0.25), chance)
    base = shapes.first_form[index]
    assert (chosen[:300] == base).all()  # き has no variant
    assert (chosen[300:] == base + 1).all()
    index = CHARACTERS.index("田")  # one variant, no derived form
    chosen = choose_forms(shapes, np.full(400, index), np.full(400, 0.3), np.full(400, 0.25), chance)
    assert (chosen[:120] == shapes.first_form[index] + 1).all()
    assert (chosen[120:] == shapes.first_form[index]).all()
