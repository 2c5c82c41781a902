"""Messages of engines as they were recorded, and the sentences that are left of them."""

import pytest

from kanji_tui.engines.messages import MESSAGE_CHARACTERS, one_line, whole_file_reason

RESHAPE = (
    "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running Reshape node. Name:'' Status "
    "Message: /onnxruntime_src/onnxruntime/core/providers/cpu/tensor/reshape_helper.h:84 "
    "onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, onnxruntime::TensorShapeVector&, "
    "bool) size != 0 && (input_shape_size % size) == 0 was false. The input tensor cannot be reshaped.\n"
)
IR = (
    "[ONNXRuntimeError] : 1 : FAIL : Load model from /home/a model.onnx failed:/onnxruntime_src/onnxruntime/core/"
    "graph/model.cc:256 onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&, const "
    "onnxruntime::IOnnxRuntimeOpSchemaRegistryList*, const onnxruntime::logging::Logger&, const "
    "onnxruntime::ModelOptions&) Unsupported model IR version: 14, max supported IR version: 13\n"
)
OPSET = (
    "[ONNXRuntimeError] : 1 : FAIL : Load model from m.onnx failed:/onnxruntime_src/onnxruntime/core/graph/"
    "model_load_utils.h:46 void onnxruntime::model_load_utils::ValidateOpsetForDomain(const std::unordered_map<"
    "std::__cxx11::basic_string<char>, int>&, const onnxruntime::logging::Logger&, bool, const std::string&, int) "
    "ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions. Opset "
    "40 is under development and support for this is limited. The operator schemas and or other functionality may "
    "change before next ONNX release and in this case ONNX Runtime will not guarantee backward compatibility. "
    "Current official support for domain {} is till opset 26.\n"
)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            RESHAPE,
            "Non-zero status code returned while running Reshape node. Name:'' Status Message: size != 0 && "
            "(input_shape_size % size) == 0 was false. The input tensor cannot be reshaped.",
        ),
        (IR, "Unsupported model IR version: 14, max supported IR version: 13"),
        ("the file x.cc: the sum (of all) is wrong", "the file x.cc: the sum (of all) is wrong"),
        (
            "Status Message: affine_grid.cc:124 Compute AffineGrid: size[0] (1)",
            "Status Message: AffineGrid: size[0] (1)",
        ),
        ("/a/b.cc:235 ns::A::A(const std::string&)::<lambda()> it failed", "it failed"),
        ("/a/b.cc:235 std::vector<int> ns::f(int) it failed", "it failed"),
        ("/a/b.cc:1 The sum (of all) is wrong", "The sum (of all) is wrong"),
        ("/a/b.h:9 virtual bool ns::A<B>::f(C<D>*) const [with B = int] it failed", "it failed"),
        ("/a/b.h:9 ns::(anonymous namespace)::f(int) it failed", "it failed"),
        ("/a/b.h:9 ns::f(int)::<lambda(int)>::operator()(int) const it failed", "it failed"),
        (
            "translating: Tensor { type: A, shape: Some(S { dim: [D { value: Some(V(4)) }] }) }; Unknown type A",
            "translating: Tensor; Unknown type A",
        ),
        ("Got invalid dimensions: {1,4} at Index {0}", "Got invalid dimensions: {1,4} at Index {0}"),
        ("first\n\nCaused by:\n    0: second\n    1: third\n\nStack backtrace:\n  0: x", "first; second; third"),
    ],
)
def test_only_the_sentence_is_left(message: str, sentence: str) -> None:
    assert one_line(message) == sentence


def test_long_messages_are_cut() -> None:
    assert len(one_line("word " * 1000)) == MESSAGE_CHARACTERS + len(" ...")


def test_a_version_that_is_too_new_is_recognised() -> None:
    assert whole_file_reason(one_line(IR)) == "IR version 14; this ONNX Runtime reads up to 13"
    assert whole_file_reason(one_line(OPSET.format("ai.onnx"))) == "opset 40; this ONNX Runtime reads up to 26"
    other = whole_file_reason(one_line(OPSET.format("ai.onnx.ml")))
    assert other == "opset 40 of ai.onnx.ml; this ONNX Runtime reads up to 26"
    assert whole_file_reason(one_line(RESHAPE)) == ""
