"""A recogniser as an ONNX graph, by whichever of torch's two exporters delivers the opset."""

import contextlib
import ctypes
import io
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator

import onnx
import torch

from kanji_tui import __version__
from kanji_tui.engines.graph import NAME_SCOPES, opsets
from kanji_tui.engines.loading import all_nodes
from kanji_tui.errors import KanjiError, first_line
from kanji_tui.export.pooling import fix_pooling
from kanji_tui.export.targets import Target
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser

INPUT, OUTPUT, BATCH = "input", "logits", "batch"
TORCHSCRIPT, MODERN = "TorchScript", "torch.export"


def convert(recogniser: Recogniser, card: ModelCard, target: Target) -> tuple[onnx.ModelProto, str, str]:
    """The graph for `target`, the exporter that made it, and why that one.

    The graph carries the card; it holds no path, no doc string and no shape but those of its interface. Raises
    KanjiError naming the network where neither exporter can make it.
    """
    pictures = torch.zeros(2 if target.batch is None else target.batch, 1, card.size, card.size)
    model, reason = None, "chosen for its old opsets, which it writes exactly"
    if target.modern:
        model, reason = try_modern(recogniser, pictures, target)
    exporter = MODERN
    if model is None:
        exporter = TORCHSCRIPT
        model = export_torchscript(recogniser, pictures, card, target)
    if target.fixed_pooling:
        try:
            fix_pooling(model)
        except KanjiError as error:
            raise KanjiError(
                f"the network {card.network} cannot be written for {target.name}: {error.message}", error.remedy
            ) from None
    return finish(model, card, target), exporter, reason


def finish(model: onnx.ModelProto, card: ModelCard, target: Target) -> onnx.ModelProto:
    """The model without what must not travel, and with the card in its notes."""
    strip(model)
    card_text = json.dumps(card.to_json(), ensure_ascii=False)
    onnx.helper.set_model_props(model, {"card": card_text, "version": __version__, "target": target.name})
    return model


def try_modern(
    recogniser: Recogniser, pictures: torch.Tensor, target: Target
) -> tuple[onnx.ModelProto | None, str]:
    """What the modern exporter makes, if it has the opset asked for; else None and what it did instead.

    It may write another opset without an error, so the file itself is asked.
    """
    maker = f"the modern exporter of torch {torch.__version__.split('+')[0]}"
    shapes = ({0: torch.export.Dim(BATCH)} if target.batch is None else {},)
    try:
        with quiet():
            program = torch.onnx.export(
                recogniser,
                (pictures,),
                dynamo=True,
                verbose=False,
                opset_version=target.opset,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=shapes,
            )
        assert program is not None
        model = program.model_proto
    except Exception as error:  # it wraps whatever went wrong in many kinds of its own
        return None, f"{maker} failed: {first_line(error)}"
    written = opsets(model).get("ai.onnx", 0)
    if written != target.opset:
        return None, f"{maker} wrote opset {written} where {target.opset} was asked for"
    return model, f"{maker} delivered opset {written}"


def export_torchscript(
    recogniser: Recogniser, pictures: torch.Tensor, card: ModelCard, target: Target
) -> onnx.ModelProto:
    """What the TorchScript exporter makes."""
    written = io.BytesIO()
    dynamic = {INPUT: {0: BATCH}, OUTPUT: {0: BATCH}} if target.batch is None else None
    try:
        with quiet():
            torch.onnx.export(
                recogniser,
                (pictures,),
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
            f"the network {card.network} cannot be written at opset {target.opset}, as {target.name} asks: {why}",
            "no target has a newer opset: train another network (kanji-tui networks), or make this one compute "
            "that operator from simpler ones",
        ) from None
    return onnx.load_from_string(written.getvalue())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporters' warnings, log lines and prints to themselves: what matters is read from the file.

    Torch's C++ half prints whole graphs past Python, so the file descriptors themselves are turned away.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    try:
        with open(os.devnull, "wb") as nowhere, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number in kept:
                os.dup2(nowhere.fileno(), number)
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                yield
    finally:
        flush()
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
        logging.disable(before)


def flush() -> None:
    """Send what waits in Python's buffers and in C's where it was meant to go."""
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)


def strip(model: onnx.ModelProto) -> None:
    """Take out what must not travel: doc strings and notes with local paths, and inferred shapes.

    Shapes that name the symbol `batch` keep tract from binding it on its inputs.
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
