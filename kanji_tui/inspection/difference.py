"""Whether the outputs of an engine are those of another one."""

import numpy as np

TOLERANCE = 1e-3
# float16 has 11 bits of precision, and engines sum in different orders and precisions.
TOLERANCE_HALF = 1e-2


def disagreement(expected: list[np.ndarray], found: list[np.ndarray], half: bool = False) -> tuple[str, float]:
    """How the outputs `found` differ from ONNX Runtime's, `expected` ("" if they agree), and the largest
    difference.

    Floats agree within 1e-3 x max(1, largest expected), within 1e-2 x that if they are float16 or `half` is set;
    8-bit integers within 1 (rounding); everything else exactly.
    """
    largest = 0.0
    for want, have in zip(expected, found, strict=True):
        if want.shape != have.shape:
            return f"its output has the shape {have.shape}, ONNX Runtime's {want.shape}", largest
        if want.dtype.kind == "f" and want.size:
            reference, other = want.astype(np.float64), have.astype(np.float64)
            equal = (reference == other) | (np.isnan(reference) & np.isnan(other))
            with np.errstate(invalid="ignore"):
                distance = np.where(equal, 0, reference - other)
            difference = float(np.abs(np.nan_to_num(distance, nan=np.inf)).max())
            finite = reference[np.isfinite(reference)]
            largest = max(largest, difference)
            tolerance = TOLERANCE_HALF if half or want.dtype.itemsize == 2 else TOLERANCE
            if difference > tolerance * max(1.0, float(np.abs(finite).max(initial=0.0))):
                return f"its output differs from ONNX Runtime's by {difference:.3g}", largest
        elif want.dtype.kind in "iu" and want.dtype.itemsize == 1:
            difference = float(np.abs(want.astype(int) - have.astype(int)).max(initial=0))
            if difference > 1:
                return f"its output differs from ONNX Runtime's by {difference:.0f}", largest
        elif want.dtype.kind != "f" and not np.array_equal(want, have):
            return "its output differs from ONNX Runtime's", largest
    return "", largest
