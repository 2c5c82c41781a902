"""Checks: a table of verdicts, and remedies that can be pasted into a shell."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from kanji_tui.preflight.results import Preflight
from kanji_tui.presentation import marks
from kanji_tui.presentation.document import Block, Column, Document, Line, Row, Styled, Table, join, quiet
from kanji_tui.presentation.status import READING
from kanji_tui.system.check import Check

CHECK_COLUMNS = (Column("", 4), Column("", 18), Column(""))  # verdict, name, what was found


def check_table(checks: Sequence[Check]) -> Table:
    """Every check under the heading of its group; a row's key is `group/name`."""
    rows: list[Row] = []
    group = ""
    for check in checks:
        if check.group != group:
            group = check.group
            rows.append(Row(group, (group,), heading=True))
        cells = (marks.verdict(check.verdict), check.name, check.found)
        rows.append(Row(f"{check.group}/{check.name}", cells, details=check_details(check)))
    return Table(CHECK_COLUMNS, rows)


def brief_check_table(checks: Sequence[Check]) -> Table:
    """Every check with the beginning of what was found; a row's key is the check's name."""
    return Table(CHECK_COLUMNS, [_brief_row(check) for check in checks])


def _brief_row(check: Check) -> Row:
    beginning = re.split(r"[;:] | \(", check.found)[0]
    remedy: tuple[Line, ...] = (Styled(check.remedy, "accent"),) if check.remedy else ()
    cells = (marks.verdict(check.verdict), check.name, beginning)
    return Row(check.name, cells, details=(check.found, *remedy))


def check_details(check: Check) -> tuple[Line, ...]:
    """Everything that a check found, and its remedy."""
    found = (marks.verdict(check.verdict), "  ", Styled(check.name, "strong"), f"  {check.found}")
    return found, Styled(check.remedy, "primary") if check.remedy else quiet("nothing to do")


def remedy_lines(checks: Sequence[Check]) -> Document:
    """The remedies of all checks that are not ok, one per line so that they can be copied."""
    lines: list[Block] = [
        (quiet(f"{check.name}: "), check.remedy) for check in checks if check.remedy and check.verdict != "ok"
    ]
    return ("", Styled("What to do", "strong"), *lines) if lines else ()


def report_lines(checks: Sequence[Check]) -> tuple[Line, ...]:
    """Everything about every check, as lines to paste into a message."""
    lines: list[Line] = []
    group = ""
    for check in checks:
        if check.group != group:
            group = check.group
            lines += ["", group] if lines else [group]
        found, remedy = check_details(check)
        lines.append(join("", ["  ", found]))
        if check.remedy:
            lines.append(join("", ["        ", remedy]))
    return tuple(lines)


def verdict_counts(checks: Sequence[Check]) -> Line:
    """The number of checks by verdict, those with 0 omitted except `ok`."""
    counts = {verdict: sum(check.verdict == verdict for check in checks) for verdict in marks.VERDICTS}
    counted = [(marks.verdict(name), f" {number}") for name, number in counts.items() if number or name == "ok"]
    return join("  ", counted)


def summary_line(checks: Sequence[Check], waiting: bool, problem: bool) -> Line:
    """The counts, and whether checks are still running or could not run."""
    parts = [verdict_counts(checks)]
    if waiting:
        parts.append(quiet("checking torch and CUDA ..."))
    elif problem:
        parts.append(Styled("torch could not be checked", "bad"))
    return join("   ", parts)


def next_line(step: str | None) -> Line:
    """The user's next step; None while the workspace has not been read."""
    return marks.next_step(READING if step is None else step)


def checks_document(checks: Sequence[Check]) -> Document:
    """All checks with their counts and remedies."""
    counts = join("", [f"{len(checks)} checks: ", verdict_counts(checks)])
    return (counts, check_table(checks), *remedy_lines(checks))


def preflight_screen(checks: Sequence[Check], step: str) -> Document:
    """The Preflight screen as text; `step` is the user's next step."""
    return (*checks_document(checks), "", f"Next: {step}.")


PRESENTERS: dict[type, Callable[[Any], Document]] = {
    Preflight: lambda result: checks_document(result.checks),
}
