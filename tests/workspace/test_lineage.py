"""Where a model comes from: every link with its digest, and the broken one with its reason."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import onnx

from kanji_tui.networks.card import Lineage, ModelCard
from kanji_tui.presentation.document import Styled, parts_of, text_of
from kanji_tui.presentation.lineage import file_origin, fitted_line, lineage_line
from kanji_tui.recognition.drawing.results import ReadyModel, StrokeStyle
from kanji_tui.recognition.model_files import built_in
from kanji_tui.workspace.lineage import drawing_lineage, lineage_of, published_lineage
from kanji_tui.workspace.snapshot import WorkspaceSnapshot, next_step, read_workspace
from tests.inspection import strange_files
from tests.tui.recorded import INSPECTED, RUN

WEIGHTS = "9" * 64


def with_lineage(recorded: Path, **changes: str) -> tuple[WorkspaceSnapshot, Lineage]:
    """The workspace whose published model says what it was made from."""
    metadata = json.loads((recorded / "dataset" / "metadata.json").read_text())
    models = recorded / "models"
    first = read_workspace()
    origin = Lineage(RUN, "2026-01-02T03:05:00+00:00", first.dataset.records_digest, metadata["digest"], WEIGHTS)
    info = json.loads((models / "best_model_info.json").read_text()) | {
        "lineage": asdict(replace(origin, **changes))
    }
    (models / "best_model_info.json").write_text(json.dumps(info))
    record = json.loads((models / "published.json").read_text()) | {"weights_sha256": WEIGHTS}
    (models / "published.json").write_text(json.dumps(record))
    return read_workspace(), replace(origin, **changes)


def broken(line) -> list[str]:
    return [part.text for part in parts_of(line) if isinstance(part, Styled) and part.style == "bad"]


def test_the_whole_lineage_in_one_line(recorded: Path) -> None:
    workspace, origin = with_lineage(recorded)
    line = lineage_line(published_lineage(workspace, {RUN}))
    assert text_of(line) == (
        f"records {origin.records[:8]} → dataset {origin.dataset[:8]} → run {RUN} → model 99999999"
    )
    assert broken(line) == []
    export = lineage_line(lineage_of(workspace, origin, {RUN}, (Path("models/a.onnx"), "abcdef0123")))
    assert text_of(export).endswith("model 99999999 → export a.onnx abcdef01")


def test_each_broken_link_says_why(recorded: Path) -> None:
    workspace, origin = with_lineage(recorded, dataset="4" * 64, weights="5" * 64)
    line = lineage_line(lineage_of(workspace, origin, runs=()))
    assert broken(line) == [
        "dataset 44444444 (another dataset is here now)",
        f"run {RUN} (deleted)",
        "model 55555555 (not the published model)",
    ]


def test_synthetic_writers_stand_in_the_place_of_a_dataset(recorded: Path) -> None:
    origin = Lineage(RUN, "2026-01-02T03:05:00+00:00", weights=WEIGHTS, writers="6" * 64)
    line = lineage_line(lineage_of(read_workspace(), origin, {RUN}))
    assert text_of(line).startswith(f"synthetic writers 66666666 → run {RUN} → model 99999999")
    assert not any("dataset" in text for text in broken(line))


def test_changed_records_break_the_first_link_and_are_the_next_step(recorded: Path) -> None:
    workspace, _ = with_lineage(recorded)
    path = recorded / "ETL9G" / "ETL9G_02"
    path.write_bytes(path.read_bytes()[:-8199])
    again = read_workspace(before=workspace)
    assert again.changed == ("ETL9G_02",)
    assert "ETL9G_02 changed since it was prepared: press 2, then p" in next_step(again)
    assert broken(lineage_line(published_lineage(again, {RUN})))[0].endswith("(ETL9G_02 changed since)")


def test_an_onnx_file_says_what_it_was_made_from(recorded: Path) -> None:
    workspace, origin = with_lineage(recorded)
    card = ModelCard("kanjinet", (0x2422, 0x3021), 32, lineage=replace(origin, weights="5" * 64))
    model = replace(INSPECTED, metadata={"card": card.to_text()}, digest="abcdef0123")
    pairs = {name: text_of(value) for name, value in file_origin(model, workspace, {RUN})}
    assert pairs["file"].endswith("abcdef01")
    assert pairs["made from"].startswith("from another model than the published one")
    assert f"run {RUN}" in pairs["made from"]
    assert pairs["made from"].endswith("→ export abcdef01")
    alone = dict(file_origin(model))  # where there is no dataset and no model there is nothing to compare with
    assert broken(alone["made from"]) == []
    assert "model 55555555" in text_of(alone["made from"])
    assert text_of(dict(file_origin(INSPECTED))["made from"]) == "its metadata name no run"
    metadata = {entry.key: entry.value for entry in onnx.load(built_in(".onnx")).metadata_props}
    ours = replace(model, metadata=metadata)  # each export has the same
    own = "the built-in model, which learned from synthetic samples, not handwriting"
    assert text_of(dict(file_origin(ours))["made from"]) == own
    damaged = replace(model, metadata={"card": "{"})
    assert broken(dict(file_origin(damaged))["made from"])


def test_a_card_keeps_its_lineage() -> None:
    card = ModelCard("kanjinet", (0x2422,), 32, lineage=Lineage(RUN, "", "a" * 64, "b" * 64, WEIGHTS))
    assert ModelCard.from_json(card.to_json(), "card") == card
    assert "lineage" not in ModelCard("kanjinet", (0x2422,), 32).to_json()


def test_the_line_fits_a_small_terminal_and_the_broken_link_stays_marked(recorded: Path) -> None:
    workspace, origin = with_lineage(recorded)
    export = (Path("kanji_model_etl9g_64x64_3036classes_tract.onnx"), "abcdef0123")
    whole = lineage_of(workspace, origin, {RUN}, export)
    assert fitted_line(whole, 250) == lineage_line(whole)
    short = text_of(fitted_line(whole, 78))
    assert len(short) <= 78
    assert [part.split()[0] for part in short.split(" → ")] == ["records", "dataset", "run", "model", "export"]
    other = lineage_of(workspace, replace(origin, dataset="4" * 64), {RUN}, export)
    assert broken(fitted_line(other, 120)) == ["dataset 4444 (another dataset is here now)"]
    assert broken(fitted_line(other, 78)) == ["dataset 4444!"]


def test_the_lineage_of_what_recognises_drawings(recorded: Path) -> None:
    workspace, origin = with_lineage(recorded)
    ready = ReadyModel("a.onnx", "kanjinet", 6, 32, StrokeStyle(), lineage=origin, digest="abcdef0123")
    kinds = [link.kind for link in drawing_lineage(workspace, ready, {RUN})]
    assert kinds == ["records", "dataset", "run", "model", "export"]
    converted = replace(ready, digest="")  # into a temporary file, which is nobody's
    assert [link.kind for link in drawing_lineage(workspace, converted, {RUN})] == kinds[:-1]
    built_in = ReadyModel("built-in", "kanjinet", 6, 32, StrokeStyle())
    assert [(link.kind, link.name) for link in drawing_lineage(workspace, built_in, ())] == [("model", "built-in")]
    assert [link.kind for link in drawing_lineage(workspace, None, ())] == kinds[:2]


def test_inspect_says_that_a_file_is_of_another_model(recorded: Path, kanji_tui, tmp_path_factory) -> None:
    _, origin = with_lineage(recorded)
    card = ModelCard("kanjinet", (0x2422, 0x3021), 32, lineage=replace(origin, weights="5" * 64))
    path = strange_files.save(
        recorded / "relu.onnx",
        [onnx.helper.make_node("Relu", ["x"], ["y"])],
        [strange_files.number("x", 1, 4)],
        [strange_files.number("y", 1, 4)],
    )
    model = onnx.load(path)
    model.metadata_props.add(key="card", value=card.to_text())
    onnx.save(model, path)
    assert "from another model than the published one" in kanji_tui("inspect", path).stdout
    empty = tmp_path_factory.mktemp("empty")
    elsewhere = kanji_tui("inspect", path, "--home", empty)
    assert elsewhere.returncode == 0
    assert "another model" not in elsewhere.stdout
    assert "model 55555555" in elsewhere.stdout
