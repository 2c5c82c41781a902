"""Runs a job in a child process without a run directory: a spec goes in, a result or an error comes back.

For jobs that take seconds and need torch or onnx, such as one inspection. The child is killed with its parent's
`Child`, and leaves no files.
"""

import json
from typing import Any

from kanji_tui.errors import KanjiError
from kanji_tui.events import SilentReport
from kanji_tui.runs.process import as_json, entry_of, read_result, resolve
from kanji_tui.system.child import Child, take_stdout
from kanji_tui.system.files import strict_json
from kanji_tui.system.plain_data import from_plain, to_plain

NICE = 5


def ask(job: str, spec: Any) -> Child:
    """Start the child; `read_answer` reads its answer once it has ended."""
    return Child("kanji_tui.runs.question:answer", job, json.dumps(to_plain(spec)), nice=NICE)


def read_answer(job: str, child: Child) -> Any:
    """The job's result from the ended child; raises the job's own KanjiError, or one with the exit reason."""
    try:
        answer = json.loads(child.output)
    except ValueError:
        raise KanjiError(f"{job} gave no result: {child.exit_reason()}") from None
    if "error" in answer:
        raise KanjiError.from_json(answer["error"])
    return read_result(job, answer["result"])


def answer(job: str, spec: str) -> None:
    """Entry point of the child: run the job and print {"result": ...} or {"error": ...}."""
    from kanji_tui.system.threads import prepare_process

    prepare_process()
    with take_stdout() as out:
        try:
            found = resolve(entry_of(job))
            value = {"result": as_json(found.run(from_plain(found.spec, json.loads(spec)), SilentReport()))}
        except KanjiError as error:
            value = {"error": error.to_json()}
        out.write(strict_json(value).encode())
