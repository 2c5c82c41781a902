"""Runs a whole model in an engine, on one guess of its inputs after the other until one fits."""

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import onnx

from kanji_tui.engines.engine import Engine, EngineError, Outputs
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.loading import stored_bytes
from kanji_tui.engines.results import Latency
from kanji_tui.events import Report, raise_if_stopped
from kanji_tui.inspection.given_inputs import GivenInputs
from kanji_tui.inspection.made_up_inputs import Guess, guesses, make_inputs
from kanji_tui.inspection.results import Attempt

WHOLE_LIMIT_SECONDS = 60.0
LOADED_BYTES_PER_SECOND = 2**24  # tract took 53 s to load 2.3 GB on a busy machine; this allows three times that
SEARCH_SECONDS = 20.0  # after this time no other input is tried
MOST_GUESSES = 80
FEW_GUESSES = 6  # for tract where ONNX Runtime did not open the file: each guess is opened again


@dataclass(frozen=True, eq=False)
class WholeRun:
    """The run of a whole model: its outputs, or None and the `error`, or why there are `no_inputs` to run it on.

    `guess` and `inputs`: what it ran on, or else the first that was tried; `tried`: every try; `to_run`: the
    guesses that are worth trying in another engine.
    """

    guess: Guess | None = None
    inputs: Arrays = field(default_factory=dict)
    outputs: Outputs | None = None
    error: EngineError | None = None
    no_inputs: str = ""
    tried: tuple[Attempt, ...] = ()
    opening: str | None = None
    latency: Latency | None = None
    to_run: tuple[Guess, ...] = ()

    @property
    def reason(self) -> str:
        """Why it did not run, "" if it did."""
        return str(self.error or self.no_inputs)

    def undecided(self, reference: "WholeRun") -> bool:
        """Whether another input might run; `reference` is the run in ONNX Runtime, which may be this one.

        An input that runs there fits the model, and where the file was opened there and no input ran, none fits.
        """
        if self.outputs is not None:
            return False
        if self.error is None:
            return True
        if self.guess is None or not self.guess.made_up:
            return False
        if self is reference:
            return self.error.in_run
        return reference.outputs is None and (self.error.in_run or reference.undecided(reference))

    @property
    def reason_undecided(self) -> str:
        """The reason of a run that is undecided."""
        if self.error is None or not self.tried:
            return self.no_inputs
        inputs = len({(tuple(attempt.inputs.items()), attempt.integers) for attempt in self.tried})
        return f"no made-up input fits; {inputs} tried, the first gave: {self.tried[0].message}"


def run_first(engine: Engine, path: Path, model: onnx.ModelProto, given: GivenInputs, report: Report) -> WholeRun:
    """Run the model in the first engine. Raises UsageError for given inputs that are not the model's."""
    if not model.graph.output:
        return WholeRun(no_inputs="the graph has no output")
    try:
        candidates = tuple(itertools.islice(guesses(model, given), MOST_GUESSES))
    except ValueError as error:
        return open_only(engine, path, str(error))
    make = partial(make_inputs, model, given=given)
    return run_whole(engine, path, candidates, make, limit_seconds(model, path), report)


def limit_seconds(model: onnx.ModelProto, path: Path) -> float:
    """The time that a run of the whole model may take, which includes reading its weights."""
    return WHOLE_LIMIT_SECONDS + stored_bytes(model, path) / LOADED_BYTES_PER_SECOND


def open_only(engine: Engine, path: Path, reason: str) -> WholeRun:
    """For a model that cannot be given inputs, for this reason: the engine may refuse it all the same."""
    try:
        engine.answer(path, {}, {}, WHOLE_LIMIT_SECONDS)
    except EngineError as error:
        if not error.in_run:
            return WholeRun(error=error, no_inputs=reason)
    return WholeRun(no_inputs=reason)


def run_whole(
    engine: Engine,
    path: Path,
    candidates: tuple[Guess, ...],
    make: Callable[[Guess], Arrays],
    limit: float,
    report: Report,
) -> WholeRun:
    """Run the file on the first of `candidates` that fits, and time it; `make` makes the inputs.

    A run that takes longer than `limit` seconds is ended.
    """
    tried: list[Attempt] = []
    failures: list[EngineError] = []
    start = time.monotonic()
    for guess in candidates:
        raise_if_stopped(report)
        inputs = make(guess)
        if engine.name == "tract" and any(array.dtype.kind in "UO" for array in inputs.values()):
            return WholeRun(no_inputs="the Python package of tract does not support strings")
        try:
            answer = engine.answer(path, inputs, guess.symbols, limit)
        except EngineError as error:
            tried += attempts(guess, error.failed)
            failures.append(error)
            if not may_fit(engine, error, guess) or time.monotonic() - start > SEARCH_SECONDS:
                break
            continue
        tried += attempts(guess, {**answer.failed, answer.opening: None})
        latency = None
        with contextlib.suppress(EngineError):  # it runs, but too slowly to be timed
            latency = engine.latency(path, inputs, guess.symbols)
        return WholeRun(guess, inputs, answer.outputs, None, "", tuple(tried), answer.opening, latency, (guess,))
    if may_fit(engine, failures[-1], guess):
        first = candidates[0]
        return WholeRun(first, make(first), error=failures[0], tried=tuple(tried), to_run=(first,))
    return WholeRun(guess, make(guess), error=failures[-1], tried=tuple(tried), to_run=candidates[:FEW_GUESSES])


def may_fit(engine: Engine, error: EngineError, guess: Guess) -> bool:
    """Whether another guess may run after this failure: tract needs the input sizes already to open some files."""
    return guess.made_up and (error.in_run or engine.name == "tract")


def attempts(guess: Guess, messages: Mapping[str, str | None]) -> Iterable[Attempt]:
    """A try for each opening and its message."""
    return (Attempt(opening, guess.shapes, guess.integer, message) for opening, message in messages.items())
