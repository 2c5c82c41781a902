"""The commands for runs: runs, describe, stop, attach, publish, delete."""

import time
from argparse import Namespace
from dataclasses import replace

from kanji_tui.cli.commands.training import add_about
from kanji_tui.cli.follow import follow
from kanji_tui.cli.options import AddCommand, Parser
from kanji_tui.cli.output import put
from kanji_tui.cli.render import print_document, show
from kanji_tui.cli.running import code_of
from kanji_tui.errors import UsageError
from kanji_tui.paths import MODELS_DIR
from kanji_tui.presentation.questions import PUBLISHED_STAYS
from kanji_tui.presentation.run_tables import field_table, run_csv
from kanji_tui.runs.about import about_from, read_about, write_about
from kanji_tui.runs.event_log import near_end
from kanji_tui.runs.publish import publish as publish_run
from kanji_tui.runs.publish import published, undo_publish
from kanji_tui.runs.run_directory import ACTIVE, find_run
from kanji_tui.runs.run_summary import Described, Runs, RunState, read_records
from kanji_tui.workspace.run_fields import fields_of_record
from kanji_tui.workspace.run_query import chosen, field_named, in_order, parse_query

STOP_WAIT_SECONDS = 20.0
RUN_HELP = "the run's name, the beginning of it, or 'latest'"


def add(command: AddCommand) -> None:
    """Add this file's commands."""
    add_runs(command("runs", runs, "list the runs, newest first"))
    add_describe(command("describe", describe, "give a run a name and a note"))
    for name, function, help in (
        ("stop", stop, "stop a run at its next batch, with a checkpoint"),
        ("attach", attach, "follow a run, wherever it was started"),
        ("delete", delete, "delete a run's directory"),
    ):
        command(name, function, help).add_argument("run", metavar="RUN", help=RUN_HELP)
    add_publish(command("publish", publish, "publish a run's model in models/ and pin it"))


def add_runs(parser: Parser) -> None:
    parser.signed = frozenset({"--sort"})
    parser.epilog = (
        "Words of a filter: 'lr>0.004' state:finished split:writer note:smoothing 'test>=97%%', or a pattern. "
        "Quote > and < for the shell. Fields are run, name, note, state, network, best (validation top-1), test, "
        "and every setting and metric."
    )
    parser.add_argument(
        "filter", nargs="*", metavar="WORD", help="list only the runs that fit all words: see below"
    )
    parser.add_argument("--sort", default="", metavar="FIELD", help="sort by a field; -FIELD: the largest first")
    parser.add_argument("--columns", default="", metavar="FIELD,...", help="the columns beside the run's name")
    parser.add_argument("--csv", action="store_true", help="print comma-separated values, all fields or --columns")


def add_describe(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    add_about(parser)


def add_publish(parser: Parser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("run", metavar="RUN", nargs="?", help=RUN_HELP)
    which.add_argument("--undo", action="store_true", help="publish the model again that was published before")


def runs(args: Namespace) -> int:
    """List the runs as a table, as CSV, or with --json each with all that is known."""
    if args.csv and args.json:
        raise UsageError("--csv and --json are two formats", "give one of them")
    query = parse_query(" ".join(args.filter))
    records = {record.summary.run: record for record in read_records()}
    fields = {name: fields_of_record(record) for name, record in records.items()}
    names = in_order(chosen(records, query, fields.__getitem__), args.sort, fields.__getitem__)
    columns = tuple(field_named(name) for name in args.columns.replace(",", " ").split())
    if args.csv:
        put(run_csv([fields[name] for name in names], columns).rstrip("\n"))
    elif query and records and not names and not args.json:
        put(f"none of {len(records)} runs fits these words")
    elif args.json or not columns:
        now = published(MODELS_DIR)
        summaries = (
            replace(records[name].summary, published=now is not None and now.run == name) for name in names
        )
        show(Runs(tuple(summaries)), args.json)
    else:
        print_document((field_table([fields[name] for name in names], columns),))
    return 0


def describe(args: Namespace) -> int:
    """Replace a run's name, its note or both; what is not given stays."""
    if args.name is None and args.note is None:
        raise UsageError("there is nothing to change", "give --name TEXT, --note TEXT or both")
    run = find_run(args.run)
    about = about_from(args.name, args.note, read_about(run.path))
    write_about(run.path, about)
    show(Described(run.name, about.name, about.note), args.json)
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
    now = published(run.path.parent.parent)
    run.delete()
    note = PUBLISHED_STAYS if now is not None and now.run == run.name else ""
    show(RunState(run.name, "deleted", note), args.json)
    return 0
