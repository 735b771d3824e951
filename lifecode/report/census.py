"""What a run was trained on and what it trained, as labelled numbers for the report."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Count(NamedTuple):
    """A labelled number; `depth` 1 is a part of the last number of depth 0."""

    label: str
    value: str
    depth: int = 0


class SplitTable(NamedTuple):
    """Numbers of each split: column headings, and (split, formatted numbers) a row."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


_HEADINGS = {
    "cds": "CDS",
    "cds_codons": "codons",
    "dna_regions": "DNA regions",
    "dna_nucleotides": "nucleotides",
    "rna_transcripts": "transcripts",
    "rna_nucleotides": "their nucleotides",
}


def corpus_counts(data: Mapping[str, Any]) -> list[Count]:
    """The counts of a corpus report, with rejected and dropped CDS by reason; absent ones are left out."""
    counts = [Count(name, f"{data[name]:,}") for name in ("contigs", "nucleotides") if name in data]
    if "total" in data.get("cds", {}):
        counts.append(Count("CDS", f"{data['cds']['total']:,}"))
    pairs = data.get("pairs", {})
    if "kept" in pairs:
        counts.append(Count("exact CDS-protein pairs", f"{pairs['kept']:,}"))
    for key, label in (("rejected", "rejected"), ("dropped", "dropped by the split")):
        if reasons := pairs.get(key):
            counts.append(Count(label, f"{sum(reasons.values()):,}"))
            counts += [Count(reason.replace("_", " "), f"{count:,}", 1) for reason, count in reasons.items()]
    return counts


def split_table(data: Mapping[str, Any]) -> SplitTable | None:
    """`data["splits"]`, a mapping of numbers for each split, as a table; None without it."""
    splits: Mapping[str, Mapping[str, int]] = data.get("splits") or {}
    columns = list(dict.fromkeys(column for numbers in splits.values() for column in numbers))
    if not columns:
        return None
    rows = [
        (split, tuple(f"{numbers[column]:,}" if column in numbers else "" for column in columns))
        for split, numbers in splits.items()
    ]
    headings = tuple(_HEADINGS.get(column, column.replace("_", " ")) for column in columns)
    return SplitTable(headings, tuple(rows))


def model_parts(model: Mapping[str, Any]) -> list[Count]:
    """Parameters of each of `model["parts"]`, then their sum."""
    parts: Mapping[str, int] = model.get("parts") or {}
    counts = [Count(part.replace("_", " "), f"{number:,}") for part, number in parts.items()]
    return [*counts, Count("all", f"{sum(parts.values()):,}")] if counts else []
