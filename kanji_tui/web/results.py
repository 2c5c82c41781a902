"""The results of the jobs of the page and the service; imports nothing heavy."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Served:
    """What `serve --json` prints when it ends: how many requests for recognition it answered and refused."""

    address: str
    model: str
    page: bool
    answered: int
    refused: int
    seconds: float
