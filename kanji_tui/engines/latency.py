"""Measures the latency of an ONNX file in an engine, at batch 1 and 32, on one thread."""

from collections.abc import Callable
from pathlib import Path

from kanji_tui.engines.engine import Engine, EngineError
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.results import Timing
from kanji_tui.events import Progress, Report, raise_if_stopped

BATCHES = (1, 32)
# Batch size to inputs by name and the sizes of the symbols; raises ValueError with the reason if there are none.
Feed = Callable[[int], tuple[Arrays, dict[str, int]]]


def time_model(engine: Engine, path: Path, feed: Feed, name: str, report: Report) -> tuple[Timing, ...]:
    """A timing for each of BATCHES; `name` is the `model` of the timings."""
    timings = []
    for number, batch in enumerate(BATCHES):
        raise_if_stopped(report)
        report(Progress("latency", number, len(BATCHES), "batches", f"{engine.name}, {name}"))
        try:
            inputs, symbols = feed(batch)
            latency = engine.latency(path, inputs, symbols)
        except (EngineError, ValueError) as error:
            timings.append(Timing(name, batch, None, None, 0, 1, str(error)))
        else:
            timings.append(Timing(name, batch, **vars(latency)))
    return tuple(timings)
