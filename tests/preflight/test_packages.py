"""Comparing required packages with the installed ones."""

from importlib import metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanji_tui.preflight import packages as module
from kanji_tui.preflight.packages import Package, fits, packages, release, version, wanted_python


def test_the_packages_are_those_of_the_installed_metadata() -> None:
    found = {package.name: package for package in packages()}
    assert len(found) == len(metadata.requires("kanji-tui") or [])
    assert found["torch"].found == metadata.version("torch")
    assert found["torch"].wanted.startswith(">=")
    assert found["torch"].fits
    assert found["optuna"].extra == "search"
    assert wanted_python() == ">=3.11"


@pytest.mark.parametrize(
    ("found", "wanted", "verdict"),
    [
        ("2.13.0+cpu", ">=2.11", True),
        ("2.9.1", ">=2.11", False),
        ("2.11.0a0+git123", ">=2.11", True),
        ("8.2", ">=8.2.0", True),
        ("13.0.0", ">=11,<13", False),
        ("12.9", ">=11,<13", True),
        ("1.0.1", "!=1.0.1", False),
        ("1.0", "==1.0.0", True),
        ("3", ">3", False),
        ("2.4", "<=2.3.9", False),
        ("anything", "", True),
    ],
)
def test_a_version_is_compared_with_a_range(found: str, wanted: str, verdict: bool) -> None:
    assert fits(found, wanted) is verdict


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4), st.lists(st.integers(0, 99), min_size=1, max_size=4))
def test_a_version_is_either_below_or_at_least_a_bound(one: list[int], other: list[int]) -> None:
    found, bound = ".".join(map(str, one)), ".".join(map(str, other))
    assert fits(found, f">={bound}") is not fits(found, f"<{bound}")
    assert release(found + ".0") == release(found)


def test_a_missing_package_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["numpy>=2.0", "surely-not-there>=1; python_version > '3'", "nor-this>=2; extra == 'sample'"]
    monkeypatch.setattr(module.metadata, "requires", lambda name: needed)
    numpy, missing, extra = packages()
    assert numpy.fits
    assert missing == Package("surely-not-there", ">=1", "", "")
    assert not missing.fits
    assert extra.extra == "sample"
    assert version("surely-not-there") == ""


def test_without_installed_metadata_the_list_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DISTRIBUTION", "surely-not-there")
    assert packages() == ()
    assert wanted_python() == ""
