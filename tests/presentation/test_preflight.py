"""Checks as a table, as remedies, as a report."""

from kanji_tui.presentation import preflight
from kanji_tui.presentation.document import KeyValues, Table, text_of
from kanji_tui.system.check import Check

CHECKS = (
    Check("memory", "RAM", "ok", "14.0 GiB of 16.0 GiB available", "never shown where nothing is wrong"),
    Check("disk", "free space", "failed", "0.1 GiB free in [models]; train needs (about) more", "df -h '[models]'"),
    Check("disk", "write permission", "warning", "closed", "sudo chown x"),
    Check("terminal", "tmux", "not applicable", "none"),
)


def lines(document) -> list[str]:
    return [text_of(block) for block in document if not isinstance(block, Table | KeyValues)]


def test_a_table_has_headings_and_keys_and_everything_in_the_details() -> None:
    rows = preflight.check_table(CHECKS).rows
    assert [row.key for row in rows if row.heading] == ["memory", "disk", "terminal"]
    row = next(row for row in rows if row.key == "disk/free space")
    assert [text_of(cell) for cell in row.cells] == ["FAIL", "free space", CHECKS[1].found]
    assert [text_of(line) for line in row.details] == [f"FAIL  free space  {CHECKS[1].found}", "df -h '[models]'"]


def test_a_brief_table_has_the_beginning_of_what_was_found() -> None:
    row = preflight.brief_check_table(CHECKS).rows[1]
    assert text_of(row.cells[2]) == "0.1 GiB free in [models]"
    assert CHECKS[1].found in map(text_of, row.details)


def test_the_document_counts_and_ends_with_remedies_that_can_be_copied() -> None:
    assert lines(preflight.checks_document(CHECKS)) == [
        "4 checks: ok 1  warn 1  FAIL 1  n/a 1",
        "",
        "What to do",
        "free space: df -h '[models]'",
        "write permission: sudo chown x",
    ]
    assert lines(preflight.checks_document(CHECKS[3:])) == ["1 checks: ok 0  n/a 1"]


def test_the_summary_shows_whether_torch_was_checked() -> None:
    assert text_of(preflight.summary_line(CHECKS, waiting=True, problem=False)).endswith(
        "checking torch and CUDA ..."
    )
    assert text_of(preflight.summary_line(CHECKS, waiting=False, problem=True)).endswith(
        "torch could not be checked"
    )


def test_the_report_has_everything() -> None:
    report = [text_of(line) for line in preflight.report_lines(CHECKS)]
    assert report[:2] == ["memory", "  ok  RAM  14.0 GiB of 16.0 GiB available"]
    for check in CHECKS:
        assert any(check.found in line for line in report)
        assert any(line.strip() == check.remedy for line in report) or not check.remedy


def test_the_screen_ends_with_the_next_step() -> None:
    assert lines(preflight.preflight_screen(CHECKS, "press 2"))[-1] == "Next: press 2."
