"""The commands for runs: runs, stop, attach, publish, delete."""

import time
from argparse import Namespace

from kanji_tui.cli.follow import follow
from kanji_tui.cli.options import AddCommand, Parser
from kanji_tui.cli.render import show
from kanji_tui.cli.running import code_of
from kanji_tui.paths import MODELS_DIR
from kanji_tui.runs.event_log import near_end
from kanji_tui.runs.publish import publish as publish_run
from kanji_tui.runs.publish import undo_publish
from kanji_tui.runs.run_directory import ACTIVE, find_run
from kanji_tui.runs.run_summary import RunState, summarise_all

STOP_WAIT_SECONDS = 20.0
RUN_HELP = "the run's name, the beginning of it, or 'latest'"


def add(command: AddCommand) -> None:
    """Add this file's commands."""
    command("runs", runs, "list all runs, newest first")
    for name, function, help in (
        ("stop", stop, "stop a run at its next batch, with a checkpoint"),
        ("attach", attach, "follow a run, wherever it was started"),
        ("delete", delete, "delete a run's directory"),
    ):
        command(name, function, help).add_argument("run", metavar="RUN", help=RUN_HELP)
    add_publish(command("publish", publish, "publish a run's model in models/ and pin it"))


def add_publish(parser: Parser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("run", metavar="RUN", nargs="?", help=RUN_HELP)
    which.add_argument("--undo", action="store_true", help="publish the model again that was published before")


def runs(args: Namespace) -> int:
    show(summarise_all(), args.json)
    return 0


def stop(args: Namespace) -> int:
    """Ask a run to stop and wait up to 20 s for it; a run that is stopping or has ended is no error."""
    run = find_run(args.run)
    state = run.request_stop()
    deadline = time.monotonic() + STOP_WAIT_SECONDS
    while state in ACTIVE and time.monotonic() < deadline:
        time.sleep(0.1)
        state = run.state()
    show(RunState(run.name, state), args.json)
    return 0


def attach(args: Namespace) -> int:
    run = find_run(args.run)
    result = follow(run, stop_on_interrupt=False, offset=near_end(run.events))
    show(result, args.json)
    return code_of(result)


def publish(args: Namespace) -> int:
    if args.undo:
        show(undo_publish(MODELS_DIR), args.json)
        return 0
    run = find_run(args.run)
    models_dir = run.path.parent.parent
    show(publish_run(run.path, models_dir), args.json)
    return 0


def delete(args: Namespace) -> int:
    run = find_run(args.run)
    run.delete()
    show(RunState(run.name, "deleted"), args.json)
    return 0
