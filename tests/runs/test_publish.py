"""Publishing: the newest finished run unless one is pinned; models of the user are never overwritten."""

import json
import shutil
from dataclasses import replace

import pytest

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Notice
from kanji_tui.presentation.document import text_of
from kanji_tui.presentation.present import present
from kanji_tui.runs.publish import Published, RunModel, publish, publish_finished, published, undo_publish


def make_run(models, name, weights):
    run = models / "runs" / name
    run.mkdir(parents=True)
    (run / "best_kanji_model.pth").write_bytes(weights)
    (run / "best_model_info.json").write_text(json.dumps({"run": name}))
    return run


def test_a_finished_run_replaces_the_one_before(tmp_path, report):
    for name in ("one", "two"):
        publish_finished(make_run(tmp_path, name, name.encode()), tmp_path, report)
        assert (tmp_path / "best_kanji_model.pth").read_bytes() == name.encode()
    assert published(tmp_path).run == "two"
    assert not list(tmp_path.glob("*_before_*"))


def test_a_pinned_run_is_not_replaced(tmp_path, report):
    publish(make_run(tmp_path, "mine", b"mine"), tmp_path)
    publish_finished(make_run(tmp_path, "later", b"later"), tmp_path, report)
    assert (tmp_path / "best_kanji_model.pth").read_bytes() == b"mine"
    assert "mine is pinned" in report.of(Notice)[0].message


def test_a_model_that_no_run_made_is_set_aside(tmp_path, report):
    (tmp_path / "best_kanji_model.pth").write_bytes(b"years of work")
    (tmp_path / "best_model_info.json").write_text("{}")
    publish_finished(make_run(tmp_path, "new", b"new"), tmp_path, report)
    (kept,) = tmp_path.glob("best_kanji_model_before_*.pth")
    assert kept.read_bytes() == b"years of work"
    assert len(list(tmp_path.glob("best_model_info_before_*.json"))) == 1


def test_a_published_model_that_the_user_changed_is_set_aside(tmp_path, report):
    publish_finished(make_run(tmp_path, "one", b"one"), tmp_path, report)
    (tmp_path / "best_kanji_model.pth").write_bytes(b"tuned by hand")
    publish_finished(make_run(tmp_path, "two", b"two"), tmp_path, report)
    assert next(tmp_path.glob("*_before_*.pth")).read_bytes() == b"tuned by hand"


def test_a_run_without_a_model_is_refused(tmp_path):
    (tmp_path / "runs" / "empty").mkdir(parents=True)
    with pytest.raises(KanjiError, match="no model yet"):
        publish(tmp_path / "runs" / "empty", tmp_path)


def accurate(run, percent):
    (run / "best_model_info.json").write_text(json.dumps({"val_accuracy": percent}))
    return run


def test_publishing_says_what_changes_and_is_undone(tmp_path):
    good = accurate(make_run(tmp_path, "good", b"good"), 100.0)
    (good / "training_progress.json").write_text("{}")
    bad = accurate(make_run(tmp_path, "bad", b"bad"), 5.02)
    publish(good, tmp_path, pinned=False)
    result = publish(bad, tmp_path)
    assert result.before == RunModel("good", 1.0, "lost")
    assert text_of(present(result)[0]) == "bad: published, validation top-1 100.00 % → 5.02 %, stopped early"
    assert not (tmp_path / "training_progress.json").exists()  # the history of another model
    publish(bad, tmp_path)  # once more: the model before is still the other one
    undone = undo_publish(tmp_path)
    assert (undone.run, undone.pinned, undone.before.run) == ("good", False, "bad")
    assert replace(published(tmp_path), digest="") == Published("good", False)
    assert (tmp_path / "best_kanji_model.pth").read_bytes() == b"good"
    assert (tmp_path / "training_progress.json").exists()
    assert undo_publish(tmp_path).run == "bad"  # what was undone is the model before
    assert sorted(path.name for path in tmp_path.glob(".previous*")) == [".previous"]


def test_the_model_of_a_deleted_run_is_published_again_by_undo(tmp_path):
    good = accurate(make_run(tmp_path, "good", b"good"), 100.0)
    publish(good, tmp_path)
    shutil.rmtree(good)
    publish(accurate(make_run(tmp_path, "bad", b"bad"), 5.02), tmp_path)
    assert undo_publish(tmp_path).run == "good"
    assert (tmp_path / "best_kanji_model.pth").read_bytes() == b"good"


def test_nothing_is_undone_where_no_run_was_replaced(tmp_path):
    (tmp_path / "best_kanji_model.pth").write_bytes(b"years of work")
    publish(make_run(tmp_path, "one", b"one"), tmp_path)
    with pytest.raises(UsageError, match="no earlier published model"):
        undo_publish(tmp_path)
