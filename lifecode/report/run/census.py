"""Tables of a run's report: counts of its corpus, how that was divided, and parameters of its model."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lifecode.data.statistics.census import SPLIT_HEADINGS
from lifecode.models.parts import LAYERS


class Count(NamedTuple):
    """A labelled number; `depth` 1 is a part of the last number of depth 0."""

    label: str
    value: str
    depth: int = 0


class SplitTable(NamedTuple):
    """How the corpus was divided, column headings, and (split, formatted numbers) per row."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def corpus_counts(data: Mapping[str, Any]) -> list[Count]:
    """The counts of a corpus report, with what was left out by reason; what is absent or zero is left out."""
    counts = [Count(name, f"{data[name]:,}") for name in ("contigs", "nucleotides") if name in data]
    counts += _by_reason("skipped records", data.get("skipped", {}))
    if "total" in data.get("cds", {}):
        counts.append(Count("CDS", f"{data['cds']['total']:,}"))
    pairs = data.get("pairs", {})
    if "kept" in pairs:
        counts.append(Count("exact CDS-protein pairs", f"{pairs['kept']:,}"))
    counts += _by_reason("rejected", pairs.get("rejected", {}))
    return counts + _by_reason("dropped by the split", pairs.get("dropped", {}))


def _by_reason(label: str, reasons: Mapping[str, int]) -> list[Count]:
    """The sum, then each reason that applied; nothing where none did."""
    applied = {reason: count for reason, count in reasons.items() if count}
    if not applied:
        return []
    parts = [Count(reason.replace("_", " "), f"{count:,}", 1) for reason, count in applied.items()]
    return [Count(label, f"{sum(applied.values()):,}"), *parts]


def split_table(data: Mapping[str, Any]) -> SplitTable | None:
    """`data["splits"]`, a mapping of numbers for each split, as a table without columns of zeros alone.

    None where no number is left.
    """
    splits: Mapping[str, Mapping[str, int]] = data.get("splits") or {}
    columns = list(dict.fromkeys(name for numbers in splits.values() for name, n in numbers.items() if n))
    if not columns:
        return None
    rows = [
        (split, tuple(f"{numbers[column]:,}" if column in numbers else "" for column in columns))
        for split, numbers in splits.items()
    ]
    headings = tuple(SPLIT_HEADINGS.get(column, column.replace("_", " ")) for column in columns)
    return SplitTable(_divided(data), headings, tuple(rows))


def _divided(data: Mapping[str, Any]) -> str:
    """What held-out data are made of, as a corpus report tells it."""
    if "block_nucleotides" not in data:
        return "Splits"
    block = data["block_nucleotides"]
    return f"Splits, by blocks of at most {block:,} nucleotides" if block else "Splits, of whole contigs"


def model_parts(model: Mapping[str, Any]) -> list[Count]:
    """Parameters of each of `model["parts"]`, then their sum; `model["layers"]` are the layers by kind."""
    parts: Mapping[str, int] = model.get("parts") or {}
    kinds = {LAYERS: f" ({model['layers']})"} if model.get("layers") else {}
    counts = [
        Count(part.replace("_", " ") + kinds.get(part, ""), f"{number:,}") for part, number in parts.items()
    ]
    return [*counts, Count("all", f"{sum(parts.values()):,}")] if counts else []
