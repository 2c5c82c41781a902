"""The most probable classes of an image."""

import numpy as np

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.recognition.results import Candidate


def most_probable(logits: np.ndarray, classes: tuple[int, ...], count: int) -> tuple[Candidate, ...]:
    """The `count` most probable of `classes` (JIS codes) by their logits (C,), most probable first."""
    probabilities = np.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    best = np.argsort(-probabilities, kind="stable")[:count]
    codes = [classes[index] for index in best]
    return tuple(
        Candidate(character_of(jis), name_jis(jis), float(probability))
        for jis, probability in zip(codes, probabilities[best], strict=True)
    )
