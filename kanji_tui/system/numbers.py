"""Formats numbers for people, with one function per unit for all screens and commands. None becomes a dash."""

import time


def count(number: float | None) -> str:
    """`12,300`."""
    return "-" if number is None else f"{number:,.0f}"


def percent(fraction: float | None, digits: int = 2) -> str:
    """`97.31 %`; use two decimals in tables and one in running text."""
    return "-" if fraction is None else f"{100 * fraction:.{digits}f} %"


def size(number: float | None) -> str:
    """Bytes as `15.4 MiB`, in powers of 1,024."""
    if number is None:
        return "-"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


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


def shape(sizes: "tuple[int | str, ...] | None") -> str:
    """`1x64x64`; `?` where it is unknown, `scalar` for no dimensions."""
    return "?" if sizes is None else "x".join(map(str, sizes)) or "scalar"
