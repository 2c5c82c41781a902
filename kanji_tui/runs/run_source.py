"""Where a run's samples come from, in the words of a dataset's metadata and a model's card."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from kanji_tui.allowed import TEXT
from kanji_tui.data.defaults import SYNTHETIC_SOURCE
from kanji_tui.errors import KanjiError
from kanji_tui.paths import MODEL_INFO
from kanji_tui.system.plain_data import read_as


@dataclass(frozen=True)
class _Info:
    source: Annotated[str, TEXT] = ""


def source_of(run: Path, job: str, spec: Mapping[str, Any], result: Any = None) -> str:
    """The `source` of the samples that the run in this directory uses or makes; empty where it is not known.

    `result`: what the job returned. A training says it in the metadata of its best model too, so after its first
    epoch; one on synthetic writers in its settings.
    """
    if job == "sample":  # whose result says what the writers write from
        return SYNTHETIC_SOURCE
    if named := getattr(result, "source", ""):
        return str(named)
    config = spec.get("config")
    return _source_of_model(run) or (
        SYNTHETIC_SOURCE if isinstance(config, Mapping) and config.get("synthetic") else ""
    )


def _source_of_model(run: Path) -> str:
    try:
        return read_as(_Info, run / MODEL_INFO).source
    except KanjiError:
        return ""
