"""Engines run in forks here, for they start twice in each test; in tests/engines they are interpreters."""

import pytest


@pytest.fixture(autouse=True)
def forked_engines(forked_children: None) -> None:
    """A crash or a limit ends a fork as it does any process."""
