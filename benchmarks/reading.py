"""Measure the built-in model as a reader of what it never learned from, with zinnia as a peer on the same strokes.

    python benchmarks/reading.py [--drawings DIR] [--font FILE ...] [--writers 1] [--zinnia-model FILE]

- Drawings: a folder with a folder of PNG files for each character, read as `predict` reads them.
- Fonts that look like handwriting: all 3,036 ETL9G classes, as whole frames of an ETL record, and as images cropped
  to their ink, as `predict` does it. Without --font: Klee One and Yusei Magic, where fontconfig knows them (from
  Debian's fonts-klee and fonts-yusei-magic).
- Strokes: those of kana and of the kanji of JIS level 1, each character by a synthetic writer of its own, of a seed
  that no training has; with --writers by several. zinnia (Debian's zinnia-utils, tegaki-zinnia-japanese) gets their
  points; the built-in model the image that the drawing pad makes of them, in which order and direction are lost.
  These writers are of the kind that the built-in model learned from and zinnia did not, which flatters the former.
- Time: one image in the ONNX file, on one thread.

All outputs are open, and of zinnia's, which are twice as many, those of the same characters. Look-alikes count as
one character; where the size is lost (a cropped image, a drawing) small and large kana do too. Accuracies have
Wilson's 95 % intervals. Prints Markdown; the exit code is 1 where a goal is missed. What is not on this machine is
said in its row.
"""

import argparse
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from tables import machine, row, table

from kanji_tui.characters.character_sets import codes_of
from kanji_tui.characters.jis import character_of
from kanji_tui.characters.lookalikes import large_kana, lookalikes_of
from kanji_tui.data.etl import COLUMNS, ROWS, pack_levels
from kanji_tui.data.fonts import CANVAS, Font
from kanji_tui.data.resize import shrink
from kanji_tui.data.strokes.randomness import keys_of
from kanji_tui.data.strokes.stroke_writing import StrokeWriting, stroke_writing
from kanji_tui.data.strokes.style import make_styles
from kanji_tui.data.strokes.writing import Lines, write
from kanji_tui.engines.engine import ENGINES, Engine
from kanji_tui.errors import KanjiError
from kanji_tui.events import SilentReport
from kanji_tui.networks.card import ModelCard
from kanji_tui.paths import BUILT_IN, DATA_DIR
from kanji_tui.recognition.candidates import most_probable
from kanji_tui.recognition.drawing.model import find_style, normalise, open_drawing_model
from kanji_tui.recognition.ink import fit_to_frame
from kanji_tui.recognition.model_files import built_in
from kanji_tui.recognition.models import Model, open_model
from kanji_tui.recognition.predictor import predict
from kanji_tui.recognition.results import Candidate, Prediction
from kanji_tui.system import numbers

TOP, CONFUSIONS = 5, 10
DRAWINGS_GOAL = (0.97, 0.997)  # top-1, top-5
OURS, PEER = "built-in", "zinnia"
FONTS = {"Klee One": "KleeOne-Regular.ttf", "Yusei Magic": "YuseiMagic-Regular.ttf"}
FRAME = 176  # pixels of a glyph's canvas that are the frame of a record: its em square is 0.82 of it
WRITERS_SEED = 1 << 42  # above those that a training adds to its own seed
ZINNIA_MODEL = Path("/usr/share/tegaki/models/zinnia/handwriting-ja.model")
ZINNIA_SIDE = 300
ASKED = 100  # candidates of zinnia, which knows twice as many characters
BATCHES = (1, 32)

Strokes = tuple[np.ndarray, ...]  # points float (n, 2), x and y in frames, 0 at the centre, y downward
Answer = tuple[str, ...]  # candidates, most probable first; each the characters that cannot be told apart


@dataclass
class Results:
    """Prints a row for each set that was read, and keeps the confusions to print them below the table."""

    missed: bool = False
    confusions: dict[str, str] = field(default_factory=dict)

    def add(
        self,
        what: str,
        reader: str,
        labels: Sequence[str],
        answers: Sequence[Answer],
        goal: tuple[float, float] | None = None,
    ) -> None:
        """The accuracy of `reader`, whose answers are in the order of the labels."""
        ranks = [
            next((rank for rank, found in enumerate(answer[:TOP]) if label in found), TOP)
            for label, answer in zip(labels, answers, strict=True)
        ]
        top1, top5 = (sum(rank < top for rank in ranks) / len(ranks) for top in (1, TOP))
        shown, verdict = "", ""
        if goal:
            met = top1 >= goal[0] and top5 >= goal[1]
            shown, verdict = f"{goal[0]:.0%}, {goal[1]:.1%}", "met" if met else "**missed**"
            self.missed |= not met
        accuracies = (numbers.accuracy(share, len(ranks)) for share in (top1, top5))
        row(what, reader, f"{len(ranks):,}", *accuracies, shown, verdict)
        wrong = Counter(
            f"{label} as {answer[0][0] if answer else 'nothing'}"
            for label, answer, rank in zip(labels, answers, ranks, strict=True)
            if rank
        )
        self.confusions[f"{what}, {reader}"] = ", ".join(
            f"{pair} ({count})" if count > 1 else pair for pair, count in wrong.most_common(CONFUSIONS)
        )

    def skip(self, what: str, reader: str, why: str) -> None:
        row(what, reader, f"not measured: {why}", "", "", "", "")


def as_answer(candidates: Iterable[Candidate]) -> Answer:
    return tuple("".join((found.character, *found.lookalikes)) for found in candidates)


def read_drawings(folder: Path | None, results: Results) -> None:
    """The PNG files in the folders of `folder`, each named after its character."""
    what = "drawings of touch screens"
    images = tuple(sorted(folder.glob("*/*.png"))) if folder else ()
    if not images:
        reason = f"{folder} has no folders with PNG files" if folder else "--drawings names no folder"
        return results.skip(what, OURS, reason)
    found = predict(images, BUILT_IN, invert=False, show=False, report=SilentReport()).predictions
    answers = [as_answer(one.candidates) if isinstance(one, Prediction) else () for one in found]
    return results.add(what, OURS, [path.parent.name for path in images], answers, DRAWINGS_GOAL)


# fonts


def find_fonts(given: list[Path]) -> dict[str, Path | None]:
    """The fonts to read by name; the usual ones where none is given, None for one that is not installed."""
    if given:
        return {path.stem: path for path in given}
    known: dict[str, Path] = {}
    if shutil.which("fc-list"):
        listed = subprocess.run(["fc-list", ":", "file"], capture_output=True, text=True, check=True).stdout
        known = {path.name: path for path in (Path(line.strip().rstrip(":")) for line in listed.splitlines())}
    return {name: known.get(file) for name, file in FONTS.items()}


def read_font(model: Model, name: str, path: Path | None, results: Results) -> None:
    """All ETL9G classes that the font has: as frames of a record, and cropped to the ink."""
    ways = (f"{name}, whole frames", f"{name}, cropped")
    if path is None:
        for what in ways:
            results.skip(what, OURS, "the font is not installed")
        return
    font = Font(path, name)
    drawn = {character_of(jis): font.glyph(character_of(jis)) for jis in codes_of("etl9g")}
    glyphs = {character: glyph for character, glyph in drawn.items() if glyph is not None}
    labels = list(glyphs)
    frames = model.logits(shrink(pack_levels(np.stack(list(map(as_record, glyphs.values())))), model.card.size))
    results.add(ways[0], OURS, labels, [by_output(logits, model.card) for logits in frames])
    extent = float(model.card.metrics["ink_extent"])
    cropped = [fit_to_frame(glyph / np.float32(255), model.card.size, extent) for glyph in glyphs.values()]
    answers = [as_answer(most_probable(logits, model.card, TOP)) for logits in model.logits(np.stack(cropped))]
    results.add(ways[1], OURS, labels, answers)


def as_record(glyph: np.ndarray) -> np.ndarray:
    """A glyph (CANVAS, CANVAS) as the levels of an ETL record, uint8 (ROWS, COLUMNS), 0-15."""
    margin = (CANVAS - FRAME) // 2
    frame = Image.fromarray(glyph[margin : CANVAS - margin, margin : CANVAS - margin])
    return np.asarray(frame.resize((COLUMNS, ROWS), Image.Resampling.BOX)) // 17


def by_output(logits: np.ndarray, card: ModelCard) -> Answer:
    """The answer where the frame is known, so that small kana are outputs of their own."""
    sharing = {group[0]: group for group in card.lookalikes}
    best = np.argsort(-logits, kind="stable")[:TOP]
    return tuple("".join(map(character_of, sharing.get(jis, (jis,)))) for jis in (card.classes[i] for i in best))


# strokes


@dataclass(frozen=True, eq=False)
class Written:
    """The strokes of characters, in their order, and the characters."""

    labels: list[str]
    strokes: list[Strokes]


def write_strokes(writing: StrokeWriting, writers: int, careful: bool) -> Written:
    """Every character by `writers` writers, each of whom writes only that one.

    `careful`: the pen leaves the paper after each stroke of KanjiVG.
    """
    written: list[Strokes] = []
    number = np.arange(writers * len(writing.codes))
    for start in range(0, len(number), writing.block):
        writer = number[start : start + writing.block]
        characters = writer % len(writing.codes)
        styles = make_styles(writing.seed, writer)
        if careful:
            never = np.zeros_like(styles.join)
            styles = replace(styles, join=never, derived=never)
        keys = keys_of(np.full(len(writer), writing.seed), writer, np.array(writing.codes)[characters])
        lines = write(writing.shapes, characters, styles, keys)
        written += [strokes_of(lines, sample) for sample in range(len(characters))]
    return Written(list(map(character_of, writing.codes)) * writers, written)


def strokes_of(lines: Lines, sample: int) -> Strokes:
    """The lines of a sample as strokes: one begins where the line before it does not end."""
    own = lines.sample == sample
    start, end = lines.start[own], lines.end[own]
    first = np.flatnonzero((start[1:] != end[:-1]).any(axis=1)) + 1
    return tuple(
        np.concatenate([starts, ends[-1:]])
        for starts, ends in zip(np.split(start, first), np.split(end, first), strict=True)
    )


def reversed_strokes(strokes: Strokes) -> Strokes:
    """The last stroke first, each from its end to its start."""
    return tuple(stroke[::-1] for stroke in reversed(strokes))


def read_strokes(writers: int, zinnia_model: Path, results: Results) -> None:
    """Strokes of synthetic writers by both readers."""
    codes = tuple(sorted({*codes_of("etl9g"), *codes_of("kana")}))
    name = "kana and level-1 kanji, synthetic strokes"
    try:
        writing = stroke_writing(codes, WRITERS_SEED, SilentReport())
    except KanjiError as error:
        return results.skip(name, f"{OURS}, {PEER}", error.message)
    missing = why_no_zinnia(zinnia_model)

    def peer(what: str, labels: list[str], strokes: list[Strokes]) -> None:
        if missing:
            results.skip(what, PEER, missing)
        else:
            results.add(what, PEER, labels, ask_zinnia(strokes, zinnia_model))

    for how, careful in (("stroke by stroke", True), ("joined as writers join them", False)):
        written = write_strokes(writing, writers, careful)
        results.add(f"{name}, {how}", OURS, written.labels, draw_and_read(written.strokes))
        peer(f"{name}, {how}", written.labels, written.strokes)
        if careful:
            turned = [reversed_strokes(strokes) for strokes in written.strokes]
            peer(f"{name}, reversed in order and direction", written.labels, turned)
    return None


def draw_and_read(drawings: Sequence[Strokes]) -> list[Answer]:
    """The built-in model's answers, as Draw gives them."""
    model = open_drawing_model(built_in(".onnx"))
    style = find_style(model.card, DATA_DIR)
    return [
        as_answer(model.candidates(normalise(list(strokes), style, model.card.size))[:TOP]) for strokes in drawings
    ]


def why_no_zinnia(model: Path) -> str:
    if shutil.which("zinnia") is None:
        return "zinnia is not installed (apt-get install zinnia-utils tegaki-zinnia-japanese)"
    return "" if model.is_file() else f"there is no model {model} (apt-get install tegaki-zinnia-japanese)"


def ask_zinnia(drawings: Sequence[Strokes], model: Path) -> list[Answer]:
    """zinnia's answers among the characters that the built-in model knows, look-alikes as one."""
    questions = "".join(f"{as_expression(strokes)}\n" for strokes in drawings)
    command = ["zinnia", "-m", str(model), "-n", str(ASKED)]
    printed = subprocess.run(command, input=questions, capture_output=True, text=True, check=True).stdout
    answers: list[list[str]] = []
    for line in printed.splitlines():
        if line.startswith("Answer"):
            answers.append([])
        elif line.strip():
            answers[-1].append(line.split()[0])
    known = shapes()
    return [tuple(dict.fromkeys(known[each] for each in answer if each in known))[:TOP] for answer in answers]


def as_expression(strokes: Strokes) -> str:
    """Strokes as zinnia reads them: (character (width 300)(height 300)(strokes ((x y)(x y)) ((x y)...)))."""
    lines = (
        "".join(f"({x} {y})" for x, y in np.rint((stroke + 0.5) * ZINNIA_SIDE).clip(0, ZINNIA_SIDE - 1).astype(int))
        for stroke in strokes
    )
    inner = "".join(f"({line})" for line in lines)
    return f"(character (width {ZINNIA_SIDE})(height {ZINNIA_SIDE})(strokes {inner}))"


@cache
def shapes() -> dict[str, str]:
    """For each character that the built-in model knows all that look like it in a drawing, whose size is lost."""
    shape_of = {jis: lookalikes_of(large_kana(jis))[0] for jis in codes_of("all")}
    members: dict[int, str] = {}
    for jis, shape in shape_of.items():
        members[shape] = members.get(shape, "") + character_of(jis)
    return {character_of(jis): members[shape] for jis, shape in shape_of.items()}


# time


def time_image(model: Model) -> None:
    """The ONNX file's time per image in both engines, on one thread."""
    path, size = built_in(".onnx"), model.card.size
    table("engine", "batch", "ms per image", "spread")
    for name in ENGINES:
        with Engine(name) as engine:
            for batch in BATCHES:
                inputs = {"input": np.zeros((batch, 1, size, size), np.float32)}
                taken = engine.latency(path, inputs, {"batch": batch})
                row(name, batch, *(numbers.milliseconds(time / batch) for time in (taken.median, taken.spread)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drawings", type=Path, help="a folder with a folder of PNG files for each character")
    parser.add_argument("--font", type=Path, nargs="+", default=[], metavar="FILE", help="instead of the usual two")
    parser.add_argument(
        "--writers", type=int, default=1, help="synthetic writers of each character's strokes (default: 1)"
    )
    parser.add_argument("--zinnia-model", type=Path, default=ZINNIA_MODEL, metavar="FILE")
    arguments = parser.parse_args()
    model = open_model(BUILT_IN)
    print(f"The built-in model, {len(model.card.classes):,} outputs, {datetime.now(UTC):%Y-%m-%d}, {machine()}.\n")
    results = Results()
    table("what is read", "reader", "samples", "top-1", "top-5", "goal", "")
    read_drawings(arguments.drawings, results)
    for name, path in find_fonts(arguments.font).items():
        read_font(model, name, path, results)
    read_strokes(arguments.writers, arguments.zinnia_model, results)
    print(f"\nThe {CONFUSIONS} worst confusions of each:\n")
    for what, confused in results.confusions.items():
        print(f"- {what}: {confused or 'none'}")
    print(f"\nTime of `{built_in('.onnx').name}`, {built_in('.onnx').stat().st_size / 1e6:.1f} MB, one thread:\n")
    time_image(model)
    return int(results.missed)


if __name__ == "__main__":
    sys.exit(main())
