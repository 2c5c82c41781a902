"""The table of WebGPU operators, and the rule by which ONNX Runtime Web takes a kernel from it."""

from pathlib import Path

import onnx
import pytest

from kanji_tui.engines.graph import describe_nodes
from kanji_tui.engines.results import Node
from kanji_tui.inspection.webgpu import Kernel, kernel, operator_version, webgpu_operators, webgpu_support
from tests.inspection import graphs


def nodes_of(path: Path) -> tuple[Node, ...]:
    return describe_nodes(onnx.load(str(path)), {})


def unsupported(nodes: tuple[Node, ...], opset: int) -> dict[str, str]:
    return {found.operator: found.reason for found in webgpu_support(nodes, {"ai.onnx": opset}).refused}


def test_versions_are_parsed() -> None:
    assert kernel("11") == Kernel(11, 11)
    assert kernel("4-6") == Kernel(4, 6)
    assert kernel("13+") == Kernel(13, None)


def test_a_kernel_without_a_last_version_is_taken_for_its_first_only() -> None:
    assert [version for version in range(1, 9) if Kernel(4, 6).runs(version)] == [4, 5, 6]
    assert [version for version in range(1, 30) if Kernel(11, None).runs(version)] == [11]


def test_the_table_is_complete() -> None:
    table = webgpu_operators()
    assert len(table) > 90
    assert table["ai.onnx", "Conv"] == (Kernel(1, 10), Kernel(11, None))
    assert ("com.microsoft", "FusedConv") in table
    assert ("ai.onnx", "Det") not in table


@pytest.mark.parametrize(
    ("domain", "operator", "opset", "version"),
    [
        ("ai.onnx", "Conv", 10, 1),
        ("ai.onnx", "Conv", 21, 11),
        ("ai.onnx", "Conv", 22, 22),
        ("ai.onnx", "Relu", 22, 14),
        ("com.microsoft", "FusedConv", 1, 1),
        ("ai.onnx", "SimplifiedLayerNormalization", 17, 1),
        ("ai.onnx", "Conv", 1000, None),
    ],
)
def test_the_version_of_an_operator_is_where_it_last_changed(domain, operator, opset, version) -> None:
    assert operator_version(domain, operator, opset) == version


def test_operators_without_a_kernel_are_found(tmp_path: Path) -> None:
    nodes = nodes_of(graphs.with_unsupported(tmp_path / "m.onnx"))
    assert list(unsupported(nodes, 17)) == ["Det", "ReverseSequence"]


def test_a_kernel_for_an_older_operator_is_not_taken(tmp_path: Path) -> None:
    """Conv and GlobalAveragePool changed in opset 22, Relu and Gemm did not."""
    nodes = nodes_of(graphs.image_network(tmp_path / "m.onnx"))
    assert unsupported(nodes, 20) == {}
    found = unsupported(nodes, 22)
    assert list(found) == ["Conv", "GlobalAveragePool"]
    assert found["Conv"] == "no WebGPU kernel for Conv of opset 22 (newest: 11): it runs on the CPU instead"
    assert {"Relu", "Gemm"} <= unsupported(nodes, 5).keys()


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    nodes = nodes_of(graphs.image_network(tmp_path / "m.onnx"))
    support = webgpu_support(nodes, {"ai.onnx": 1000})
    assert (support.runs, support.refused) == (None, ())
    assert {found.operator for found in support.not_probed} == {node.operator for node in nodes}
    assert "this onnx package ends before it" in support.not_probed[0].reason
    for part in ("not run", "element types", "onnxruntime-web/webgpu are not known"):
        assert part in support.reason
