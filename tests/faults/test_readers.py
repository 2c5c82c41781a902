"""Every reader of files meets damaged ones: a result or one sentence, never a traceback, never much memory.

`make test` tries FEW damages of each kind of file, `make test-faults` MANY, all from fixed seeds.
"""

import json
import re
import resource
import shutil
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from kanji_tui.cli import main
from kanji_tui.errors import KanjiError
from tests.faults.mutations import Damage, damaged_bytes, damaged_json, damaged_lines, damaged_yaml

FEW, MANY = 8, 2000
MEMORY_KIB = 400_000  # more than a reader may take, beyond what the program takes anyway
RUN = "20261127T000000-train-1"


@dataclass(frozen=True)
class Kind:
    """A kind of file: its path in the home folder, how it is damaged, and what reads it there."""

    path: str
    damage: Damage
    read: Callable[[], object]


def commands(*lines: str) -> Callable[[], object]:
    """Runs each command line, which must end with one of the exit codes."""

    def run() -> None:
        for line in lines:
            assert main(line.split()) in (0, 1, 2, 130), line

    return run


def look_at_samples() -> None:
    from kanji_tui.workspace.opened_dataset import OpenedDataset
    from kanji_tui.workspace.sample_browser import SampleBrowser

    SampleBrowser(OpenedDataset()).catalogue()


def read_every_image() -> None:
    from kanji_tui.data.dataset import open_dataset

    dataset = open_dataset(Path("dataset"))
    dataset.images(range(len(dataset)))


def read_settings() -> None:
    from kanji_tui.cli.commands.training import train_spec

    train_spec(
        Namespace(track=[], resume=RUN, init=None, config=None, set=[], profile=False, **dict.fromkeys(_settings()))
    )


def _settings() -> list[str]:
    from kanji_tui.training.config import SETTINGS

    return [setting.name for setting in SETTINGS]


def read_history() -> None:
    from kanji_tui.workspace.earlier_epochs import read_earlier

    read_earlier(Path(OF_RUN), 5)


def read_sample_mark() -> None:
    from kanji_tui.data.formats import list_inputs
    from kanji_tui.data.sample import is_synthetic

    list_inputs(Path("ETL9G"))
    is_synthetic(Path("ETL9G"), [])


def read_checkpoint() -> None:
    import torch

    from kanji_tui.training import checkpoint
    from kanji_tui.training.state import initial_state

    content = checkpoint.load(Path("models/runs") / RUN / "last.ckpt")
    state = initial_state(checkpoint.config_of(content), 12, 32, 10, torch.device("cpu"))
    checkpoint.restore(state, content)


def read_weights(name: str) -> Callable[[], object]:
    def read() -> None:
        from kanji_tui.recognition.weights import load_recogniser

        load_recogniser(Path(name))

    return read


def describe_onnx() -> None:
    from kanji_tui.engines.graph import describe_nodes, infer_shapes
    from kanji_tui.engines.loading import load_onnx
    from kanji_tui.engines.sessions import open_session

    model = load_onnx(Path("models/model.onnx"))
    describe_nodes(model, infer_shapes(model, {}))
    open_session(Path("models/model.onnx"))


OF_RUN = f"models/runs/{RUN}"
MODEL = "models/best_kanji_model.pth"
KINDS = {
    "character_mapping": Kind("dataset/character_mapping.json", damaged_json, look_at_samples),
    "metadata": Kind("dataset/metadata.json", damaged_json, commands("verify", "--once dataset")),
    "chunk_info": Kind("dataset/chunk_info.json", damaged_json, commands("verify")),
    "chunk": Kind("dataset/etl9g_dataset_chunk_01.npz", damaged_bytes, read_every_image),
    "verified chunk": Kind("dataset/etl9g_dataset_chunk_01.npz", damaged_bytes, commands("verify")),
    "sample": Kind("ETL9G/SAMPLE.json", damaged_json, read_sample_mark),
    "events": Kind(
        f"models/runs/{RUN}/events.jsonl", damaged_lines, commands("runs", f"attach {RUN}", "--once training")
    ),
    "status": Kind(
        f"models/runs/{RUN}/status.json", damaged_json, commands("runs", f"stop {RUN}", "--once training")
    ),
    "config": Kind(
        f"models/runs/{RUN}/config.yaml",
        damaged_yaml,
        commands(
            "runs --csv",
            "runs --columns learning_rate,epochs,data_dir,network --sort=-learning_rate learning_rate>0",
            "--once training",
            f"emissions {RUN}",
        ),
    ),
    "settings": Kind(f"models/runs/{RUN}/config.yaml", damaged_yaml, read_settings),
    "history": Kind(f"models/runs/{RUN}/training_progress.json", damaged_json, commands("--once training")),
    "card": Kind(
        "models/best_model_info.json",
        damaged_json,
        commands("export mapping --model-path models/best_kanji_model.pth", "--once training"),
    ),
    "published": Kind("models/published.json", damaged_json, commands("--once browser")),
    "checkpoint": Kind(f"models/runs/{RUN}/last.ckpt", damaged_bytes, read_checkpoint),
    "pth": Kind("models/best_kanji_model.pth", damaged_bytes, read_weights("models/best_kanji_model.pth")),
    "safetensors": Kind("models/model.safetensors", damaged_bytes, read_weights("models/model.safetensors")),
    "onnx": Kind("models/model.onnx", damaged_bytes, describe_onnx),
}


@pytest.fixture(scope="module")
def whole_home(trained, sample_dir, tmp_path_factory) -> Path:
    """A home with a sample, its dataset, a published training and its exports."""
    from kanji_tui.events import SilentReport
    from kanji_tui.export.quick_export import export_quickly
    from kanji_tui.export.safetensors_export import export_safetensors

    home = tmp_path_factory.mktemp("whole") / "home"
    shutil.copytree(sample_dir, home / "ETL9G")
    shutil.copytree(trained.data_dir, home / "dataset")
    shutil.copytree(trained.models_dir, home / "models")
    (home / "models" / "runs" / trained.run.name).rename(home / "models" / "runs" / RUN)
    weights = home / "models" / "best_kanji_model.pth"
    export_quickly(str(weights), str(home / "models" / "model.onnx"))
    export_safetensors(weights, SilentReport(), output_path=home / "models" / "model.safetensors")
    return home


def damage_and_read(home: Path, kind: Kind, name: str, count: int) -> None:
    path = home / kind.path
    whole = path.read_bytes()
    listed = sorted(home.parent.iterdir())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        for number in range(count):
            path.write_bytes(kind.damage(whole, Random(f"{name} {number}")))
            try:
                kind.read()
            except KanjiError:
                pass
            except BaseException as error:
                raise AssertionError(f"{name}, damage {number}: {type(error).__name__}: {error}") from error
    finally:
        path.write_bytes(whole)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_KIB
    assert sorted(home.parent.iterdir()) == listed  # nothing was written outside of the home


@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_file_is_a_result_or_a_sentence(whole_home, monkeypatch, capsys, name):
    monkeypatch.chdir(whole_home)
    KINDS[name].read()  # also takes the memory that the program takes anyway
    damage_and_read(whole_home, KINDS[name], name, FEW)
    assert "Traceback" not in capsys.readouterr().err


STRANGE_SETTINGS = (".inf", "-.inf", ".nan", "1e999", "0x" + "f" * 5000, "[0x" + "f" * 5000 + "]", "1" + "0" * 400)


@pytest.mark.parametrize("value", STRANGE_SETTINGS)
def test_a_setting_that_is_no_number_hides_no_run(whole_home, monkeypatch, capsys, value):
    monkeypatch.chdir(whole_home)
    path = whole_home / OF_RUN / "config.yaml"
    whole = path.read_text()
    try:
        path.write_text(re.sub("learning_rate: .*", f"learning_rate: {value}", whole))
        assert path.read_text() != whole
        KINDS["config"].read()
    finally:
        path.write_text(whole)
    assert RUN in capsys.readouterr().out


def test_a_dataset_that_names_other_places_as_its_inputs_is_refused(whole_home, monkeypatch, capsys):
    """What a dataset was prepared from is compared by name; a name is no path."""
    monkeypatch.chdir(whole_home)
    path = whole_home / "dataset" / "metadata.json"
    whole = path.read_text()
    try:
        for name in ("/dev/zero", "../x", "..", "a\0b", "\ud800", ""):
            value = json.loads(whole)
            value["inputs"]["files"][0] |= {"name": name, "bytes": 0}
            path.write_text(json.dumps(value))
            assert main(["verify"]) == 1, name
            assert "must be the name of a file without its folder" in " ".join(capsys.readouterr().err.split())
    finally:
        path.write_text(whole)


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", KINDS)
def test_many_damaged_files_are_results_or_sentences(whole_home, monkeypatch, name):
    monkeypatch.chdir(whole_home)
    KINDS[name].read()
    damage_and_read(whole_home, KINDS[name], name, MANY)
