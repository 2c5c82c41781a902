"""Random numbers that depend on nothing but what they are for: seed, writer, character, stroke, purpose.

A key is a 64-bit number made of these; its n-th random number is a hash of key and n. So a sample is the same
whatever else is made beside it and in which order, and the numbers of a whole batch come from a few array
operations. The hash is the finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
Generators, 2014).
"""

import numpy as np

STEP = np.uint64(0x9E3779B97F4A7C15)


def keys_of(*parts: int | np.ndarray) -> np.ndarray:
    """The keys, uint64 (N,), of numbers or integer arrays (N,); another order of the parts gives other keys."""
    keys = np.zeros(1, np.uint64)
    for part in parts:
        keys = _mix((keys + np.atleast_1d(np.asarray(part)).astype(np.uint64)) * STEP + STEP)
    return keys


def uniform(keys: np.ndarray, count: int) -> np.ndarray:
    """`count` numbers for each key, float64 (N, count), each in [0, 1)."""
    bits = _mix(keys[:, None] + np.arange(1, count + 1, dtype=np.uint64) * STEP)
    return np.asarray((bits >> np.uint64(11)) * 2.0**-53)


def normal(keys: np.ndarray, count: int) -> np.ndarray:
    """`count` numbers for each key, float64 (N, count), from the standard normal distribution, cut at 3 sigma."""
    pairs = uniform(keys, 2 * count)
    # Box and Muller, 1958
    radius = np.sqrt(-2 * np.log(1 - pairs[:, :count]))
    return np.asarray(np.clip(radius * np.cos(2 * np.pi * pairs[:, count:]), -3, 3))


def _mix(bits: np.ndarray) -> np.ndarray:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))
