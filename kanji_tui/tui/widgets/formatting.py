"""Numbers and states in the words that every screen uses: ASCII marks, short units, one style each."""

import time

from textual.content import Content

STATE_STYLES = {
    "running": "bold $primary",
    "starting": "$primary",
    "finished": "$success",
    "stopped": "$warning",
    "failed": "bold $error",
    "lost": "bold $error",
}
VERDICTS = {
    "ok": ("ok", "$success"),
    "warning": ("warn", "bold $warning"),
    "failed": ("FAIL", "bold $error"),
    "not applicable": ("n/a", "$quiet"),
}


def state(name: str) -> Content:
    """A run's state in its colour."""
    return Content.styled(name, STATE_STYLES.get(name, ""))


def verdict(name: str) -> Content:
    """A check's verdict as a mark of at most four letters in its colour."""
    mark, style = VERDICTS.get(name, (name, ""))
    return Content.styled(mark, style)


def quiet(text: str) -> Content:
    """Text that may be overlooked."""
    return Content.styled(text, "$quiet")


def next_words(step: str) -> Content:
    """The step that comes next, marked as such."""
    return Content.assemble(("next  ", "bold $accent"), step)


def count(number: float | None) -> str:
    """`12,300`; `-` for None."""
    return "-" if number is None else f"{number:,.0f}"


def percent(fraction: float | None, digits: int = 1) -> str:
    """`97.3 %`; `-` for None."""
    return "-" if fraction is None else f"{100 * fraction:.{digits}f} %"


def size(number: float | None) -> str:
    """Bytes as `15.4 MB`; `-` for None."""
    if number is None:
        return "-"
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def duration(seconds: float | None) -> str:
    """`0:42`, `12:05`, `3:07:12`; `-` for None."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def moment(seconds: float) -> str:
    """A time of today as `14:32`, else as `11-20 14:32`, in this machine's time zone."""
    if not seconds:
        return ""
    then, now = time.localtime(seconds), time.localtime()
    today = then[:3] == now[:3]
    return time.strftime("%H:%M" if today else "%m-%d %H:%M", then)


def bar(fraction: float, width: int) -> Content:
    """A bar of `width` cells filled from the left in eighths of a cell; `fraction` 0-1."""
    eighths = round(max(0.0, min(1.0, fraction)) * width * 8)
    full, part = divmod(eighths, 8)
    filled = "█" * full + ("▏▎▍▌▋▊▉"[part - 1] if part else "")
    return Content.assemble((filled, "$primary"), ("─" * (width - len(filled)), "$rule"))
