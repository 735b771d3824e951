"""Bytes of a value, by its precision."""

FLOAT32, _BFLOAT16 = 4, 2


def bytes_of_a_value(precision: str) -> int:
    """Bytes of an input of matrix products under `32-true` or `bf16-mixed`."""
    return _BFLOAT16 if precision.startswith("bf16") else FLOAT32
