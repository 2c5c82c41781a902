"""The commands of the original scripts, with their flags and defaults, for the same jobs.

The flags are those of <https://github.com/paazmaya/kanji-2965-CNN-ETL9G>; the code is ours.
"""

import argparse
from pathlib import Path

from kanji_tui.cli import run_guarded
from kanji_tui.cli.commands import data, models, training
from kanji_tui.cli.options import Parser, positive
from kanji_tui.errors import UsageError
from kanji_tui.export.options import POOLING_TYPES
from kanji_tui.paths import DATA_DIR, WEIGHTS

ORIGINAL_NETWORK = "v2.1"


def train_kanji() -> int:
    """`train-kanji`: by default 30 epochs of v2.1, batch size 64, learning rate 0.001, random split."""
    parser = Parser(prog="train-kanji", description="Train a network (kanji-tui train).")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--image-size", type=positive, default=64)
    parser.add_argument("--sample-limit", type=int, default=None)
    parser.add_argument("--network", default=ORIGINAL_NETWORK)
    parser.set_defaults(
        command=train, json=False, home=None, split="random", split_shares=None, fold=None, seed=None,
        config=None, recipe=None, resume=None, detach=False, track=[], profile=False, set=[],
        init=None, synthetic=None, characters=None, name=None, note=None,
    )  # fmt: skip
    return run_guarded(parser.parse_args)


def train(args: argparse.Namespace) -> int:
    """Train, after a check that --image-size is the dataset's image size."""
    from kanji_tui.data.dataset import open_dataset

    size = open_dataset(args.data_dir).size
    if size != args.image_size:
        raise UsageError(
            f"{args.data_dir} has images of {size}x{size}, not {args.image_size}x{args.image_size}",
            f"train-kanji --data-dir {args.data_dir} --image-size {size}",
        )
    return training.train(args)


def prepare_dataset() -> int:
    """`prepare-dataset`: record files into a dataset."""
    parser = Parser(prog="prepare-dataset", description="Prepare a dataset (kanji-tui prepare).")
    parser.add_argument("--etl-dir", type=Path, required=True)
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--size", type=positive, default=64)
    parser.add_argument("--workers", type=positive, default=None)
    parser.set_defaults(
        command=data.prepare, json=False, home=None, format=None, labels=None, accept_quarantine=False
    )
    return run_guarded(parser.parse_args)


def convert_to_onnx() -> int:
    """`convert-to-onnx`: a model as ONNX; size and number of classes are the model's own."""
    parser = Parser(prog="convert-to-onnx", description="Export to ONNX (kanji-tui export onnx).")
    parser.add_argument("--model-path", type=Path, default=Path(WEIGHTS))
    parser.add_argument("--output-path", "--onnx-path", dest="output_path", type=Path, default=None)
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR)
    parser.add_argument("--target-backend", choices=("tract", "ort-tract", "strict"), default="tract")
    parser.add_argument("--pooling-type", choices=POOLING_TYPES, default=None)
    parser.add_argument("--image-size", type=positive, default=None)
    parser.set_defaults(command=models.export_onnx, json=False, home=None, full_parity=False, quantize=None)
    return run_guarded(parser.parse_args)


def convert_to_safetensors() -> int:
    """`convert-to-safetensors`: a model as SafeTensors."""
    parser = Parser(
        prog="convert-to-safetensors", description="Export to SafeTensors (kanji-tui export safetensors)."
    )
    parser.add_argument("--model-path", type=Path, default=Path(WEIGHTS))
    parser.add_argument("--output-path", type=Path, default=None)
    parser.add_argument("--no-metadata", action="store_true")
    parser.add_argument("--verify", action="store_true")
    parser.set_defaults(command=models.export_safetensors, json=False, home=None)
    return run_guarded(parser.parse_args)
