"""Counts, rates and sizes as people read them."""


def amount(value: float | None) -> str:
    """A count with its digits, from 10 million on with three of them and M, B or T."""
    value = value or 0.0
    for scale, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if value >= max(scale, 1e7):
            return f"{value / scale:,.4g} {letter}"
    return f"{value:,.0f}"


def number(value: float) -> str:
    """Three digits, and no exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def size(num_bytes: float | None) -> str:
    """Bytes in the largest binary unit that leaves a whole part."""
    value = num_bytes or 0.0
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
