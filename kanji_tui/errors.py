"""Errors that a person can act on.

Every error raised on purpose is one of these. The command line prints its message and remedy and exits with
`exit_code`; a screen shows the same two lines. A traceback is never the message.
"""

from typing import Any

BROKEN_PIPE = 141  # the exit code where nobody reads the output any more, as a shell names the end by SIGPIPE


class KanjiError(Exception):
    """The work or a check failed. `message`: what happened and where. `remedy`: what to do, may be empty."""

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def to_json(self) -> dict[str, str | int]:
        """The error as programs read it; `code` is the exit code."""
        return {"message": self.message, "remedy": self.remedy, "code": self.exit_code}

    @staticmethod
    def from_json(value: dict[str, Any]) -> "KanjiError":
        """The error that `to_json` wrote."""
        error = KanjiError(str(value["message"]), str(value["remedy"]))
        error.exit_code = int(value["code"])
        return error


class UsageError(KanjiError):
    """The request makes no sense: wrong arguments, or a folder that is not what it should be."""

    exit_code = 2


class Stopped(KanjiError):
    """The user asked the job to stop, and it stopped cleanly."""

    exit_code = 130

    def __init__(self, message: str = "stopped", remedy: str = "") -> None:
        super().__init__(message, remedy)


def first_line(error: BaseException | str) -> str:
    """The first line of an exception's text, to quote in a message; the exception's type where it has no text."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
