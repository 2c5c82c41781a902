"""What each command does: arguments to a job's spec, the job run or started, its result shown."""

import importlib
import os
import sys
import time
from argparse import Namespace
from dataclasses import replace
from typing import Any

from kanji_tui.cli import show
from kanji_tui.cli.console import ConsoleReport
from kanji_tui.cli.follow import follow, say_where
from kanji_tui.errors import UsageError
from kanji_tui.jobs.compare import Spec as CompareSpec
from kanji_tui.jobs.evaluate import Spec as EvaluateSpec
from kanji_tui.jobs.export_mapping import Spec as MappingSpec
from kanji_tui.jobs.export_onnx import Spec as OnnxSpec
from kanji_tui.jobs.export_safetensors import Spec as SafetensorsSpec
from kanji_tui.jobs.inspect import Spec as InspectSpec
from kanji_tui.jobs.networks import Spec as NetworksSpec
from kanji_tui.jobs.pooling import Spec as PoolingSpec
from kanji_tui.jobs.predict import Spec as PredictSpec
from kanji_tui.jobs.preflight import Spec as PreflightSpec
from kanji_tui.jobs.prepare import Spec as PrepareSpec
from kanji_tui.jobs.process import as_json, start
from kanji_tui.jobs.publish import publish as publish_run
from kanji_tui.jobs.run_directory import ACTIVE, find_run
from kanji_tui.jobs.runs import summarise_all
from kanji_tui.jobs.sample import Spec as SampleSpec
from kanji_tui.jobs.specs import from_plain, to_plain
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.jobs.verify import Spec as VerifySpec
from kanji_tui.training.config import TrainConfig, resolve

STOP_WAIT_SECONDS = 20.0


def workbench(args: Namespace) -> int:
    """Open the workbench; without a terminal say what to type instead."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "the workbench needs a terminal, and this is none",
            "kanji-tui demo walks the whole way without screens; kanji-tui --help lists the commands",
        )
    try:
        from kanji_tui.tui.app import run_workbench
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("kanji_tui"):
            raise
        raise UsageError(f"the workbench needs the package {error.name}", "pip install textual") from None
    run_workbench()
    return 0


def run_here(name: str, spec: Any) -> dict[str, Any]:
    """Run the job `name` in this process, with progress on stderr; returns its result as JSON."""
    from kanji_tui.system.threads import prepare_process

    prepare_process()
    job = importlib.import_module(f"kanji_tui.jobs.{name}")
    with ConsoleReport() as report:
        return as_json(job.run(spec, report))


def preflight(args: Namespace) -> int:
    result = run_here("preflight", PreflightSpec())
    show.result("preflight", result, args.json)
    return 1 if any(check["verdict"] == "failed" for check in result["checks"]) else 0


def sample(args: Namespace) -> int:
    spec = SampleSpec(args.output_dir, args.classes, args.sets, args.seed)
    show.result("sample", run_here("sample", spec), args.json)
    return 0


def prepare(args: Namespace) -> int:
    spec = PrepareSpec(args.etl_dir, args.output_dir, args.size, args.workers, args.format)
    show.result("prepare", run_here("prepare", spec), args.json)
    return 0


def verify(args: Namespace) -> int:
    spec = VerifySpec(args.data_dir, args.test_model, args.contact_sheet, args.unusual)
    result = run_here("verify", spec)
    show.result("verify", result, args.json)
    return 1 if any(check["verdict"] == "failed" for check in result["checks"]) else 0


def train(args: Namespace) -> int:
    """Start a training as a child of its own session, and follow it unless --detach."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            "training on several processes is not there yet", "start it without torchrun, on one device"
        )
    spec = train_spec(args)
    return train_and_follow(spec, args.detach, args.json)


def train_and_follow(spec: TrainSpec, detach: bool, json: bool) -> int:
    run = start("train", spec)
    if detach:
        show.result("started", {"run": run.name, "state": run.state()}, json)
        return 0
    say_where(run)
    show.result("train", follow(run, stop_on_interrupt=True), json)
    return 0


def train_spec(args: Namespace) -> TrainSpec:
    """The spec the arguments describe: --config first, single arguments over it; checked before a child starts."""
    if args.resume:
        run = find_run(args.resume)
        if run.state() in ACTIVE:
            raise UsageError(f"run {run.name} is still running", f"follow it: kanji-tui attach {run.name}")
        old = from_plain(TrainSpec, run.config()["spec"], f"{run.name}/config.yaml")
        return replace(old, resume=run.path)
    config = TrainConfig()
    if args.config:
        config = from_plain(TrainConfig, read_yaml(args.config), str(args.config))
    given = {
        "network": args.network,
        "recipe": args.recipe,
        "epochs": args.epochs,
        "batch_size": args.batch_size,
        "learning_rate": args.learning_rate,
        "sample_limit": args.sample_limit,
        "split": args.split,
        "split_shares": args.split_shares,
        "fold": args.fold,
        "seed": args.seed,
    }
    if args.split == "writer":  # asked for in so many words; as a default it gives way, and says so
        from kanji_tui.data.dataset import open_dataset
        from kanji_tui.data.splits import require_writers

        require_writers(open_dataset(args.data_dir))
    config = replace(config, **{name: value for name, value in given.items() if value is not None})
    return TrainSpec(data_dir=args.data_dir, config=resolve(config))


def read_yaml(path: Any) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read as YAML: {error}") from None


def runs(args: Namespace) -> int:
    show.result("runs", to_plain(summarise_all()), args.json)
    return 0


def stop(args: Namespace) -> int:
    """Ask a run to stop and wait a little for it; stopping twice, or an ended run, is no error."""
    run = find_run(args.run)
    state = run.request_stop()
    deadline = time.monotonic() + STOP_WAIT_SECONDS
    while state in ACTIVE and time.monotonic() < deadline:
        time.sleep(0.1)
        state = run.state()
    show.result("stop", {"run": run.name, "state": state}, args.json)
    return 0


def attach(args: Namespace) -> int:
    run = find_run(args.run)
    result = follow(run, stop_on_interrupt=False)
    show.result(run.config()["job"], result, args.json)
    return 0


def publish(args: Namespace) -> int:
    run = find_run(args.run)
    models_dir = run.path.parent.parent
    show.result("publish", to_plain(publish_run(run.path, models_dir)), args.json)
    return 0


def delete(args: Namespace) -> int:
    run = find_run(args.run)
    run.delete()
    show.result("delete", {"run": run.name, "state": "deleted"}, args.json)
    return 0


def networks(args: Namespace) -> int:
    show.result("networks", run_here("networks", NetworksSpec(args.size, args.classes)), args.json)
    return 0


def evaluate(args: Namespace) -> int:
    spec = EvaluateSpec(args.model_path, args.data_dir, args.split)
    show.result("evaluate", run_here("evaluate", spec), args.json)
    return 0


def predict(args: Namespace) -> int:
    spec = PredictSpec(tuple(args.images), args.model_path, args.invert)
    show.result("predict", run_here("predict", spec), args.json)
    return 0


def export_onnx(args: Namespace) -> int:
    spec = OnnxSpec(
        args.model_path,
        args.data_dir,
        args.target_backend,
        args.output_path,
        args.full_parity,
        args.pooling_type,
        args.quantize,
        args.image_size,
    )
    show.result("export_onnx", run_here("export_onnx", spec), args.json)
    return 0


def export_safetensors(args: Namespace) -> int:
    spec = SafetensorsSpec(args.model_path, args.output_path, args.verify, not args.no_metadata)
    show.result("export_safetensors", run_here("export_safetensors", spec), args.json)
    return 0


def export_mapping(args: Namespace) -> int:
    spec = MappingSpec(args.model_path, args.output_path)
    show.result("export_mapping", run_here("export_mapping", spec), args.json)
    return 0


def inspect(args: Namespace) -> int:
    show.result("inspect", run_here("inspect", InspectSpec(tuple(args.models))), args.json)
    return 0


def compare(args: Namespace) -> int:
    show.result("compare", run_here("compare", CompareSpec(tuple(args.models), args.data_dir)), args.json)
    return 0


def pooling(args: Namespace) -> int:
    show.result("pooling", run_here("pooling", PoolingSpec(args.model_path, args.data_dir)), args.json)
    return 0
