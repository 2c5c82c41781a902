"""An engine's messages as sentences: without C++ signatures, stack traces and temporary paths."""

import re

MESSAGE_CHARACTERS = 600  # longer messages of an engine are cut
CODE = re.compile(r"\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ")
# Where in ONNX Runtime's source a check failed: a file, a line, then the signature of the function.
SOURCE = re.compile(r"\S*/[\w./-]+\.(?:cc|cpp|cu|h|hpp):\d+ ")
# The short form of the same: a file, a line, the name of the function.
SHORT_SOURCE = re.compile(r"\b\w+\.(?:cc|cpp|cu|h|hpp):\d+ [\w:]+(?:\(\))? ")
QUALIFIERS = re.compile(r"\s*(?:const|noexcept|&&?|\[with [^\]]*\])")
IR_VERSION = re.compile(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)")
OPSET = re.compile(r"Opset (\d+) is under development.*?official support for domain (\S+) is till opset (\d+)")

DUMP = re.compile(r"\b([A-Z]\w*) \{ [^{}]* \}")  # the fields of a structure, as Rust prints it to debug


def one_line(message: str) -> str:
    """An engine's message on one line, without signatures, stack traces and temporary paths."""
    message = re.split(r"\n\s*(?:Stack backtrace:|stack backtrace:)", message)[0]
    message = CODE.sub("", message)
    message = re.sub(r"Load model from .+? failed:\s*", "", message)
    message = without_signatures(message)
    message = message.replace("Caused by:", "")
    while (shorter := DUMP.sub(r"\1", message)) != message:
        message = shorter
    lines = [re.sub(r"^\s*(?:\d+:\s+)?", "", line).strip() for line in message.splitlines()]
    joined = "; ".join(line for line in lines if line)
    return joined if len(joined) <= MESSAGE_CHARACTERS else joined[:MESSAGE_CHARACTERS] + " ..."


def whole_file_reason(message: str) -> str:
    """The reason in a sentence if ONNX Runtime refuses a file as a whole, for its IR version or opset; else ""."""
    version = IR_VERSION.search(message)
    if version:
        return f"IR version {version[1]}; this ONNX Runtime reads up to {version[2]}"
    opset = OPSET.search(message)
    if opset:
        domain = "" if opset[2] == "ai.onnx" else f" of {opset[2]}"
        return f"opset {opset[1]}{domain}; this ONNX Runtime reads up to {opset[3].rstrip('.')}"
    return ""


def without_signatures(message: str) -> str:
    """The message without `/file.cc:12 Type Class::function(Type) const ` and `file.cc:12 function `."""
    kept, rest = "", message
    while (found := SOURCE.search(rest)) is not None:
        kept += rest[: found.start()]
        rest = after_signature(rest[found.end() :])
    return SHORT_SOURCE.sub("", kept + rest)


def after_signature(text: str) -> str:
    """What follows the signature that the text begins with; all of it if it begins with none.

    A signature has `::` before its first bracket, and ends with a closing bracket that no name follows: in
    `(anonymous namespace)::f(int)` and `f()::<lambda(int)>::operator()(int)` the first brackets do not end it.
    """
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "(<") - (letter in ")>" and text[place - 1 : place] != "-")
        if letter == "\n" or (letter == "(" and "::" not in text[: place + 25]):
            return text
        closed = letter in ")>" and depth <= 0 and "(" in text[:place]
        if closed and not text[place + 1 :].startswith((":", "(", ">")):
            rest = text[place + 1 :]
            while (qualifier := QUALIFIERS.match(rest)) is not None:
                rest = rest[qualifier.end() :]
            return rest.lstrip()
    return text
