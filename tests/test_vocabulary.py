"""File names, identifiers, messages, docstrings and comments of the package use the field's standard terms."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "kanji_tui"

# The standard terms, and words that stood for them: in names.
IN_NAMES = {
    "theme, scale, poll, saliency map, stroke style": ("look", "looks", "looked"),
    "report, show, message, details": ("told", "tell", "tells", "say", "says", "said"),
    "cycle, toggle, convert": ("turn", "turns", "turned"),
    "changed, refresh, last_event_at": ("moved",),
}
# In names and in texts.
EVERYWHERE = {
    "synthetic writer, writer": ("hand", "hands", "drawn hand"),
    "metadata, checkpoint": ("papers", "earned"),
    "confidence": ("sure", "unsure"),
    "evaluate, eval_model": ("judge", "judges", "judged"),
    "train_model": ("learner", "learners"),
    "micro-batch, part": ("piece", "pieces"),
    "requirement": ("wish", "wishes"),
    "image, sample, screenshot": ("picture", "pictures"),
    "dataset, workspace": ("desk", "shelf", "shelves", "work folder"),
    "main loop, heartbeat": ("heart",),
    "title": ("entitle", "entitled"),
    "synthetic sample": ("drawn sample", "drawn samples"),
    "all steps": ("whole way",),
    "predicted as": ("taken for",),
    "omitted, skipped": ("left out",),
}
TEXT_TERMS = {word: terms for terms, words in EVERYWHERE.items() for word in words}
NAME_TERMS = TEXT_TERMS | {word: terms for terms, words in IN_NAMES.items() for word in words}

# Texts in which such a word is right, and why.
ALLOWED = {
    ("tui/shell/settings.py", "look"): "the key of the theme in older settings files",
    ("tui/shell/settings.py", "# older files have the key `look`"): "explains that key",
    ("data/defaults.py", "drawn sample"): "the source that is stored in datasets",
    ("training/config.py", "pieces"): "the setting's name in older files",
    ("recognition/results.py", "picture_path"): "a field of the JSON of `saliency`",
    ("recognition/saliency.py", "picture_path"): "a field of the JSON of `saliency`",
}


def sources() -> list[Path]:
    """The files that are checked."""
    return sorted(PACKAGE.rglob("*.py"))


def split_words(name: str) -> set[str]:
    """`toggle_pane`, `TogglePane` -> toggle, pane."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def text_words(text: str) -> set[str]:
    """The words of a text, and its pairs of words."""
    words = re.findall(r"[a-z]+", text.lower())
    return {*words, *map(" ".join, pairwise(words))}


def identifiers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, name) of everything that the file itself names."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name


def texts(tree: ast.AST, source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every string, docstrings among them, and every comment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline) if "#" in source else ():
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def violations(file: str, source: str) -> list[str]:
    """Every forbidden word in the names and the texts of a file."""
    tree = ast.parse(source)
    names = [(0, file), *((line, name) for line, name in identifiers(tree) if (file, name) not in ALLOWED)]
    found = [(line, text, text_words(text) & TEXT_TERMS.keys()) for line, text in texts(tree, source)]
    found = [place for place in found if (file, place[1]) not in ALLOWED]
    found += [(line, name, split_words(name) & NAME_TERMS.keys()) for line, name in names]
    return [
        f"{file}:{line}: '{word}' in {text[:80]!r}, write: {NAME_TERMS[word]}"
        for line, text, words in found
        for word in words
    ]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_names_and_texts_use_standard_terms(path: Path) -> None:
    assert violations(path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("def turn_look(): pass", "look"),
        ("class PictureView: pass", "picture"),
        ("def show(papers): pass", "papers"),
        ("for piece in (): pass", "piece"),
        ("self.moved = 1", "moved"),
        ("import x as told", "told"),
        ("label = 'an unsure model'", "unsure"),
        ("f'{count} drawn samples'", "drawn samples"),
        ('"""What the learner sees."""', "learner"),
        ("x = 1  # by hand", "hand"),
    ],
)
def test_forbidden_words_are_found_wherever_they_stand(source: str, word: str) -> None:
    assert any(f"'{word}' in " in found for found in violations("file.py", source))


def test_other_words_are_not_forbidden() -> None:
    assert violations("tui/lookup.py", "def returned(handwriting):\n    'handwriting is returned'  # lookup") == []


def test_every_exception_is_needed() -> None:
    for file, text in ALLOWED:
        source = (PACKAGE / file).read_text(encoding="utf-8")
        tree = ast.parse(source)
        assert text in {found for _, found in (*texts(tree, source), *identifiers(tree))}
