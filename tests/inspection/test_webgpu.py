"""The table of WebGPU operators."""

from pathlib import Path

import onnx

from kanji_tui.engines.graph import describe_nodes
from kanji_tui.engines.results import Node
from kanji_tui.inspection.webgpu import versions, webgpu_operators, without_webgpu_kernel
from tests.inspection import graphs


def nodes_of(path: Path) -> tuple[Node, ...]:
    return describe_nodes(onnx.load(str(path)), {})


def test_version_ranges_are_parsed() -> None:
    assert 11 in versions("11")
    assert 12 not in versions("11")
    assert list(versions("4-6")) == [4, 5, 6]
    assert 21 in versions("13+")
    assert 12 not in versions("13+")


def test_the_table_is_complete() -> None:
    table = webgpu_operators()
    assert len(table) > 90
    assert any(11 in kernel for kernel in table["ai.onnx", "Conv"])
    assert ("com.microsoft", "FusedConv") in table
    assert ("ai.onnx", "Det") not in table


def test_operators_without_a_kernel_are_found(tmp_path: Path) -> None:
    nodes = nodes_of(graphs.with_unsupported(tmp_path / "m.onnx"))
    missing = without_webgpu_kernel(nodes, {"ai.onnx": 17})
    assert [node.operator for node in missing] == ["Det", "ReverseSequence"]


def test_an_opset_without_a_kernel_is_reported(tmp_path: Path) -> None:
    nodes = nodes_of(graphs.image_network(tmp_path / "m.onnx"))
    assert without_webgpu_kernel(nodes, {"ai.onnx": 17}) == ()
    old = without_webgpu_kernel(nodes, {"ai.onnx": 5})
    assert {"Relu", "Gemm"} <= {node.operator for node in old}
    assert "for opset 5" in old[0].reason
