"""Results on stdout: one JSON object with --json, else tables and sentences for a person."""

from collections.abc import Callable
from typing import Any

from kanji_tui.cli.render import print_document
from kanji_tui.cli.show import accounts, data, probing, training
from kanji_tui.cli.show.words import Result, fields
from kanji_tui.presentation.present import PRESENTERS, present
from kanji_tui.runs.process import as_json
from kanji_tui.system.files import strict_json


def result(name: str, value: Any, json: bool) -> None:
    """Print the result of the command `name`."""
    if json:
        print(strict_json(as_json(value)))
    elif type(value) in PRESENTERS:
        print_document(present(value))
    else:
        SHOWN.get(name, fields)(as_json(value))


SHOWN: dict[str, Callable[[Result], None]] = {
    "preflight": data.checks,
    "sample": data.sample,
    "prepare": data.prepared,
    "verify": data.verified,
    "train": training.trained,
    "probe": probing.probed,
    "search": accounts.searched,
    "emissions": accounts.accounted,
    "folds": training.folds,
    "started": training.started,
    "stop": training.ended,
    "publish": training.ended,
    "delete": training.ended,
    "runs": training.runs,
    "networks": training.networks,
}
