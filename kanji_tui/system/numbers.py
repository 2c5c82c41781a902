"""Formats numbers for people, with one function per unit for all screens and commands. None becomes a dash."""

import time
from collections.abc import Mapping

from kanji_tui.system.intervals import Interval, wilson_interval

JOULES_PER_KWH = 3.6e6
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def count(number: float | None) -> str:
    """`12,300`."""
    return "-" if number is None else f"{number:,.0f}"


def percent(fraction: float | None, digits: int = 2) -> str:
    """`97.31 %`, `< 0.01 %`; use two decimals in tables and one in running text."""
    if fraction is None:
        return "-"
    text = f"{100 * fraction:.{digits}f}"
    if fraction > 0 and not float(text):  # little is not nothing
        return f"< {10**-digits:.{digits}f} %"
    return f"{text} %"


def accuracy(fraction: float | None, samples: int | None, digits: int = 2) -> str:
    """`97.31 % (96.13-98.20)`: with Wilson's 95 % interval for so many samples; without one where None."""
    if fraction is None or samples is None:
        return percent(fraction, digits)
    return with_interval(fraction, wilson_interval(fraction, samples), digits)


def with_interval(fraction: float | None, interval: Interval | None, digits: int = 2) -> str:
    """`97.31 % (96.13-98.20)`: a fraction and the low and high end of its interval."""
    if interval is None:
        return percent(fraction, digits)
    low, high = interval
    return f"{percent(fraction, digits)} ({100 * low:.{digits}f}-{100 * high:.{digits}f})"


def bare_percent(fraction: float | None, digits: int = 2) -> str:
    """`97.31`, `100.0`: percent in `digits` + 3 characters, for a column that has no room for the sign."""
    return "-" if fraction is None else f"{100 * fraction:.{digits}f}"[: digits + 3].rstrip(".")


def rate(number: float | None, unit: str) -> str:
    """`12,300 records/s`, `2.5 steps/s`."""
    if number is None:
        return "-"
    return f"{number:,.0f} {unit}/s" if number >= 10 else f"{number:.1f} {unit}/s"


def loss(number: float | None) -> str:
    """`0.0712`."""
    return "-" if number is None else f"{number:.4f}"


def size(number: float | None) -> str:
    """Bytes as `15.4 MiB`, in powers of 1,024."""
    if number is None:
        return "-"
    power = _power_of(number)
    value = number / 1024**power
    return f"{value:.0f} {UNITS[power]}" if power == 0 or value >= 100 else f"{value:.1f} {UNITS[power]}"


def share_of_size(used: float, total: float | None) -> str:
    """`24.0/139 GiB`: bytes used, of how many; without a total that is known `24.0 GiB`."""
    if not total:
        return size(used)
    power = _power_of(total)
    return f"{used / 1024**power:.1f}/{total / 1024**power:.0f} {UNITS[power]}"


def _power_of(number: float) -> int:
    """The largest unit of which there is one at least, as the power of 1,024."""
    return next((power for power in range(len(UNITS) - 1) if number < 1024 ** (power + 1)), len(UNITS) - 1)


def duration(seconds: float | None) -> str:
    """`42 s`, `1:52` (minutes and seconds), `3 h 05 min`."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"


def milliseconds(seconds: float | None) -> str:
    """`0.35`, `12.4`, `240`: three digits, without the unit."""
    if seconds is None:
        return "-"
    number = 1000 * seconds
    return f"{number:.2f}" if number < 10 else f"{number:.1f}" if number < 100 else f"{number:.0f}"


def energy(kwh: float) -> str:
    """Kilowatt-hours as `1.25 kWh` or `31.2 Wh`."""
    return f"{kwh:.3g} kWh" if kwh >= 0.1 else f"{1000 * kwh:.3g} Wh"


def power(watts: float | None) -> str:
    """`612 W`."""
    return "-" if watts is None else f"{watts:.0f} W"


def temperature(celsius: float | None) -> str:
    """`61 C`."""
    return "-" if celsius is None else f"{celsius:.0f} C"


def mass(kilograms: float) -> str:
    """`1.25 kg` or `31.2 g`."""
    return f"{kilograms:.3g} kg" if kilograms >= 0.1 else f"{1000 * kilograms:.3g} g"


def moment(seconds: float) -> str:
    """A time as `14:32` today and `11-20 14:32` on other days, in the local time zone; empty for 0."""
    if not seconds:
        return ""
    then, now = time.localtime(seconds), time.localtime()
    today = then[:3] == now[:3]
    return time.strftime("%H:%M" if today else "%m-%d %H:%M", then)


def clock(seconds: float) -> str:
    """A time of day as `14:32:07`, in the local time zone; empty for 0."""
    return time.strftime("%H:%M:%S", time.localtime(seconds)) if seconds else ""


def shape(sizes: "tuple[int | str, ...] | None") -> str:
    """`1x64x64`; `?` where it is unknown, `scalar` for no dimensions."""
    return "?" if sizes is None else "x".join(map(str, sizes)) or "scalar"


def shapes(inputs: Mapping[str, tuple[int | str, ...]]) -> str:
    """The shapes of a model's inputs, their names if there are several: `1x1x64x64`, `x 1x8 and state 2x1x128`."""
    if len(inputs) == 1:
        return shape(*inputs.values())
    return " and ".join(f"{name} {shape(sizes)}" for name, sizes in inputs.items())


def difference(number: float | None) -> str:
    """`1.4e-03`: a difference between outputs, of which the order of magnitude matters."""
    if number is None:
        return "-"
    return f"{number:.1e}" if number else "0"
