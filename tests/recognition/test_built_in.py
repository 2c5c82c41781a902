"""The model that comes with the program: its two files, its card, and every command that may name it."""

import json
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image
from safetensors import safe_open

from kanji_tui.characters.character_sets import codes_of
from kanji_tui.characters.jis import character_to_jis
from kanji_tui.characters.lookalikes import outputs_of
from kanji_tui.data.etl import pack_levels
from kanji_tui.data.preparation import prepare
from kanji_tui.data.resize import shrink
from kanji_tui.data.strokes.stroke_writing import stroke_writing
from kanji_tui.engines import engine, latency
from kanji_tui.engines.engine import ENGINES, Engine
from kanji_tui.engines.parity import Comparison
from kanji_tui.events import SilentReport
from kanji_tui.export.conversion import convert
from kanji_tui.export.targets import find_target
from kanji_tui.inspection.probing import Probes
from kanji_tui.networks.card import ModelCard
from kanji_tui.paths import BUILT_IN
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.strokes import render
from kanji_tui.recognition.model_files import built_in
from kanji_tui.recognition.models import open_model
from kanji_tui.recognition.weights import load_recogniser, run_recogniser
from tests.drawn import DRAWN

pytestmark = pytest.mark.usefixtures("forked_children")
MOST_BYTES = 6.5e6
CHARACTERS = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほアイウエオっゃ々〆一二三田漢学研序語書見"
WRITERS = 3
# Of the largest logit. The ONNX file's weights are rounded once more, after BatchNorm was merged into them.
TOLERANCE = 1e-3
SEED = 20_000  # of writers whom no training met


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Each of CHARACTERS by WRITERS synthetic writers, uint8 (N, 64, 64)."""
    codes = tuple(character_to_jis(character) for character in CHARACTERS)
    writing = stroke_writing(codes, SEED, SilentReport())
    written = [writing.write(writer, 0, len(codes)) for writer in range(WRITERS)]
    return shrink(pack_levels(np.concatenate(written)), 64)


@pytest.fixture(scope="module")
def logits(images: np.ndarray) -> np.ndarray:
    """What the file with weights answers."""
    return run_recogniser(load_recogniser(BUILT_IN)[0], as_input(images))


def as_input(images: np.ndarray) -> np.ndarray:
    return images[:, None].astype(np.float32) / np.float32(255)


@pytest.fixture(scope="module")
def dataset(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four of the sample's writers at the model's image size."""
    home = tmp_path_factory.mktemp("built-in")
    (home / "records").mkdir()
    shutil.copy(sample_dir / "ETL9G_01", home / "records")
    prepare(home / "records", home / "dataset", 64, 1, None, SilentReport())
    return home / "dataset"


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    path = tmp_path / "den.png"
    Image.fromarray(render(DRAWN["田"], StrokeStyle())).save(path)
    return path


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors"])
def test_each_file_is_small(suffix: str) -> None:
    assert built_in(suffix).stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("name", ENGINES)
def test_both_files_answer_alike_in_every_engine(images: np.ndarray, logits: np.ndarray, name: str) -> None:
    """Within TOLERANCE, and with the same first candidate."""
    comparison = Comparison()
    with Engine(name) as running:
        (found,) = running.run(built_in(".onnx"), {"input": as_input(images)}, {"batch": len(images)})
    comparison.add(logits, found)
    parity = comparison.result("")
    assert parity.max_logit_difference <= TOLERANCE * parity.largest_logit
    assert parity.top1_agreement == 1.0
    assert parity.decided > 0.9 * len(images)


def test_it_reads_writers_whom_it_never_met(logits: np.ndarray) -> None:
    output_of = load_recogniser(BUILT_IN)[1].output_of
    expected = [output_of[character_to_jis(character)] for character in CHARACTERS * WRITERS]
    assert (logits.argmax(axis=1) == expected).mean() > 0.85


def test_its_card_says_what_it_reads_and_what_its_licence_asks() -> None:
    card = load_recogniser(BUILT_IN)[1]
    outputs = outputs_of(codes_of("all"))
    assert card.classes == tuple(outputs)
    assert card.lookalikes == tuple(group for group in outputs.values() if len(group) > 1)
    assert (len(card.classes), len(card.output_of)) == (3176, 3200)
    assert (card.dataset, card.source, card.network, card.size) == ("built-in", "drawn sample", "kanjinet", 64)
    assert "CC BY-SA 4.0" in card.license
    assert "KanjiVG" in card.license
    assert open_model(BUILT_IN).card == card
    beside = (files("kanji_tui.recognition") / "built_in" / "LICENSE").read_text(encoding="utf-8")
    assert all(name in beside for name in ("CC BY-SA 4.0", "KanjiVG", "Ulrich Apel"))


READ_TWICE = """
import json, sys
from kanji_tui.cli import main
codes = [main(["predict", *sys.argv[1:]]), main(["predict", *sys.argv[1:], "--model-path", "built-in"])]
print(codes, sorted({"torch", "onnx", "textual"} & set(sys.modules)))
"""


def test_predict_reads_in_an_empty_home_without_torch_and_says_who_reads(tmp_path: Path, drawing: Path) -> None:
    command = [sys.executable, "-c", READ_TWICE, str(drawing)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    *printed, last = done.stdout.splitlines()
    assert last == "[0, 0] []", done.stdout + done.stderr
    assert printed[: len(printed) // 2] == printed[len(printed) // 2 :]
    assert "read by the built-in model" in printed[0]
    assert any(line.split()[:2] == ["1", "田"] for line in printed)
    assert [path.name for path in tmp_path.iterdir()] == [drawing.name]


def test_the_json_answer_says_who_read(drawing: Path, kanji_tui) -> None:
    answer = json.loads(kanji_tui("predict", drawing, "--json").stdout)
    assert answer["model_path"] == "built-in"
    assert answer["predictions"][0]["candidates"][0]["character"] == "田"


def test_exports_lie_in_models_and_carry_the_licence(dataset: Path, tmp_path: Path, kanji_tui) -> None:
    license = load_recogniser(BUILT_IN)[1].license
    written = {}
    for kind, *options in (("safetensors", "--verify"), ("mapping",), ("onnx", "--data-dir", dataset)):
        done = kanji_tui("export", kind, "--model-path", "built-in", *options, "--json")
        assert done.returncode == 0, done.stderr
        written[kind] = tmp_path / json.loads(done.stdout)["path"]
    assert {kind: path.relative_to(tmp_path).as_posix() for kind, path in written.items()} == {
        "safetensors": "models/kanji_model_built-in_64x64_3176classes.safetensors",
        "mapping": "models/kanji_model_built-in_64x64_3176classes_mapping.json",
        "onnx": "models/kanji_model_built-in_64x64_3176classes_tract.onnx",
    }
    with safe_open(written["safetensors"], framework="np") as file:
        metadata = file.metadata()
    of_graph = {entry.key: entry.value for entry in onnx.load(written["onnx"]).metadata_props}
    mapping = json.loads(written["mapping"].read_text(encoding="utf-8"))
    assert metadata["license"] == of_graph["license"] == mapping["model_info"]["license"] == license
    for found in (metadata, of_graph):
        assert ModelCard.from_metadata(found, "").license == license
    sharing = next(found for found in mapping["characters"].values() if found["character"] == "口")
    assert sharing["lookalikes"] == ["ロ"]


def test_evaluate_takes_it(dataset: Path, tmp_path: Path, kanji_tui) -> None:
    done = kanji_tui("evaluate", "--model-path", "built-in", "--data-dir", dataset, "--split", "all", "--json")
    found = json.loads(done.stdout)
    assert (found["samples"], found["model_path"], found["unknown_samples"]) == (48, "built-in", 0)
    assert found["top1"] > 0.9
    assert Path(found["predictions_path"]).parent == Path("models")


def test_a_split_that_it_does_not_have_is_refused_with_what_to_do(dataset: Path, kanji_tui) -> None:
    done = kanji_tui("evaluate", "--model-path", "built-in", "--data-dir", dataset)
    assert done.returncode == 2
    assert "built-in" in done.stderr
    assert "--split all" in done.stderr


def test_suspects_takes_it(dataset: Path, kanji_tui) -> None:
    options = ("--model-path", "built-in", "--data-dir", dataset, "--split", "all")
    found = json.loads(kanji_tui("suspects", *options, "--json").stdout)
    assert (found["samples"], found["model_path"]) == (48, "built-in")


@pytest.mark.parametrize("options", [("--model-path", "built-in"), ()])
def test_saliency_takes_it(drawing: Path, kanji_tui, options: tuple[str, ...]) -> None:
    found = json.loads(kanji_tui("saliency", drawing, *options, "--json").stdout)
    assert found["model_path"] == "built-in"
    assert found["explained"][0]["character"] == "田"


def test_inspect_takes_it(kanji_tui, monkeypatch) -> None:
    monkeypatch.setattr("kanji_tui.inspection.support.probe_nodes", lambda *_: Probes())  # no node alone
    (model,) = json.loads(kanji_tui("inspect", "built-in", "--json").stdout)["models"]
    assert {name: model["backends"][name]["runs"] for name in ENGINES} == dict.fromkeys(ENGINES, True)
    assert model["operators"]["Cast"] > 0


def test_compare_finds_its_own_export_to_be_the_same_model(
    dataset: Path, tmp_path: Path, kanji_tui, monkeypatch
) -> None:
    """They differ by the rounding of half precision, once more in the file where BatchNorm was merged before."""
    monkeypatch.setattr(engine, "LATENCY_RUNS", 2)
    monkeypatch.setattr(latency, "BATCHES", (1,))
    own = convert(*load_recogniser(BUILT_IN), find_target("tract"))
    (tmp_path / "own.onnx").write_bytes(own.SerializeToString())
    done = kanji_tui("compare", "built-in", "own.onnx", "--data-dir", dataset, "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert [Path(model["path"]) for model in found["models"]] == [built_in(".onnx"), Path("own.onnx")]
    assert len({model["parameters"] for model in found["models"]}) == 1
    assert found["parity"]["samples"] == 48
    for one in found["parity"]["results"]:
        assert (one["parity"]["passed"], one["parity"]["top1_agreement"]) == (True, 1.0), one
        assert ("half precision" in one["reason"]) == (one["model"] == "own.onnx")
