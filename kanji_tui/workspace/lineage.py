"""Where a model comes from and what came of it: records, dataset, run, model, export, each with its digest."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from kanji_tui.networks.card import Lineage
from kanji_tui.recognition.drawing.results import ReadyModel
from kanji_tui.workspace.snapshot import WorkspaceSnapshot


@dataclass(frozen=True)
class Link:
    """`kind`: records, dataset, synthetic writers, run, model or export.

    `digest`: SHA-256 in hex, or empty where it is not known. `broken`: why what is here now is not what the next
    link was made from; else empty.
    """

    kind: str
    name: str = ""
    digest: str = ""
    broken: str = ""


def lineage_of(
    workspace: WorkspaceSnapshot,
    origin: Lineage | None = None,
    runs: Collection[str] = (),
    export: tuple[Path, str] | None = None,
) -> tuple[Link, ...]:
    """The links of the dataset here; with `origin`, which a model's card has, those of that model.

    `runs`: the names of the runs there are; `export`: path and digest of a file that was made from the model.
    """
    links = [_records(workspace, origin), _dataset(workspace, origin)]
    if origin is not None and origin.writers:
        links = [Link("synthetic writers", digest=origin.writers)]
    if origin is not None:
        links += [_run(origin, runs), _model(workspace, origin)]
    if export is not None:
        links.append(Link("export", export[0].name, export[1]))
    return tuple(link for link in links if link.name or link.digest)


def published_lineage(workspace: WorkspaceSnapshot, runs: Collection[str]) -> tuple[Link, ...]:
    """The links up to the published model; up to the dataset where there is none or nobody knows of what it is."""
    model = workspace.model
    return lineage_of(workspace, model.lineage if model and model.lineage.weights else None, runs)


def drawing_lineage(
    workspace: WorkspaceSnapshot, model: ReadyModel | None, runs: Collection[str]
) -> tuple[Link, ...]:
    """The links up to the model that recognises drawings, and to its export where it was opened from one."""
    if model is None or not model.name:
        return lineage_of(workspace)
    if not model.lineage.weights:
        return (Link("model", model.name),)
    export = (Path(model.name), model.digest) if model.digest else None
    return lineage_of(workspace, model.lineage, runs, export)


def _records(workspace: WorkspaceSnapshot, origin: Lineage | None) -> Link:
    dataset = workspace.dataset
    here = dataset.records_digest if dataset else ""
    digest = origin.records if origin else here
    if digest == here and workspace.changed:
        more = f" and {len(workspace.changed) - 1} more" if workspace.changed[1:] else ""
        return Link("records", digest=digest, broken=f"{workspace.changed[0]}{more} changed since")
    return Link("records", digest=digest)


def _dataset(workspace: WorkspaceSnapshot, origin: Lineage | None) -> Link:
    here = workspace.dataset.digest if workspace.dataset else ""
    if origin is None or origin.dataset == here:
        return Link("dataset", digest=here)
    broken = "another dataset is here now" if here else "there is no dataset here"
    return Link("dataset", digest=origin.dataset, broken=broken if origin.dataset else "")


def _run(origin: Lineage, runs: Collection[str]) -> Link:
    return Link("run", origin.run, broken="" if origin.run in runs or not origin.run else "deleted")


def _model(workspace: WorkspaceSnapshot, origin: Lineage) -> Link:
    published = workspace.model
    if published is None or not published.digest:
        return Link("model", digest=origin.weights)
    same = published.digest == origin.weights or not origin.weights
    return Link("model", digest=origin.weights, broken="" if same else "not the published model")
