"""The texts and styles of states, verdicts and bars in all screens and commands."""

from kanji_tui.data.defaults import SYNTHETIC_SOURCE, describe_source, name_source
from kanji_tui.presentation.document import Part, Styled

STATE_STYLES = {
    "running": "primary strong",
    "starting": "primary",
    "stopping": "warning strong",
    "finished": "good",
    "stopped": "warning",
    "failed": "bad strong",
    "lost": "bad strong",
}
STATE_TEXTS = {"lost": "crashed"}  # JSON keeps `lost`
VERDICTS = {
    "ok": Styled("ok", "good"),
    "warning": Styled("warn", "warning strong"),
    "failed": Styled("FAIL", "bad strong"),
    "not applicable": Styled("n/a", "quiet"),
}

GRADE_STYLES = ("", "good", "warning", "bad", "bad strong")  # unknown, good, fair, poor, bad


def state(name: str, problem: str = "") -> Styled:
    """A run's state in its style. With a `problem` one that seems to have crashed is damaged: nobody knows."""
    if problem and name == "lost":
        return Styled("damaged", STATE_STYLES[name])
    return Styled(STATE_TEXTS.get(name, name), STATE_STYLES.get(name, ""))


def source(text: str, short: bool = True) -> Styled:
    """Where samples come from, in a word or in a sentence; what is not handwriting stands out."""
    words = name_source(text) if short else describe_source(text)
    return Styled(words, "warning" if text == SYNTHETIC_SOURCE else "")


def verdict(name: str) -> Styled:
    """A check's verdict in at most four letters."""
    return VERDICTS.get(name, Styled(name, ""))


def grade(accuracy: float | None) -> int:
    """The index into GRADE_STYLES of an accuracy 0-1: good from 99 %, fair from 95 %, poor from 80 %."""
    if accuracy is None:
        return 0
    return 1 if accuracy >= 0.99 else 2 if accuracy >= 0.95 else 3 if accuracy >= 0.8 else 4


def next_step(text: str) -> tuple[Part, ...]:
    """A message with the user's next step."""
    return Styled("next  ", "accent strong"), text


def bar(fraction: float, width: int) -> tuple[Part, ...]:
    """A bar of `width` cells, filled from the left in eighths of a cell; `fraction` 0-1."""
    eighths = round(max(0.0, min(1.0, fraction)) * width * 8)
    full, part = divmod(eighths, 8)
    filled = "█" * full + ("▏▎▍▌▋▊▉"[part - 1] if part else "")
    return Styled(filled, "primary"), Styled("─" * (width - len(filled)), "rule")
