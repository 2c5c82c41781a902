"""Two of everything at once, and clocks that jump."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kanji_tui.data import moving
from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import KanjiError
from kanji_tui.events import Event
from kanji_tui.jobs.train import Spec
from kanji_tui.runs import publish as publishing
from kanji_tui.runs.process import entry_of, run_in
from kanji_tui.runs.publish import publish, published
from kanji_tui.runs.run_directory import create, list_runs, status_of_this_process
from kanji_tui.system.locks import locked
from kanji_tui.system.plain_data import to_plain
from kanji_tui.training.config import configure
from tests.data.making import bytes_of

AT_ONCE = 8


def at_once(work, *each) -> list:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, *each))


def test_many_that_open_a_marked_dataset_at_once_all_find_the_new_one(sample_dataset, tmp_path):
    """Each has the folder's lock from a descriptor of its own, as processes have."""
    (tmp_path / "ds" / ".next").mkdir(parents=True)
    whole = bytes_of(sample_dataset)
    for name, content in whole.items():
        (tmp_path / "ds" / ".next" / name).write_bytes(content)
    names = sorted(whole, key=lambda name: name == "metadata.json")
    moving.mark_complete(tmp_path / "ds", names)
    digests = at_once(lambda _: open_dataset(tmp_path / "ds").digest, range(AT_ONCE))
    assert set(digests) == {open_dataset(sample_dataset).digest}
    assert bytes_of(tmp_path / "ds") == whole
    assert not (tmp_path / "ds" / ".next").exists()


def test_two_publications_at_once_leave_one_model_with_its_own_metadata(tmp_path, monkeypatch):
    runs = [tmp_path / "runs" / f"run-{number}" for number in range(AT_ONCE)]
    for run in runs:
        run.mkdir(parents=True)
        for name in ("best_kanji_model.pth", "best_model_info.json", "training_progress.json"):
            (run / name).write_text(json.dumps(run.name))
    for _ in range(5):
        at_once(lambda run: publish(run, tmp_path), runs)
        found = {path.read_text() for path in tmp_path.glob("[!.]*.*") if path.name != "published.json"}
        assert found == {json.dumps(published(tmp_path).run)}
        assert not list(tmp_path.glob("*_before_*"))
    monkeypatch.setattr(publishing, "PUBLISH_SECONDS", 0.0)
    with locked(tmp_path), pytest.raises(KanjiError, match="another process is publishing"):
        publish(runs[0], tmp_path)


def test_a_run_deleted_twice_at_once_is_deleted_once(tmp_path):
    run = create("verify", "kanji_tui.jobs.verify:run", {}, tmp_path)
    run.write_status(status_of_this_process("verify", "finished"))

    def delete(_: int) -> str:
        try:
            run.delete()
        except KanjiError as error:
            return error.message
        return ""

    said = at_once(delete, range(AT_ONCE))
    assert said.count("") == 1
    assert all("could not be removed" in message for message in said if message)
    assert not list(tmp_path.iterdir())


class JumpingClock:
    """The time of day, each time a day later or a day earlier than it is."""

    def __init__(self) -> None:
        self.true, self.asked = time.time, 0

    def __call__(self) -> float:
        self.asked += 1
        return self.true() + 86_400 * (-1, 0, 1)[self.asked % 3]


def test_a_training_under_a_clock_that_jumps_is_running_until_it_is_finished(sample_dataset, tmp_path, monkeypatch):
    config = configure(network="v1", recipe="standard", epochs=2, batch_size=16)
    spec = Spec(sample_dataset, tmp_path / "models", config)
    run = create("train", entry_of("train"), to_plain(spec), tmp_path / "models" / "runs")

    class Console:
        directory: Path | None = None

        def __init__(self) -> None:
            self.states: list[str] = []

        def __call__(self, event: Event) -> None:
            self.states.append(run.state())

        def stop_requested(self) -> bool:
            return False

    console = Console()
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", JumpingClock())
        assert run_in(run, console) == 0
    assert set(console.states[:-1]) == {"running"}
    assert console.states[-1] == "finished"
    result = [json.loads(line) for line in run.events.read_text().splitlines()][-2]["result"]
    assert 0 < result["seconds"] < 600
    assert list_runs(tmp_path / "models" / "runs") == [run]
