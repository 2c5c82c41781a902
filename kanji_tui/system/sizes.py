"""Byte counts in words."""

UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def in_words(count: float) -> str:
    """`count` bytes with one decimal and the largest unit that leaves at least 1: `93.1 GiB`."""
    for unit in UNITS[:-1]:
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} {UNITS[-1]}"
