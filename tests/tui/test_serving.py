"""The workbench exports the page and serves it; the address stands in the status line."""

import json
import re
import urllib.request
from pathlib import Path

import pytest

from kanji_tui.events import Outcome, State
from kanji_tui.jobs import export_web, serve
from kanji_tui.runs.process import entry_of
from kanji_tui.runs.recorder import Recorder
from kanji_tui.runs.run_directory import create
from kanji_tui.system.plain_data import to_plain
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.export.form import contradiction, export_job
from kanji_tui.tui.export.serving import newest_page
from kanji_tui.web.results import ExportedPage
from tests.tui.conftest import shows, text_of, until
from tests.tui.test_inspector_screen import ASKED, MODELS

pytest.importorskip("uvicorn", reason="the extra serve is not installed")


@pytest.mark.parametrize("key", ["3", "4"])
async def test_the_service_is_started_and_stopped_by_a_key(home: Path, key: str) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(key, "W")
        await shows(pilot, "http://127.0.0.1:")
        found = re.search(r"http://127\.0\.0\.1:\d+/", text_of(pilot))
        assert found
        health = json.load(urllib.request.urlopen(f"{found.group()}healthz", timeout=30))
        assert health["status"] == "ok"
        await pilot.press("W")
        await until(pilot, lambda: not app.state.active("serve"))
        (view,) = app.state.of("serve")
        assert view.result.model == "built-in"
        assert view.result.address == found.group()


async def test_the_newest_page_that_exists_is_served(home: Path) -> None:
    for name in ("older", "newer", "deleted"):
        run = create("export_web", entry_of("export_web"), to_plain(export_web.Spec()))
        page = ExportedPage(name, 1, "built-in", "onnxruntime-web", ("index.html",), 1, 1, 1, f"{name}/index.html")
        with Recorder(run, "export_web", None) as report:
            report(Outcome(to_plain(page)))
            report(State("finished"))
        if name != "deleted":
            Path(name).mkdir()
            (Path(name) / "index.html").touch()
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: len(app.state.of("export_web")) == 3)
        await until(pilot, lambda: newest_page(app.state) == Path("newer"))
        await pilot.press("4", "r")
        await shows(pilot, "kanji-tui serve deleted")


def test_the_form_exports_a_page() -> None:
    asked = {**ASKED, "target": "web page", "file": "out/page"}
    assert contradiction(asked, measurable=False) == ""
    spec = export_web.Spec(MODELS["the published model"], Path("out/page"), "npm")
    assert export_job(asked, MODELS, Path("dataset")) == ("export_web", spec)
    assert serve.Spec().host == "127.0.0.1"
