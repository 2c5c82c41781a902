"""What a stranger stumbles over: a line for each thing."""

import shutil
from pathlib import Path

import pytest

from kanji_tui.cli.console import print_error
from kanji_tui.errors import KanjiError, Stopped, UsageError
from kanji_tui.events import Failure, State
from kanji_tui.training.config import configure
from kanji_tui.training.trainer import lower_rate
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.shell.confirm import ConfirmScreen
from kanji_tui.tui.shell.form import FormScreen
from kanji_tui.tui.training.form import TrainForm
from kanji_tui.workspace.run_log import read_log
from kanji_tui.workspace.run_views import RunView
from tests.tui.conftest import press_and_say_yes, resized, shows, text_of, until
from tests.tui.recorded import LIVE, RUN, train_spec, write_live, write_run


async def test_without_a_dataset_synthetic_writers_can_be_trained_on(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await shows(pilot, "no dataset yet: press 2, or n without one")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, TrainForm))
        await pilot.press("enter")
        await shows(pilot, "synthetic cannot be none: there is no dataset")
        await pilot.press("3")
        await shows(pilot, "Learn from so many synthetic writers")
        assert "there is no dataset" not in text_of(pilot)


async def test_every_tab_stays_on_a_narrow_terminal(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(60, 24)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "1  2  3 Training  4  5  6" in " ".join(text_of(pilot).splitlines()[:1]))
        await resized(pilot, (80, 24))
        assert "6 Draw" in text_of(pilot).splitlines()[0]


async def test_a_screenshot_is_written_into_the_home_also_from_a_dialog(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("3")
        await shows(pilot, "finished")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("f3")
        await shows(pilot, "screenshot saved")
        (saved,) = recorded.glob("screenshot-*.svg")
        assert any(str(saved) in note.message for note in app._notifications)
        assert "Delete this run?" in saved.read_text().replace("&#160;", " ")


async def test_the_first_key_replaces_the_default_of_a_field(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "press 2, then n")
        await pilot.press("2", "n", "1", "2")
        await until(pilot, lambda: isinstance(app.screen, FormScreen))
        assert app.screen.query_one("#classes").value == "12"


async def test_the_palette_finds_actions_by_their_description(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await shows(pilot, "finished")
        await pilot.press("ctrl+p", *"half as many")
        await shows(pilot, "Zoom in")


async def test_a_second_training_on_a_busy_machine_asks(recorded: Path) -> None:
    write_live(recorded)
    asked = []
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await shows(pilot, "running")
        app.worker.start_job = lambda *job: asked.append(job)  # type: ignore[method-assign]
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, TrainForm))
        await pilot.press("enter")
        await shows(pilot, "This machine is training already")
        assert not asked
        await pilot.press("y")
        await until(pilot, lambda: asked)


async def test_an_error_is_said_once(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("3")
        await shows(pilot, "finished")
        shutil.rmtree(recorded / "models" / "runs" / RUN)  # before the list is read again
        await press_and_say_yes(pilot, "P")
        await until(pilot, lambda: app._notifications)
        await pilot.pause(0.3)
        assert [note.severity for note in app._notifications] == ["error"]


async def test_a_run_is_resumed_only_where_a_checkpoint_is(recorded: Path) -> None:
    run = write_run(recorded, LIVE, train_spec(), "stopped", [State("running"), State("stopped")])
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await shows(pilot, "it has no checkpoint: n begins anew")
        assert "u Resume" not in text_of(pilot)
    (run.path / "last.ckpt").touch()
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await shows(pilot, "stopped: press u to resume")
        assert "u Resume" in text_of(pilot)


def test_errors_read_as_a_person_would_write_them(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(Stopped("no longer following"))
    print_error(KanjiError("it is broken", "try a lower rate"))
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["no longer following", "error: it is broken", "  try: a lower rate"]
    view = RunView("x", Path("nowhere"), "train", failure=Failure("it is broken", "try a lower rate"))
    assert read_log(view)[-1].text == "try: a lower rate"
    too_many = r"^epochs cannot be 9999999999 \.\.\. \(60 characters\): it must be from 1 to 9,007,199,254,740,992$"
    with pytest.raises(UsageError, match=too_many) as refused:
        configure(epochs=int("9" * 60))
    assert not refused.value.remedy  # nothing to `try` but what the sentence says
    usual = configure().learning_rate
    assert lower_rate(configure(learning_rate=1e30)) == usual  # no remedy of 2.5e+29
    assert lower_rate(configure(learning_rate=usual)) == usual / 4
