"""`kanji-tui --once`: what the screens show, printed once in sentences and plain tables, as screen readers like it.

It reads what the screens read and runs the jobs they run; neither a terminal nor textual is needed.
"""

from argparse import Namespace
from collections.abc import Callable

from kanji_tui.characters.jis import name_jis
from kanji_tui.cli.show.plain import Lines, bytes_or_dash, check_lines, count_or_dash, gpu_lines, sentence, table
from kanji_tui.cli.show.words import percent
from kanji_tui.epoch_metrics import METRICS
from kanji_tui.errors import KanjiError
from kanji_tui.events import Unheard
from kanji_tui.jobs import inspect
from kanji_tui.paths import DEFAULT_MODEL, SAMPLES_DIR
from kanji_tui.preflight.all_checks import Folders, run_checks
from kanji_tui.recognition.drawing.server import published_card
from kanji_tui.runs.process import as_json
from kanji_tui.system.files import strict_json
from kanji_tui.system.gpu import read_gpus
from kanji_tui.training.results import Trained
from kanji_tui.workspace.opened_dataset import OpenedDataset
from kanji_tui.workspace.run_log import read_log
from kanji_tui.workspace.run_views import RunView, Watch
from kanji_tui.workspace.sample_browser import Catalogue, SampleBrowser
from kanji_tui.workspace.snapshot import WorkspaceSnapshot, next_step, read_workspace
from kanji_tui.workspace.state import State

EPOCHS, LOG_LINES, CLASSES, PAIRS = 10, 5, 20, 20
READING_SECONDS = 60.0


def once(args: Namespace) -> int:
    """Print the screen asked for, or all of them."""
    state = read_state()
    names = list(SCREENS) if args.once == "all" else [args.once]
    shown = []
    for name in names:
        digit = list(SCREENS).index(name) + 1
        lines = [f"Screen {digit}, {name.title()}", "", *SCREENS[name](state)]
        shown.append({"screen": name, "lines": lines})
        if not args.json:
            print("\n".join(lines), end="\n\n" if name != names[-1] else "\n", flush=True)
    if args.json:
        print(strict_json({"screens": shown}))
    return 0


def read_state() -> State:
    """The work folder, all runs and the GPUs at this moment."""
    watch = Watch()
    watch.list()
    views = watch.look(READING_SECONDS)
    return State({view.name: view for view in views}, read_workspace(), tuple(read_gpus()))


# the screens


def preflight_lines(state: State) -> Lines:
    checks = run_checks(Folders(), Unheard()).checks
    yield from check_lines(checks)
    yield ""
    yield from sentence(f"Next: {next_step(_place(state))}.")


def dataset_lines(state: State) -> Lines:
    place = _place(state)
    yield from _running(state, "sample", "prepare", "verify")
    if place.files.problem:
        yield from sentence(f"Nothing to prepare: {place.files.problem}; {place.files.advice}")
    else:
        yield f"Files to prepare: {place.files.words}{', drawn, not handwriting' if place.files.drawn else ''}."
        rows = [(item.name, bytes_or_dash(item.bytes), count_or_dash(item.samples)) for item in place.files.items]
        yield from table(("file", ">size", ">samples"), rows)
    yield ""
    if place.dataset is None:
        yield "There is no dataset yet. To do: kanji-tui prepare"
        return
    try:
        overview = OpenedDataset().overview()
    except KanjiError as error:
        yield from sentence(f"The dataset cannot be used: {error.message}. To do: {error.remedy}")
        return
    source = "a drawn sample, not handwriting" if overview.drawn else overview.source
    counts = [count for _, count in overview.counts]
    each = f"{min(counts):,} to {max(counts):,}" if min(counts) < max(counts) else f"{min(counts):,}"
    hands = f"{overview.sets} data sets" if overview.sets else "written by nobody knows whom"
    parts = ", ".join(f"{name} {count:,}" for name, count in overview.parts)
    yield from sentence(
        f"The dataset is {source}: {overview.samples:,} samples of {overview.classes:,} classes, {each} each, "
        f"pictures of {overview.size} by {overview.size}, "
        f"{hands}, {overview.quarantined:,} records left out."
    )
    yield from sentence(f"Its split by {overview.split}: {parts}. {overview.note}")
    verified = next((view for view in state.of("verify") if view.state == "finished" and view.result), None)
    if verified is not None and verified.result is not None:
        yield f"The newest verification, {verified.name}:"
        yield from check_lines(verified.result.checks)
    else:
        yield "Nothing has verified it yet. To do: kanji-tui verify"


def training_lines(state: State) -> Lines:
    views = state.of("train")
    yield from gpu_lines(state.gpus)
    if not views:
        yield "There is no training yet. To do: kanji-tui train"
        return
    yield f"{len(views)} trainings, newest first:"
    rows = [
        (view.name, view.network, _state(view), _epoch(view), percent(view.best.val_top1 if view.best else None))
        for view in views
    ]
    yield from table(("run", "network", "state", ">epoch", ">best validation top-1"), rows)
    newest = next(iter(state.active("train")), views[0])
    yield ""
    which = "The one at work" if newest.active else "The newest"
    yield from sentence(f"{which}, {newest.name}, is {_state(newest)}. {_how_far(newest)}")
    if newest.failure:
        yield from sentence(f"It failed: {newest.failure.message}. To do: {newest.failure.remedy}")
    trained = newest.result
    if isinstance(trained, Trained) and trained.test is not None:
        yield f"Test top-1 {percent(trained.test.top1)}, top-5 {percent(trained.test.top5)}."
    if newest.epochs:
        yield f"Its last epochs of {len(newest.epochs)}; the best is number {newest.best and newest.best.epoch}:"
        brief = [metric for metric in METRICS if metric.brief]
        columns = (">epoch", *(f">{metric.name}{' %' if metric.percent else ''}" for metric in brief))
        epochs = [
            (str(epoch.epoch), *(metric.text(epoch) for metric in brief)) for epoch in newest.epochs[-EPOCHS:]
        ]
        yield from table(columns, epochs)
    log = read_log(newest)[-LOG_LINES:]
    if log:
        yield "The last lines of its log:"
        yield from (f"  {line.rstrip()}" for line in log)


def inspector_lines(state: State) -> Lines:
    paths = _place(state).onnx
    yield from _running(state, "compare", "pooling", "export_onnx")
    if not paths:
        yield "There is no ONNX file yet. To do: kanji-tui export onnx"
        return
    yield f"{len(paths)} ONNX files, newest first:"
    yield from table(("file", ">size"), [(str(path), bytes_or_dash(path.stat().st_size)) for path in paths])
    yield ""
    try:
        model = as_json(inspect.run(inspect.Spec(paths[:1]), Unheard()))["models"][0]
    except KanjiError as error:
        yield from sentence(f"{paths[0]} cannot be inspected: {error.message}. To do: {error.remedy}")
        return
    operators = ", ".join(f"{count} {name}" for name, count in model["operators"].items())
    yield from sentence(
        f"The newest has opset {model['opset']}, {model['parameters']:,} parameters and {model['macs']:,} "
        f"multiplications with addition a picture. Its {len(model['nodes'])} nodes are {operators}."
    )
    for engine, support in model["backends"].items():
        runs = {True: "runs it", False: "does not run it", None: "was not run"}[support["runs"]]
        refused = [f"{one['operator']} {one['node']}: {one['reason']}" for one in support["refused"]]
        said = f"; refuses {len(refused)} nodes, first {refused[0]}" if refused else ""
        reason = f" ({support['reason']})" if support["reason"] and not refused else ""
        yield from sentence(f"{engine} {support['version']}".strip() + f" {runs}{reason}{said}.")


def browser_lines(state: State) -> Lines:
    place = _place(state)
    yield from _running(state, "evaluate")
    if place.dataset is None:
        yield "There is no dataset to browse. To do: kanji-tui prepare"
        return
    try:
        catalogue = SampleBrowser(OpenedDataset()).catalogue()
    except KanjiError as error:
        yield from sentence(f"The dataset cannot be browsed: {error.message}. To do: {error.remedy}")
        return
    if not catalogue.read:
        yield f"The dataset has {len(catalogue.classes):,} classes; no model has read it yet."
        yield f"To do: kanji-tui {'evaluate --split all' if place.model else 'train'}"
    else:
        yield from sentence(
            f"The published model has read the split {catalogue.read}: top-1 {percent(catalogue.accuracy)} "
            f"over {len(catalogue.classes):,} classes."
        )
    yield from class_lines(catalogue)
    if catalogue.confusions:
        yield f"The pairs it confuses most, {min(PAIRS, len(catalogue.confusions))} of {len(catalogue.confusions)}:"
        rows = [
            (f"{truth.character} {name_jis(truth.jis)}", f"{read} {name_jis(code)}", str(times))
            for truth, read, code, times in catalogue.confusions[:PAIRS]
        ]
        yield from table(("is", "read as", ">times"), rows)


def class_lines(catalogue: Catalogue) -> Lines:
    """The classes read worst, or the first where none was read."""
    worst = sorted(catalogue.classes, key=lambda known: 2.0 if known.accuracy is None else known.accuracy)
    order = "worst read first" if catalogue.read else "in the order of their codes"
    shown = worst[:CLASSES]
    yield f"{len(shown)} of the {len(worst):,} classes, {order}:"
    rows = [
        (
            known.character,
            name_jis(known.jis),
            f"U+{ord(known.character):04X}",
            known.reading,
            str(known.strokes or "-"),
            f"{known.count:,}",
            percent(known.accuracy),
        )
        for known in shown
    ]
    yield from table(("character", "JIS", "code point", "reading", ">strokes", ">samples", ">top-1"), rows)


def draw_lines(state: State) -> Lines:
    yield from sentence("Drawing needs the workbench in a terminal, with a mouse or by keys: kanji-tui, then 6.")
    yield from sentence(asked_model(_place(state)))
    counts = {folder.name: len(list(folder.glob("*.png"))) for folder in sorted(SAMPLES_DIR.glob("*/"))}
    if counts:
        yield f"Drawings kept in {SAMPLES_DIR}/, {sum(counts.values())} of {len(counts)} characters:"
        yield from table(("character", ">drawings"), [(name, str(count)) for name, count in counts.items()])
        yield f"To do: kanji-tui prepare --etl-dir {SAMPLES_DIR} --format images"
    else:
        yield f"No drawing was kept in {SAMPLES_DIR}/ yet."


def asked_model(place: WorkspaceSnapshot) -> str:
    """The model that a drawing would be shown to."""
    if place.model is not None:
        card = published_card(DEFAULT_MODEL)
        export = DEFAULT_MODEL.with_name(f"{card.export_name('tract')}.onnx") if card else None
        if export is not None and export.is_file():
            return f"It would ask the published model, by its export {export} where that was made from it."
        return (
            f"It would ask the published model {DEFAULT_MODEL}, made ready for it each time; an export saves that: "
            "kanji-tui export onnx"
        )
    exports = [path for path in place.onnx if path.parent == DEFAULT_MODEL.parent and path.stem.endswith("_tract")]
    if exports:
        return f"It would ask {exports[0]}, the newest export."
    return "There is no model it could ask yet; drawings can be kept without. To do: kanji-tui train"


SCREENS: dict[str, Callable[[State], Lines]] = {
    "preflight": preflight_lines,
    "dataset": dataset_lines,
    "training": training_lines,
    "inspector": inspector_lines,
    "browser": browser_lines,
    "draw": draw_lines,
}


def _running(state: State, *jobs: str) -> Lines:
    for view in state.active(*jobs):
        yield from sentence(f"{view.title} is {_state(view)}. {_how_far(view)}")


def _how_far(view: RunView) -> str:
    progress = view.progress
    if not view.active or progress is None:
        return ""
    share = f", {progress.done:,} of {progress.total:,} {progress.unit}" if progress.total else ""
    left = f", {progress.remaining:.0f} seconds left" if progress.remaining is not None else ""
    return f"It is at {progress.item or progress.phase}{share}{left}."


def _state(view: RunView) -> str:
    return "stopping" if view.stopping else view.state


def _epoch(view: RunView) -> str:
    return f"{view.epochs[-1].epoch} of {view.epochs[-1].epochs}" if view.epochs else "-"


def _place(state: State) -> WorkspaceSnapshot:
    return state.place or WorkspaceSnapshot()
