import re
from pathlib import Path

import pytest

from kanji_tui.data.formats import list_inputs, open_source
from kanji_tui.errors import UsageError
from tests.data.making import CODES, write_images, write_kuzushiji, write_records

DOCS = Path(__file__).parents[2] / "docs"


def test_the_format_is_detected_from_the_files(tmp_path):
    write_records(tmp_path / "nine" / "ETL9G_01", CODES)
    write_records(tmp_path / "eight" / "ETL8G_01", CODES, image_offset=60)
    write_kuzushiji(tmp_path / "pairs")
    write_images(tmp_path / "folders", {"田": 1, "あ": 1})
    (tmp_path / "folders" / "notes").mkdir()
    found = {name: open_source(tmp_path / name, None).format for name in ("nine", "eight", "pairs", "folders")}
    assert found == {"nine": "etl9g", "eight": "etl8g", "pairs": "kuzushiji", "folders": "images"}


def test_files_of_several_formats_are_refused_with_their_names(tmp_path):
    write_records(tmp_path / "ETL9G_01", CODES)
    write_kuzushiji(tmp_path)
    write_images(tmp_path, {"田": 1})
    with pytest.raises(UsageError) as refused:
        open_source(tmp_path, None)
    assert (
        "holds files of 3 formats: ETL9G files (1), npz pairs (k49), folders of images (1, like 田)"
        in refused.value.message
    )
    assert refused.value.remedy == "choose one: --format etl9g or kuzushiji or images"
    for format in ("etl9g", "kuzushiji", "images"):
        assert open_source(tmp_path, format).format == format


def test_a_requested_format_without_files_is_refused(tmp_path):
    write_records(tmp_path / "ETL9G_01", CODES)
    with pytest.raises(UsageError, match="no Kuzushiji files"):
        open_source(tmp_path, "kuzushiji")
    with pytest.raises(UsageError, match="no subfolder"):
        open_source(tmp_path, "images")
    with pytest.raises(UsageError, match="'mnist' is not known"):
        open_source(tmp_path, "mnist")


def test_an_empty_or_missing_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="it is empty"):
        open_source(tmp_path, None)
    for format in (None, "kuzushiji", "images"):
        with pytest.raises(UsageError, match="no directory"):
            open_source(tmp_path / "nowhere", format)


@pytest.mark.parametrize("folder", [".", "hon", "1"])
def test_images_outside_of_folders_named_by_characters_are_recognised(tmp_path, folder):
    """The remedy says how to name the folders; record files one folder down come first."""
    write_images(tmp_path / "in", {folder: 2})
    with pytest.raises(UsageError, match="nothing to prepare") as refused:
        open_source(tmp_path / "in", None)
    assert "name each folder by its character" in refused.value.remedy
    write_records(tmp_path / "in" / "records" / "ETL9G_01", CODES)
    with pytest.raises(UsageError) as refused:
        open_source(tmp_path / "in", None)
    assert "one folder down" in refused.value.remedy


@pytest.mark.parametrize("table", ["in/labels.csv", "in/truth.TSV", "labels.csv"])
@pytest.mark.parametrize("format", [None, "images"])
def test_a_table_of_labels_is_named_since_it_is_not_read(tmp_path, table, format):
    write_images(tmp_path / "in", {".": 2})
    (tmp_path / "budget.csv").touch()
    with pytest.raises(UsageError) as before:
        open_source(tmp_path / "in", format)
    assert ".csv" not in before.value.remedy
    (tmp_path / table).touch()
    with pytest.raises(UsageError) as refused:
        open_source(tmp_path / "in", format)
    assert f"{Path(table).name} is not read" in refused.value.remedy
    assert "put the images of each character into a folder of its own" in refused.value.remedy


def test_images_are_sorted_by_a_table_as_the_docs_say(tmp_path, monkeypatch):
    write_images(tmp_path / "scans", {".": 3})
    names = sorted(path.name for path in (tmp_path / "scans").iterdir())
    rows = [f'"scans/{name}",{label}' for name, label in zip(names, ("田", "U+3042", "田"), strict=True)]
    (tmp_path / "labels.csv").write_text("\ufefffile,label\r\n" + "\r\n".join(rows), encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "COMMANDS.md").read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert open_source(Path("sorted"), None).format == "images"
    assert [(item.character, item.samples) for item in list_inputs(Path("sorted")).items] == [("あ", 1), ("田", 2)]


@pytest.mark.parametrize("format", [None, "etl9g"])
def test_a_folder_in_which_something_is_being_made_is_never_offered(tmp_path, format):
    write_records(tmp_path / ".drawing" / "ETL9G_01", CODES)
    with pytest.raises(UsageError) as refused:
        open_source(tmp_path, format)
    assert ".drawing" not in f"{refused.value.message} {refused.value.remedy}"


def test_an_unreadable_subfolder_is_skipped(tmp_path, monkeypatch):
    (tmp_path / "lost+found").mkdir()
    write_records(tmp_path / "meant" / "ETL9G_01", CODES)
    listed = Path.iterdir

    def iterdir(path):
        if path.name == "lost+found":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)  # the tests may run as root, which may read everything
    with pytest.raises(UsageError, match=r"nothing to prepare in .*: it holds lost\+found, meant") as refused:
        open_source(tmp_path, None)
    assert refused.value.remedy.endswith(f"--etl-dir {tmp_path / 'meant'}")


def test_a_listing_counts_files_and_samples(tmp_path):
    write_records(tmp_path / "nine" / "ETL9G_01", CODES)
    write_kuzushiji(tmp_path / "pairs")
    write_images(tmp_path / "folders", {"田": 2, "あ": 1})
    (tmp_path / "nine" / "notes.txt").write_text("mine")
    nine, pairs, folders = (list_inputs(tmp_path / name) for name in ("nine", "pairs", "folders"))
    assert (nine.format, nine.summary, nine.bytes, nine.ignored) == (
        "etl9g",
        "1 file, 5 records",
        40_995,
        ("notes.txt",),
    )
    assert (pairs.format, pairs.summary, pairs.ignored) == ("kuzushiji", "2 npz pairs, 60 images", ())
    assert (folders.format, folders.summary) == ("images", "2 folders, 3 images")
    for listing in (nine, pairs, folders):
        assert not listing.problem


def test_a_listing_holds_the_problem_and_its_remedy(tmp_path):
    assert "no directory" in list_inputs(tmp_path / "nowhere").problem
    write_kuzushiji(tmp_path / "pairs")
    (tmp_path / "pairs" / "k49-train-imgs.npz").write_bytes(b"PK")
    assert "k49-train-imgs.npz cannot be read" in list_inputs(tmp_path / "pairs").problem
    upper = list_inputs(tmp_path)
    assert "nothing to prepare" in upper.problem
    assert upper.remedy.endswith(f"--etl-dir {tmp_path / 'pairs'}")


def test_classes_deeper_down_are_named_and_the_training_set_first(tmp_path):
    for part in ("test", "train"):
        write_images(tmp_path / "unpacked" / "写真 2024" / "data" / part, {"田": 1, "あ": 1})
    for folder, down in ((tmp_path, "4 folders"), (tmp_path / "unpacked" / "写真 2024" / "data", "one folder")):
        with pytest.raises(UsageError) as refused:
            open_source(folder, None)
        assert f"{down} down: --etl-dir {tmp_path}/unpacked/写真 2024/data/train" in refused.value.remedy
