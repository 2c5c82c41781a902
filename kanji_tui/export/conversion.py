"""Converts a recogniser to an ONNX graph by torch's TorchScript exporter, which writes old opsets exactly.

The dynamo exporter (torch 2.13) takes ten times as long and writes opset 18 whatever is asked for.
"""

import contextlib
import ctypes
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator

import onnx
import torch

from kanji_tui import __version__
from kanji_tui.engines.graph import NAME_SCOPES
from kanji_tui.engines.loading import all_nodes
from kanji_tui.errors import KanjiError, first_line
from kanji_tui.export.pooling import fix_pooling
from kanji_tui.export.targets import Target
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser

INPUT, OUTPUT, BATCH = "input", "logits", "batch"
EXPORTER = "TorchScript"


def convert(recogniser: Recogniser, card: ModelCard, target: Target) -> onnx.ModelProto:
    """The graph for `target`.

    The graph's metadata holds the card. It contains no local path, no doc string, and no shapes except those of its
    inputs and outputs. Raises KanjiError naming the network if it cannot be converted.
    """
    images = torch.zeros(2 if target.batch is None else target.batch, 1, card.size, card.size)
    model = export_torchscript(recogniser, images, card, target)
    if target.fixed_pooling:
        try:
            fix_pooling(model)
        except KanjiError as error:
            raise KanjiError(
                f"the network {card.network} cannot be exported for {target.name}: {error.message}", error.remedy
            ) from None
    return finish(model, card, target)


def finish(model: onnx.ModelProto, card: ModelCard, target: Target) -> onnx.ModelProto:
    """The model without local information, and with the card in its metadata."""
    strip(model)
    properties = {
        "card": card.to_text(),
        "version": __version__,
        "target": target.name,
        **({"license": card.license} if card.license else {}),
    }
    onnx.helper.set_model_props(model, properties)
    return model


def export_torchscript(
    recogniser: Recogniser, images: torch.Tensor, card: ModelCard, target: Target
) -> onnx.ModelProto:
    """The model as the exporter writes it. Raises KanjiError naming the network if it cannot be converted."""
    written = io.BytesIO()
    dynamic = {INPUT: {0: BATCH}, OUTPUT: {0: BATCH}} if target.batch is None else None
    try:
        with quiet():
            torch.onnx.export(
                recogniser,
                (images,),
                written,
                dynamo=False,
                opset_version=target.opset,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_axes=dynamic,
            )
    except Exception as error:
        why = first_line(error)
        raise KanjiError(
            f"the network {card.network} cannot be exported at opset {target.opset} for {target.name}: {why}",
            "train another network (kanji-tui networks), or rewrite this one with simpler operators; no target has "
            "a newer opset",
        ) from None
    return onnx.load_from_string(written.getvalue())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Discard the exporter's warnings, log lines and output: errors are raised, the result is checked.

    Torch's C++ code prints whole graphs without Python's streams, so the file descriptors are redirected too.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    flush()
    copies = {number: os.dup(number) for number in (1, 2)}
    try:
        with open(os.devnull, "wb") as null, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number in copies:
                os.dup2(null.fileno(), number)
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                yield
    finally:
        flush()
        for number, copy in copies.items():
            os.dup2(copy, number)
            os.close(copy)
        logging.disable(before)


def flush() -> None:
    """Flush the output buffers of Python and of C."""
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)


def strip(model: onnx.ModelProto) -> None:
    """Remove doc strings and metadata, which hold local paths, and inferred shapes; keep name scopes.

    Inferred shapes that name the symbol `batch` would keep tract from binding it at the inputs.
    """
    del model.graph.value_info[:]
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    model.doc_string = model.graph.doc_string = ""
    for value in (*model.graph.input, *model.graph.output):
        value.doc_string = ""
        del value.metadata_props[:]
    for node in all_nodes(model.graph):
        node.doc_string = ""
        scopes = [entry for entry in node.metadata_props if entry.key == NAME_SCOPES]
        del node.metadata_props[:]
        node.metadata_props.extend(scopes)
