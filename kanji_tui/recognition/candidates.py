"""The characters a picture may show, as a model tells them."""

import numpy as np

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.recognition.results import Candidate


def most_probable(logits: np.ndarray, classes: tuple[int, ...], count: int) -> tuple[Candidate, ...]:
    """The `count` most probable of `classes` (JIS codes) by their logits (C,), most probable first."""
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    best = np.argsort(-shares, kind="stable")[:count]
    codes = [classes[index] for index in best]
    return tuple(
        Candidate(character_of(jis), name_jis(jis), float(share))
        for jis, share in zip(codes, shares[best], strict=True)
    )
