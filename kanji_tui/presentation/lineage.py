"""The lineage of a model as one line, the same on every screen and in every command."""

from collections.abc import Collection, Sequence
from pathlib import Path

from kanji_tui.errors import KanjiError
from kanji_tui.inspection.results import InspectedModel
from kanji_tui.networks.card import ModelCard
from kanji_tui.paths import BUILT_IN
from kanji_tui.presentation import marks
from kanji_tui.presentation.document import Line, Styled, join, quiet, text_of
from kanji_tui.system import numbers
from kanji_tui.workspace.lineage import Link, lineage_of
from kanji_tui.workspace.snapshot import WorkspaceSnapshot

SHORT, SHORTEST = 8, 4  # hexadecimal digits of a digest
NO_WORKSPACE = WorkspaceSnapshot()


def lineage_line(links: Sequence[Link]) -> Line:
    """`records 1a2b3c4d → dataset 5e6f7a8b → run NAME → model 9c0d1e2f`; a broken link with the reason."""
    return join(" → ", [_link(link) for link in links])


def _link(link: Link) -> Line:
    text = " ".join(part for part in (link.kind, link.name, link.digest[:SHORT]) if part)
    return Styled(f"{text} ({link.broken})", "bad") if link.broken else quiet(text)


def fitted_line(links: Sequence[Link], width: int) -> Line:
    """The lineage in at most `width` cells: without names of runs, then with shorter digests, then without reasons.

    A broken link keeps its colour, and `!` where there are no colours; what does not fit then is cut by the widget.
    """
    forms = (
        lineage_line(links),
        join(" → ", [_short_link(link, SHORT, True) for link in links]),
        join(" → ", [_short_link(link, SHORTEST, True) for link in links]),
        join(" → ", [_short_link(link, SHORTEST, False) for link in links]),
    )
    return next((form for form in forms if len(text_of(form)) <= width), forms[-1])


def _short_link(link: Link, digits: int, reason: bool) -> Line:
    """`run 20260102T030405`: of a run's name the time of its start."""
    name = link.name.partition("-")[0] if link.kind == "run" else "" if link.digest else link.name
    text = " ".join(part for part in (link.kind, name, link.digest[:digits]) if part)
    if not link.broken:
        return quiet(text)
    return Styled(f"{text} ({link.broken})" if reason else f"{text}!", "bad")


def file_origin(
    model: InspectedModel, workspace: WorkspaceSnapshot | None = None, runs: Collection[str] = ()
) -> tuple[tuple[str, Line], ...]:
    """The date and digest of an ONNX file, and what its card says it was made from.

    With a `workspace` the links are compared with what is there; `runs`: the names of the runs there are.
    """
    path = Path(model.path)
    written = numbers.moment(path.stat().st_mtime) if path.is_file() else ""
    file = ("file", " ".join(part for part in (f"written {written}" * bool(written), model.digest[:SHORT]) if part))
    try:
        card = ModelCard.from_metadata(model.metadata, model.path)
    except KanjiError as error:
        return file, ("made from", Styled(error.message, "bad"))
    if card is not None and card.dataset == BUILT_IN.name:
        learned_from = marks.source(card.source, short=False)
        return file, ("made from", join(" ", ["the built-in model, which learned from", learned_from]))
    if card is None or not card.lineage.weights:
        return file, ("made from", quiet("its metadata name no run"))
    known = runs if workspace else (card.lineage.run,)
    links = lineage_of(workspace or NO_WORKSPACE, card.lineage, known, (Path(), model.digest))
    line = lineage_line(links if workspace else [Link(link.kind, link.name, link.digest) for link in links])
    published = workspace.model if workspace else None
    if published and published.digest and published.digest != card.lineage.weights:
        line = join("  ", [Styled("from another model than the published one", "warning"), line])
    return file, ("made from", line)
