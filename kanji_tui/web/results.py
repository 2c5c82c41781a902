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


@dataclass(frozen=True)
class ExportedPage:
    """What `export web --json` prints. `bytes`: of the folder, with its compressed copies.

    `transferred_...`: the bytes that a browser loads from a host that sends the compressed copies.
    """

    path: str
    bytes: int
    model: str
    runtime: str
    files: tuple[str, ...]
    transferred_page: int
    transferred_model: int
    transferred_runtime: int
    index: str
