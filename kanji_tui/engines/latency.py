"""How long one run of an ONNX file takes in each engine, at batch 1 and 32, on one thread."""

from collections.abc import Callable
from pathlib import Path

from kanji_tui.engines.engine import Engine, EngineRefused
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.results import Timing
from kanji_tui.events import Progress, Report, raise_if_stopped

BATCHES = (1, 32)
# Inputs for a batch, by name, and the sizes of the symbols; ValueError, in words, where there are none.
Feed = Callable[[int], tuple[Arrays, dict[str, int]]]


def time_model(engine: Engine, path: Path, feed: Feed, name: str, report: Report) -> tuple[Timing, ...]:
    """A timing for each of BATCHES; `name` is what the timings call the model."""
    timings = []
    for number, batch in enumerate(BATCHES):
        raise_if_stopped(report)
        report(Progress("latency", number, len(BATCHES), "batches", f"{engine.name}, {name}"))
        try:
            inputs, symbols = feed(batch)
            took = engine.latency(path, inputs, symbols)
        except (EngineRefused, ValueError) as why:
            timings.append(Timing(name, batch, None, None, 0, 1, str(why)))
        else:
            timings.append(Timing(name, batch, took.median, took.spread, took.runs, took.threads))
    return tuple(timings)
