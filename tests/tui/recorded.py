"""A workspace that is always the same, made for the snapshots."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from kanji_tui.data.etl import ETL9G
from kanji_tui.data.preparation import prepare
from kanji_tui.engines.results import Node, Pooling, Tensor
from kanji_tui.events import Epoch, Event, Failure, Gpu, Notice, Outcome, Progress, SilentReport, State, to_json
from kanji_tui.inspection.results import Inspected, InspectedModel, Layer, Support, UnsupportedNode
from kanji_tui.recognition.predictions import Predictions, predictions_file, save_predictions
from kanji_tui.recognition.results import Evaluation
from kanji_tui.runs.process import as_json
from kanji_tui.runs.run_directory import RunDirectory, status_of_this_process
from kanji_tui.system.check import Check
from kanji_tui.system.files import sha256
from kanji_tui.system.plain_data import to_plain
from kanji_tui.training.config import configure
from kanji_tui.training.results import Metrics, Trained

CODES = (0x2422, 0x3021, 0x3026, 0x3441, 0x4544, 0x467C)  # あ 亜 愛 漢 田 日
READINGS = (b"A", b"A.TSUGU ", b"AI", b"KAN", b"DEN", b"NICHI")
SETS = 8
RUN, LIVE, READ = "20260102T030405-train-1", "20260102T040506-train-1", "20260102T031500-evaluate-1"
MOMENT = 1767323045.0


def write_records(folder: Path) -> None:
    """Two record files of four writers each; the strokes follow a formula of class and writer."""
    folder.mkdir(parents=True, exist_ok=True)
    across, down = np.meshgrid(np.arange(128), np.arange(127))
    for file in range(SETS // 4):
        records = np.zeros(4 * len(CODES), ETL9G)
        for writer in range(4):
            for number, (jis, reading) in enumerate(zip(CODES, READINGS, strict=True)):
                record = records[writer * len(CODES) + number]
                record["jis"], record["reading"], record["serial"] = jis, reading, writer * len(CODES) + number + 1
                lean = (file * 4 + writer - 3) * 2
                ink = np.zeros((127, 128), np.uint8)
                for stroke in range(number + 1):
                    place = 24 + stroke * 80 // (number + 1)
                    away = down - place - lean if stroke % 2 else across - place + lean * down // 127
                    ink[(abs(away) < 4) & (across > 20) & (across < 108) & (down > 18) & (down < 110)] = 13
                record["image"] = ink[:, 0::2] << 4 | ink[:, 1::2]
        (folder / f"ETL9G_0{file + 1}").write_bytes(records.tobytes())


def make_home(home: Path, published: bool = True) -> Path:
    """Record files, their dataset, a finished training that is published, and its predictions."""
    write_records(home / "ETL9G")
    prepare(home / "ETL9G", home / "dataset", 32, 1, None, SilentReport())
    if published:
        write_training(home)
        write_model(home)
        write_predictions(home)
    return home


def write_run(home: Path, name: str, spec: dict, state: str, events: list[Event], log: str = "") -> RunDirectory:
    """A run directory with these events, whose config comes last; an active one is this process's."""
    run = RunDirectory(home / "models" / "runs" / name)
    run.path.mkdir(parents=True)
    job = name.split("-")[1]
    lines = [json.dumps(to_json(event, MOMENT + number)) + "\n" for number, event in enumerate(events)]
    run.events.write_text("".join(lines), encoding="utf-8")
    run.log.write_text(log, encoding="utf-8")
    run.write_status(status_of_this_process(job, state))
    (run.path / "config.yaml").write_text(
        json.dumps({"job": job, "entry": f"kanji_tui.jobs.{job}:run", "spec": spec}), encoding="utf-8"
    )
    return run


def epochs(done: int, total: int = 12) -> list[Epoch]:
    """A training that goes well, the best epoch the last but one of twelve."""
    return [
        Epoch(
            epoch=number,
            epochs=total,
            train_loss=round(4 * 0.7**number + 0.05, 4),
            train_top1=round(1 - 0.72**number, 4),
            val_loss=round(4.2 * 0.66**number + (0.12 if number == 12 else 0.08), 4),
            val_top1=round((1 - 0.66**number) * (0.97 if number == 12 else 1), 4),
            val_top3=round(1 - 0.5**number, 4),
            val_top5=round(1 - 0.4**number, 4),
            learning_rate=2e-3 * (1 - number / total / 1.01),
            seconds=4.2,
            samples_per_second=1210.0,
            best=number != 12,
            val_samples=240,
        )
        for number in range(1, done + 1)
    ]


def train_spec() -> dict:
    return {
        "data_dir": "dataset",
        "models_dir": "models",
        "config": to_plain(asdict(configure(epochs=12))),
    }


def write_training(home: Path) -> RunDirectory:
    """A training of twelve epochs that finished."""
    notice = Notice("the split keeps 8 data sets apart")
    story = [State("running"), notice, *epochs(12), Outcome(as_json(TRAINED)), State("finished")]
    return write_run(home, RUN, train_spec(), "finished", story, "kanjinet: 1,108,246 parameters\n")


def write_live(home: Path) -> RunDirectory:
    """A training in its fifth epoch on a GPU, which goes on as long as the test does."""
    gpu = Gpu(0, "NVIDIA H200", 0.87, 24 * 2**30, 139 * 2**30, 612.0, 61.0)
    progress = Progress("training", 3000, 12000, "samples", "epoch 5 of 12", 1250.0, 42.0)
    return write_run(home, LIVE, train_spec(), "running", [State("running"), *epochs(4), gpu, progress])


def write_failed(home: Path) -> RunDirectory:
    """A training that failed with a sentence and a remedy."""
    story = [State("running"), Failure("the loss is no longer a number in epoch 3", "lower the learning rate", 1)]
    return write_run(
        home, LIVE, train_spec(), "failed", [*story, State("failed")], "Traceback (most recent call last):\n"
    )


def write_model(home: Path) -> None:
    """The metadata of a published model; the screens never load its weights."""
    models = home / "models"
    digest = json.loads((home / "dataset" / "metadata.json").read_text())["digest"]
    split = {"kind": "writer", "seed": 0, "shares": [70, 15, 15], "fold": None, "dataset_digest": digest}
    info = {"epoch": 11, "val_accuracy": 98.96, "network": "kanjinet", "split": split}
    (models / "best_kanji_model.pth").write_bytes(b"weights")
    (models / "best_model_info.json").write_text(json.dumps(info))
    digest = sha256(models / "best_kanji_model.pth")
    (models / "published.json").write_text(json.dumps({"run": RUN, "pinned": False, "weights_sha256": digest}))


def write_predictions(home: Path) -> RunDirectory:
    """An evaluation of all samples, kept with the training: every seventh is read as the next class."""
    total = SETS * len(CODES)
    labels = np.arange(total) % len(CODES)
    first = np.where(np.arange(total) % 7 == 6, (labels + 1) % len(CODES), labels)
    order = (first[:, None] + np.arange(5)) % len(CODES)
    share = np.tile(np.array([0.9, 0.05, 0.03, 0.01, 0.01], np.float32), (total, 1))
    share[:, 0] -= (np.arange(total) % 5).astype(np.float32) / 10
    own = np.where(order == labels[:, None], share, 0).max(1)  # none where the next class is read: it is the sixth
    digest = json.loads((home / "dataset" / "metadata.json").read_text())["digest"]
    predictions = Predictions(
        model_digest=sha256(home / "models" / "best_kanji_model.pth"),
        dataset_digest=digest,
        split="all",
        index=np.arange(total),
        jis=np.array(CODES, np.uint16)[order],
        probability=share,
        loss=-np.log(np.maximum(own, 1e-4)).astype(np.float32),
    )
    path = predictions_file(home / "models" / "runs" / RUN, Path("best_kanji_model.pth"), "all")
    save_predictions(path, predictions)
    result = replace(EVALUATION, predictions_path=str(path.relative_to(home)))
    return write_run(home, READ, {}, "finished", [State("running"), Outcome(as_json(result)), State("finished")])


TRAINED = Trained(
    run=RUN,
    network="kanjinet",
    parameters=1_108_246,
    classes=len(CODES),
    epochs=12,
    best_epoch=11,
    validation=Metrics(samples=240, loss=0.11, top1=0.9896, top3=1.0, top5=1.0, balanced=0.9896),
    test=Metrics(samples=240, loss=0.12, top1=0.9712, top3=1.0, top5=1.0, balanced=0.9712),
    seconds=61.0,
    samples_per_second=1210.0,
    device="cpu",
    source="ETL9G record files",
    recipe="quick",
    precision="float32",
    weakest_classes=(),
    confusions=(),
)

CHECKS = (
    Check("Python and packages", "Python", "ok", "3.12.1 (/opt/python/bin/python)"),
    Check("Python and packages", "packages", "ok", "textual 8.2, rich 15.0, numpy 2.4"),
    Check(
        "GPU and CUDA",
        "driver",
        "warning",
        "no NVIDIA GPU: everything runs on the CPU, training slowly",
        "nvidia-smi",
    ),
    Check("memory", "RAM", "ok", "14.0 GiB of 16.0 GiB available"),
    Check("disk", "free space", "failed", "0.1 GiB free; kanji-tui train needs about 0.5 GiB", "df -h models"),
    Check("ETL9G files", "files", "ok", "2 files, 48 records"),
    Check("dataset", "prepared", "ok", "48 samples of 6 classes"),
    Check("terminal", "tmux", "not applicable", "not in tmux"),
)


EVALUATION = Evaluation(
    samples=SETS * len(CODES),
    top1=0.875,
    top3=1.0,
    top5=1.0,
    balanced=0.875,
    loss=0.4,
    confusions=(),
    split="all",
    model_path="models/best_kanji_model.pth",
    model_digest="",
    dataset_digest="",
    network="kanjinet",
    source="ETL9G record files",
    unknown_samples=0,
    unknown_classes=(),
    predictions_path="",
    reused=False,
    seconds=0.1,
)


def node(number: int, operator: str, module: str, shape: tuple[int, ...], parameters: int) -> Node:
    return Node(
        number=number,
        name=f"/{module}",
        operator=operator,
        module=module,
        inputs=(str(number),),
        input_shapes=((1, 32, 16, 16),),
        outputs=(str(number + 1),),
        output_shapes=(shape,),
        attributes={"strides": "[2, 2]"} if operator == "Conv" else {},
        parameters=parameters,
        macs=0,
    )


INSPECTED = InspectedModel(
    path="models/kanji_model_etl9g_32x32_6classes_tract.onnx",
    bytes=4_523_778,
    weight_bytes=78_488,
    opset=12,
    opsets={"ai.onnx": 12},
    ir_version=7,
    producer="pytorch",
    inputs=(Tensor("input", "float", ("batch", 1, 32, 32)),),
    outputs=(Tensor("logits", "float", ("batch", 6)),),
    operators={"Conv": 2, "Relu": 1, "GlobalAveragePool": 1, "Gemm": 1},
    pooling=(Pooling("/pool", "GlobalAveragePool", "whole image", None),),
    parameters=1_127_380,
    macs=27_449_344,
    macs_unknown=0,
    layers=(
        Layer("stem.0", ("Conv",), 800, 3_200, 204_800),
        Layer("body.0", ("Conv",), 18_432, 73_728, 1_179_648),
        Layer("head", ("Gemm",), 390, 1_560, 384),
    ),
    nodes=(
        node(0, "Conv", "stem.0", (1, 32, 16, 16), 800),
        node(1, "Relu", "stem.1", (1, 32, 16, 16), 0),
        node(2, "Conv", "body.0", (1, 64, 4, 4), 18432),
        node(3, "GlobalAveragePool", "pool", (1, 64, 1, 1), 0),
        node(4, "Gemm", "head", (1, 6), 390),
    ),
    metadata={},
    ran_on={"input": (1, 1, 32, 32)},
    backends={
        "onnxruntime": Support(True, version="1.22", probed=5),
        "tract": Support(
            False,
            (UnsupportedNode("/pool", "GlobalAveragePool", "not for this shape"),),
            "GlobalAveragePool: not implemented",
            "0.23",
            5,
        ),
        "onnxruntime-web": Support(None, reason="not run: by its table of WebGPU operators"),
    },
)


def inspected(model: InspectedModel = INSPECTED) -> Inspected:
    return Inspected((model,))
