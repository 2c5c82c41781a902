"""Recognises what happened to a record file whose JIS codes are unknown: bytes inserted or lost, or swapped.

Such files hold records under wrong characters too, where a wrong code happens to be that of a class. So all records
that the damage reaches are given up, whatever their codes are.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

MOST = 0.95  # of the codes must be known for swapped bytes to be the cause
WINDOW = 8  # records whose codes must all be known for a shift to be the cause, where so many follow
FEWEST = 3
FEW = 64  # bytes
SHIFTS = np.array([*range(-FEW, 0), *range(1, FEW + 1)])
TEXT_BYTES = 1 << 20
COPY_AGAIN = "copy the file again from its source, in binary mode"


@dataclass(frozen=True)
class Damage:
    """No record from `first` on can be used. `reason` is a phrase, `remedy` what to do."""

    first: int
    reason: str
    remedy: str


def find_damage(path: Path, positions: np.ndarray, known: np.ndarray, codes: np.ndarray) -> Damage | None:
    """The damage of a file, or None where it is of no kind that is recognised.

    `positions` int (N,): the byte at which the code of each record begins; `known` bool (N,): whether the code
    there is among the format's `codes`.
    """
    if len(positions) < FEWEST:
        return None
    is_code = np.zeros(1 << 16, bool)
    is_code[codes] = True
    data = np.memmap(path, np.uint8, mode="r")
    # A shifted file may look like a swapped one, and the reverse; but its size tells by how much it is shifted.
    record_bytes = int(positions[1] - positions[0])
    shift = _shift_of_size(len(data), record_bytes)
    if -FEW <= shift < 0:  # the last record is there too
        positions, known = np.append(positions, positions[-1] + record_bytes), np.append(known, False)
    return (
        _find_text(data, positions, known)
        or _find_shift(data, positions, known, is_code, np.array([shift]))
        or _find_swapped(data, positions, known, is_code)
        or _find_shift(data, positions, known, is_code, SHIFTS)
    )


def _find_swapped(data: np.ndarray, positions: np.ndarray, known: np.ndarray, is_code: np.ndarray) -> Damage | None:
    """The codes in little-endian order, or every two bytes of the file swapped."""
    swapped = _codes_at(data, positions).byteswap()
    some = positions[: 2 * WINDOW]
    words = data[: (some[-1] + 4) // 2 * 2].reshape(-1, 2)[:, ::-1].reshape(-1)
    for read, what in ((swapped, "JIS codes"), (_codes_at(words, some), "file")):
        share = is_code[read].mean()
        if share >= MOST and share > known[: len(read)].mean():
            reason = f"the bytes of the {what} are swapped: little-endian instead of big-endian"
            return Damage(0, reason, "write the file with the bytes in big-endian order, as the database has them")
    return None


def _find_text(data: np.ndarray, positions: np.ndarray, known: np.ndarray) -> Damage | None:
    """A byte 13 inserted before every byte 10, which is frequent in images."""
    start = np.asarray(data[:TEXT_BYTES])
    line_ends = np.flatnonzero(start[1:] == 10)
    if len(line_ends) < WINDOW or not (start[line_ends] == 13).all():
        return None
    first = max(0, int(np.searchsorted(positions, line_ends[0], side="right")) - 1)
    if 2 * int(known[first:].sum()) > len(known) - first:
        return None
    return Damage(first, "a byte 13 stands before every byte 10: the file was copied in text mode", COPY_AGAIN)


def _find_shift(
    data: np.ndarray, positions: np.ndarray, known: np.ndarray, is_code: np.ndarray, shifts: np.ndarray
) -> Damage | None:
    """Bytes that were inserted or lost: from there on all records stand later or earlier in the file.

    `shifts`: by how many bytes that may be, 0: none; one of a few bytes alone is right for the last records too.
    """
    gap = _first_gap(known)
    if len(known) - gap <= FEWEST:
        if len(shifts) > 1 or not 0 < abs(shifts[0]) <= FEW:
            return None
        gap = len(known) - 2
    # The code of the first record in the gap may itself be incomplete.
    shifts = shifts[is_code[_codes_at(data, positions[gap + 1 : gap + 1 + WINDOW, None] + shifts)].all(axis=0)]
    if not len(shifts):
        return None
    # Where a record has a known code at both places, nothing shows which is right.
    first = gap + 1
    while first > 0 and is_code[_codes_at(data, positions[first - 1] + shifts)].any():
        first -= 1
    where = f"before record {gap}" if len(shifts) > 1 or not first else f"in record {first - 1}"
    reason = f"{_amount(shifts)} {where}: all records from there on are shifted"
    return Damage(max(0, first - 1), reason, COPY_AGAIN)


def _amount(shifts: np.ndarray) -> str:
    """`1 byte inserted`, `3 bytes missing`; without a number where several are possible."""
    if len(shifts) > 1 or abs(shifts[0]) > FEW:
        return "bytes inserted or missing"
    shift = int(shifts[0])
    return f"{abs(shift)} byte{'s' if abs(shift) > 1 else ''} {'inserted' if shift > 0 else 'missing'}"


def _shift_of_size(size: int, record_bytes: int) -> int:
    """By how many bytes the file is longer than whole records, or shorter (negative), whichever is less."""
    rest = size % record_bytes
    return rest if 2 * rest < record_bytes else rest - record_bytes


def _first_gap(known: np.ndarray) -> int:
    """The first unknown code that begins a row of mostly unknown ones; the number of codes where there is none."""
    total = np.concatenate([[0], np.cumsum(~known)])
    starts = np.arange(len(known))
    ends = np.minimum(starts + WINDOW, len(known))
    gaps = np.flatnonzero(~known & (2 * (total[ends] - total[starts]) > ends - starts))
    return int(gaps[0]) if len(gaps) else len(known)


def _codes_at(data: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The big-endian codes at these positions, uint16; 0 outside the data."""
    inside = (positions >= 0) & (positions < len(data) - 1)
    begins = np.where(inside, positions, 0)
    codes = data[begins].astype(np.uint16) << 8 | data[begins + 1]
    return np.where(inside, codes, 0).astype(np.uint16)
