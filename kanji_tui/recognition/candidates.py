"""The most probable characters of an image that was cropped to its ink."""

from functools import cache

import numpy as np

from kanji_tui.characters.character_sets import codes_of
from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.characters.lookalikes import large_kana, shown_first
from kanji_tui.characters.readings import readings_of
from kanji_tui.networks.card import ModelCard
from kanji_tui.recognition.results import Candidate

Groups = tuple[np.ndarray, tuple[tuple[int, ...], ...]]


def most_probable(
    logits: np.ndarray, card: ModelCard, count: int, characters: str | None = None
) -> tuple[Candidate, ...]:
    """The `count` most probable candidates by the model's logits (C,), most probable first.

    Characters that cannot be told apart are one candidate: those that share an output, and small and large kana,
    whose size is lost where the image was cropped. The one shown is of the character set `characters`, where that
    has one of them; the others are its look-alikes.
    """
    group_of_output, members = groups_of(card.classes, card.lookalikes)
    probabilities = np.exp(logits - logits.max())
    probabilities = np.bincount(group_of_output, probabilities / probabilities.sum())
    best = _lowest(-probabilities, count)
    return tuple(_candidate(members[group], characters, float(probabilities[group])) for group in best)


def _lowest(values: np.ndarray, count: int) -> np.ndarray:
    """The indices of the `count` lowest values, lowest first, equal ones in their order; NaN counts as highest."""
    if count < len(values):
        among = np.flatnonzero(~(values > np.partition(values, count - 1)[count - 1]))
        return among[np.argsort(values[among], kind="stable")][:count]
    return np.argsort(values, kind="stable")


def _candidate(group: tuple[int, ...], characters: str | None, probability: float) -> Candidate:
    character, jis, others = _shown(group, characters)
    return Candidate(character, jis, probability, others, readings_of(character))


@cache
def _shown(group: tuple[int, ...], characters: str | None) -> tuple[str, str, tuple[str, ...]]:
    """The character of a group that is shown, its JIS code in hexadecimal, and the others."""
    asked = codes_of(characters) if characters else ()
    shown = shown_first(group, asked) if len(group) > 1 else group[0]
    return character_of(shown), name_jis(shown), tuple(character_of(jis) for jis in group if jis != shown)


def all_candidates(card: ModelCard) -> tuple[Candidate, ...]:
    """The candidates that `most_probable` chooses from, in the order of `groups_of`; their probability is 0."""
    _, members = groups_of(card.classes, card.lookalikes)
    return tuple(_candidate(group, None, 0.0) for group in members)


@cache
def groups_of(classes: tuple[int, ...], lookalikes: tuple[tuple[int, ...], ...]) -> Groups:
    """The group of each output, and the members of each group, by JIS code; groups in the order of the outputs."""
    sharing = {group[0]: group for group in lookalikes}
    output_of = {jis: sharing.get(jis, (jis,)) for jis in classes}
    by_large: dict[int, list[int]] = {}
    first_of = {member: jis for jis, group in output_of.items() for member in group}
    for jis, group in output_of.items():
        large = large_kana(jis)
        by_large.setdefault(first_of.get(large, large), []).extend(group)
    number = {large: index for index, large in enumerate(by_large)}
    of_output = [number[first_of.get(large_kana(jis), large_kana(jis))] for jis in classes]
    return np.array(of_output), tuple(tuple(group) for group in by_large.values())
