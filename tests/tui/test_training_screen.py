"""The Training screen by keys: runs found, compared, filtered, read, copied; and seen from two workbenches."""

import json
import re
import shutil
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from kanji_tui.events import Epoch, Event, Outcome, Progress, State, to_json
from kanji_tui.runs.event_log import read_events
from kanji_tui.runs.run_directory import RunDirectory
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.training.run_page import RunPage
from kanji_tui.workspace.run_views import READ_BYTES, Tail, Watch
from tests.tui.conftest import painted, press_and_say_yes, resized, shows, text_of, until
from tests.tui.recorded import LIVE, RUN, epochs, train_spec, write_failed, write_live, write_run

OTHER = "20260102T050607-train-1"
WIDE = (120, 40)


def add_events(run: RunDirectory, *events: Event) -> None:
    """Write more events into a run, as its job would."""
    with open(run.events, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(to_json(event, 1767330000.0)) + "\n" for event in events)


def write_v2(home: Path, done: int = 6) -> RunDirectory:
    """A stopped training of another network."""
    spec = train_spec()
    spec["config"]["network"] = "v2.1"
    run = write_run(home, OTHER, spec, "stopped", [State("running"), *epochs(done), State("stopped")])
    (run.path / "last.ckpt").touch()
    return run


async def opened(pilot, text: str = "test 97.1 %") -> None:
    await pilot.press("3")
    await shows(pilot, text)
    await pilot.pause()


async def test_of_forty_runs_the_list_of_a_small_screen_shows_the_best_values(recorded: Path) -> None:
    for day in range(1, 32):
        write_run(recorded, f"202512{day:02}T000000-train-1", train_spec(), "stopped", [*epochs(day % 12)])
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await shows(pilot, "stopped  91.7")
        await shows(pilot, "stopped  none")  # of a run that had no epoch
        await pilot.press("end", "o", *"best")
        await until(pilot, lambda: app.front.chosen.best.val_top1 < 0.4)  # the first, whatever was chosen before


async def test_every_state_is_shown_and_found(recorded: Path) -> None:
    write_live(recorded)
    write_v2(recorded)
    lost = write_run(recorded, "20260101T000000-train-1", train_spec(), "finished", [State("running")])
    status = lost.status()
    assert status is not None
    lost.write_status(replace(status, state="running", pid=2**22 + 1, pid_start=1.0))
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, "crashed")
        shown = text_of(pilot)
        for state in ("running", "finished", "stopped", "crashed"):
            assert state in shown
        await pilot.press("f", *"crashed")
        await until(pilot, lambda: "stopped" not in text_of(pilot))
        assert "crashed  1 of 4" in text_of(pilot)
        assert "its process is gone" in text_of(pilot)
        await pilot.press("escape")
        await shows(pilot, "stopped")
        await pilot.press("f", *"nothing like it")
        await shows(pilot, "no match")
        assert "press n to train a network" in text_of(pilot)  # digits and letters were text


async def test_the_scale_changes_and_the_cursor_shows_values(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("S")
        await shows(pilot, "loss log")
        await pilot.press("S")
        await shows(pilot, "smoothed  train  val  ┊ best  faint: measured")
        await pilot.press("S")
        await until(pilot, lambda: "smoothed" not in text_of(pilot))
        await pilot.press("left")
        last = epochs(12)[-1]
        await shows(pilot, f" v {last.val_loss:.3f}")
        await pilot.press("left", "left")
        await shows(pilot, f" v {epochs(12)[9].val_loss:.3f}")
        assert f" v {100 * epochs(12)[9].val_top1:.1f}%" in text_of(pilot)
        await pilot.press("0")
        await until(pilot, lambda: f" v {epochs(12)[9].val_loss:.3f}" not in text_of(pilot))


async def test_zoom_keeps_to_the_cursor(recorded: Path) -> None:
    app = Workbench()

    def epochs_below() -> list[int]:
        """The epochs below the first chart: the first and the last that are visible, the cursor's between them."""
        region = app.screen.query_one("#chart-0").content_region
        line = painted(pilot)[region.bottom - 1].crop(region.x, region.right).text
        return [int(epoch) for epoch in line.split() if epoch.isdigit()]

    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert epochs_below() == [1, 12]
        await pilot.press("plus", "plus")
        assert epochs_below() == [10, 12]
        await pilot.press(*["left"] * 9)  # to the fourth epoch, out of the window
        visible = epochs_below()
        assert 4 in visible
        assert visible[-1] <= 6
        await pilot.press("minus", "minus")
        assert epochs_below() == [1, 4, 12]


async def test_metrics_by_pattern(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("slash", *"rate|top-5", "enter")
        await shows(pilot, "learning rate")
        titles = [line for line in text_of(pilot).splitlines() if "learning rate" in line]
        assert "top-5" in titles[0]
        assert "loss" not in titles[0]
        await pilot.press("slash", "escape")
        await shows(pilot, "loss  train  val")


async def test_an_older_run_is_published_by_key_and_stays_so(recorded: Path) -> None:
    older = recorded / "models" / "runs" / RUN
    (older / "best_kanji_model.pth").write_bytes(b"older weights")
    (older / "best_model_info.json").write_text(
        json.dumps({"epoch": 11, "val_accuracy": 98.96, "network": "kanjinet"})
    )
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, "kanjinet")
        await press_and_say_yes(pilot, "P")
        record = recorded / "models" / "published.json"
        await until(pilot, lambda: json.loads(record.read_text())["pinned"])
        assert json.loads(record.read_text())["run"] == RUN
        assert (recorded / "models" / "best_kanji_model.pth").read_bytes() == b"older weights"


async def test_publishing_asks_says_what_changes_and_is_undone(recorded: Path) -> None:
    worse = write_v2(recorded, done=1)
    (worse.path / "best_kanji_model.pth").write_bytes(b"worse weights")
    (worse.path / "best_model_info.json").write_text(json.dumps({"val_accuracy": 34.0, "network": "v2.1"}))
    models = recorded / "models"
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, "v2.1")
        await pilot.press("U")  # nothing to undo
        assert len(app.screen_stack) == 1
        await pilot.press("P")
        await shows(pilot, "validation top-1 98.96 % → 34.00 %, stopped early")
        await pilot.press("n")
        assert json.loads((models / "published.json").read_text())["run"] == RUN
        await press_and_say_yes(pilot, "P")
        await until(pilot, lambda: app.state.published == OTHER)
        await pilot.press("U")
        await shows(pilot, "validation top-1 34.00 % → 98.96 %")
        await pilot.press("y")
        await until(pilot, lambda: app.state.published == RUN)
    assert (models / "best_kanji_model.pth").read_bytes() == b"weights"


async def test_runs_are_compared_in_one_chart(recorded: Path) -> None:
    write_v2(recorded)
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "v2.1")
        await pilot.press("m", "down")
        await shows(pilot, "a v2.1 01-02 05:06  b kanjinet 01-02 03:04")
        await pilot.press("m", "right")
        read = text_of(pilot)
        assert f"b {epochs(12)[-1].val_loss:.3f}" in read
        assert "a -" in read  # it ended after six epochs
        await pilot.press("m", "up", "m")
        await until(pilot, lambda: "b kanjinet" not in text_of(pilot))


async def test_a_name_is_given_and_found_and_the_list_has_chosen_columns(recorded: Path) -> None:
    write_v2(recorded)
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "v2.1")
        await pilot.press("a", *"wide", "tab", *"label smoothing", "enter")
        await shows(pilot, "wide")
        about = recorded / "models" / "runs" / OTHER / "about.json"
        assert json.loads(about.read_text()) == {"name": "wide", "note": "label smoothing"}
        await pilot.press("l", *"epochs best note", "enter")
        await shows(pilot, "label smoothing")
        assert re.search(r"run +epochs +val top-1 +note", text_of(pilot))
        rows = [row.key for row in app.screen.query_one("#runs").rows]
        assert rows == [OTHER, RUN]
        await pilot.press("o", *"-best", "enter")
        await shows(pilot, "by -val_top1")
        assert [row.key for row in app.screen.query_one("#runs").rows] == [RUN, OTHER]
        await pilot.press("f", *"note:smoo")
        await shows(pilot, "note:smoo  1 of 2")
        await pilot.press(*" lrr>")
        await shows(pilot, "runs have no field 'lrr'")
        assert [row.key for row in app.screen.query_one("#runs").rows] == [OTHER]
        await pilot.press("escape", "l", "escape", "o", "escape")
        await shows(pilot, "start run")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard.endswith("--name wide --note 'label smoothing'"))


async def test_resumptions_are_one_row(recorded: Path) -> None:
    write_v2(recorded)
    spec = train_spec() | {"resume": f"models/runs/{OTHER}"}
    write_run(recorded, "20260103T000000-train-1", spec, "stopped", [State("running"), *epochs(7)[6:]])
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "2 parts")
        assert [row.key for row in app.screen.query_one("#runs").rows] == ["20260103T000000-train-1", RUN]


async def test_eight_runs_at_most_and_every_other_can_still_be_opened(recorded: Path) -> None:
    for number in range(9):
        write_run(recorded, f"20260103T00000{number}-train-1", train_spec(), "stopped", [*epochs(3)])
    app = Workbench()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(pilot, "stopped")
        await until(pilot, lambda: len(app.state.runs) == 11)
        for _ in range(8):
            await pilot.press("m", "down")
        await shows(pilot, "h kanjinet")  # the names of all are in the legend, and which are dashed
        await shows(pilot, "dashed: e f g h")
        assert all(f"{letter} kanjinet 01-03" in text_of(pilot) for letter in "abcdefgh")
        await pilot.press("m")
        await shows(pilot, "8 runs at most")
        assert [view.name[14] for view in app.screen.compared] == list("87654321")
        await pilot.press("E")
        await shows(pilot, "0 of 44 differ")
        await pilot.press("enter")
        await shows(pilot, "1 settings")
        assert isinstance(app.screen, RunPage)
        assert app.screen.run_name.startswith("20260103T000000")  # the ninth, beside seven of the others
        await shows(pilot, "learning rate")


async def test_a_resumed_run_keeps_its_network_and_data(recorded: Path) -> None:
    run = write_v2(recorded)
    asked = []
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "v2.1")
        app.worker.start_job = lambda asker, job, spec: asked.append(spec)  # type: ignore[method-assign]
        await pilot.press("u")
        await shows(pilot, "goes on after epoch 6 of 12")
        assert "98.96 %" in text_of(pilot)  # of the model that its end replaces
        assert not asked
        await pilot.press("y")
        await until(pilot, lambda: asked)
    assert asked[0].config.network == "v2.1"
    assert asked[0].resume.name == run.name


async def test_two_workbenches_on_a_growing_run_agree(recorded: Path) -> None:
    """Both see each event, the other's request to stop, and the same end; stopping twice is stopping once."""
    run = write_live(recorded)
    first, second = Workbench(), Workbench()
    async with AsyncExitStack() as stack:
        pilots = [
            await stack.enter_async_context(app.run_test(size=WIDE, notifications=True)) for app in (first, second)
        ]
        for pilot in pilots:
            await opened(pilot, "epoch 5 of 12")
        for number in (5, 6):
            add_events(
                run,
                epochs(number)[-1],
                Progress("training", 1000 * number, 12000, "samples", f"epoch {number + 1} of 12"),
            )
            for pilot in pilots:
                await shows(pilot, f"epoch {number + 1} of 12")
        views = [app.state.runs[LIVE] for app in (first, second)]
        assert views[0] == views[1]
        assert [epoch.epoch for epoch in views[0].epochs] == [1, 2, 3, 4, 5, 6]
        await pilots[0].press("s", "n")
        assert not run.stop_file.exists()
        await pilots[0].press("s")
        await shows(pilots[0], "at its next batch, with a checkpoint")
        await pilots[0].press("y")
        await until(pilots[0], run.stop_file.exists)
        written = run.stop_file.stat().st_mtime_ns
        for pilot in pilots:
            await shows(pilot, "stopping")
        for pilot in reversed(pilots):
            await pilot.press("s")
            await shows(pilot, "is already stopping")
        assert run.stop_file.stat().st_mtime_ns == written
        (run.path / "last.ckpt").touch()
        add_events(run, State("stopped"))
        status = run.status()
        assert status is not None
        run.write_status(replace(status, state="stopped"))
        for pilot in pilots:
            await shows(pilot, "stopped: press u")
        await until(pilots[0], lambda: not first.state.active() and not second.state.active())
        assert first.state.runs[LIVE] == second.state.runs[LIVE]
        await until(pilots[0], lambda: upper_part(pilots[0]) == upper_part(pilots[1]))  # curves are drawn later


def upper_part(pilot) -> list[str]:
    """What is written above the notes, which each workbench has of its own."""
    return [line for line in text_of(pilot).splitlines() if "─" not in line][1:20]


async def test_a_run_deleted_elsewhere_leaves_list_and_comparison(recorded: Path) -> None:
    run = write_failed(recorded)
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "failed")
        await pilot.press("m", "down")
        await shows(pilot, "a kanjinet")
        shutil.rmtree(run.path)
        await until(pilot, lambda: "a kanjinet" not in text_of(pilot))
        assert [view.name for view in app.screen.compared] == [RUN]


def test_many_events_are_read_in_parts(home: Path) -> None:
    progress = [Progress("training", number, 9000, "samples", "epoch 1 of 1") for number in range(3000)]
    last = Epoch(1, 1, 1.0, 0.5, 1.0, 0.5, 0.6, 0.7, 1e-3, 1.0, 10.0, True)
    run = write_run(
        home, RUN, train_spec(), "finished", [*progress, last, Outcome({"run": RUN}), State("finished")]
    )
    assert run.events.stat().st_size > 2 * READ_BYTES
    tail = Tail(run)
    tail.poll()
    assert tail.behind
    assert not tail.view.epochs
    watch = Watch()
    watch.list()
    polls = 0
    while watch.poll(0.001) or watch.busy:
        polls += 1
        assert polls < 100
    assert polls > 1
    whole, end = read_events(run.events)
    parts, offset = [], 0
    while offset < end:
        part, offset = read_events(run.events, offset, 1000)
        parts += part
    assert parts == whole


async def test_nothing_is_cut_at_the_edge(recorded: Path) -> None:
    write_live(recorded)
    app = Workbench()
    async with app.run_test(size=(250, 70)) as pilot:
        await opened(pilot, "42 s left")
        for size in ((250, 70), (120, 40), (80, 24)):
            await resized(pilot, size)
            for pane in ("#runs", "#run", "#curves", "#epochs"):
                region = app.screen.query_one(pane).region
                assert region.right <= size[0]
                assert region.bottom <= size[1] - 2
                assert region.height >= 4
