"""What became of every record and every CDS: `report.json` and the table of those left out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lifecode.data.corpus.corpus import SCHEMA_VERSION
from lifecode.data.corpus.layout import Layout, in_each_split
from lifecode.data.corpus.shards import CDS, DNA, REJECTED_SCHEMA, RNA, parquet_writer
from lifecode.data.reading.remedies import BORDER, DUPLICATE, HOMOLOG
from lifecode.data.reading.summary import NUM_EXAMPLES, first_of_each, left_out_entries
from lifecode.data.splits.regions import SPLITS

_NAMED = 10
_DETAIL = {
    BORDER: "crosses a border between splits",
    DUPLICATE: "in {split}, with a twin that is held out more",
    HOMOLOG: "in {split}, with a homolog that is held out more",
}


def report_of(layout: Layout, examples: dict[str, list[dict[str, str]]]) -> dict[str, Any]:
    """The content of `report.json`.

    Args:
        layout: of the corpus.
        examples: the first rows of each reason in `rejected.parquet`.
    """
    inventory = layout.inventory
    rejected = dict(sorted(inventory.reasons.items()))
    dropped = {reason: len(cds) for reason, cds in layout.dropped.items()}
    num_cds = len(inventory.cds) + sum(rejected.values())
    return {
        "schema_version": SCHEMA_VERSION,
        "contigs": len(inventory.contigs),
        "nucleotides": int(inventory.contigs["num_nucleotides"].to_numpy().sum()),
        "skipped": dict(sorted(inventory.skipped.items())),
        "read": [unit["read"] for unit in inventory.reading],
        "renamed": sorted(inventory.renamed.values())[:_NAMED],
        "num_renamed": len(inventory.renamed),
        "cds": {"total": num_cds},
        "pairs": {
            "kept": len(inventory.cds),
            "rejected": rejected,
            "dropped": dropped,
        },
        "left_out": left_out_entries({**rejected, **dropped, **inventory.skipped}, num_cds, examples),
        "block_nucleotides": layout.regions.block_nucleotides,
        "block_nucleotides_asked": layout.regions.block_nucleotides_asked,
        "splits": {split: _counts(layout, number) for number, split in enumerate(SPLITS)},
    }


def first_rejected(path: Path) -> dict[str, list[dict[str, str]]]:
    """The first rows of each reason in a table of the rejected."""
    known: dict[str, list[dict[str, str]]] = {}
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            first_of_each(_first_rows(batch), known)
    return known


def _first_rows(batch: pa.RecordBatch) -> Iterator[dict[str, str]]:
    for reason in pc.unique(batch["reason"]):  # pyright: ignore[reportAttributeAccessIssue]
        yield from batch.filter(pc.equal(batch["reason"], reason)).slice(0, NUM_EXAMPLES).to_pylist()  # pyright: ignore


def _counts(layout: Layout, number: int) -> dict[str, int]:
    """What one split holds."""
    rows, nucleotides = ({kind: counts[number] for kind, counts in both.items()} for both in _by_kind(layout))
    return {
        "cds": rows[CDS],
        "cds_codons": nucleotides[CDS] // 3,
        "dna_regions": rows[DNA],
        "dna_nucleotides": nucleotides[DNA],
        "rna_transcripts": rows[RNA],
        "rna_nucleotides": nucleotides[RNA],
    }


def _by_kind(layout: Layout) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    both = {kind: in_each_split(rows) for kind, rows in layout.rows.items()}
    return {kind: counts[0] for kind, counts in both.items()}, {
        kind: counts[1] for kind, counts in both.items()
    }


def write_rejected(path: Path, layout: Layout) -> None:
    """Write the table of CDS that are no exact pair, skipped records, and pairs that fell to the split."""
    with parquet_writer(path, REJECTED_SCHEMA) as writer:
        for unit, folder in enumerate(layout.inventory.folders):
            old_names = pq.read_table(folder / "contigs.parquet", columns=["contig"])["contig"]
            renamed = {old_names[row].as_py(): new for row, new in layout.inventory.renamed_of(unit).items()}
            with pq.ParquetFile(folder / "rejected.parquet") as file:
                for batch in file.iter_batches():
                    writer.write_batch(_renamed(batch, renamed))
        for table in _dropped(layout):
            writer.write_table(table)


def _renamed(batch: pa.RecordBatch, names: dict[str, str]) -> pa.RecordBatch:
    if not names:
        return batch
    column = pa.array([names.get(name, name) for name in batch["contig"].to_pylist()], pa.string())
    return batch.set_column(batch.schema.get_field_index("contig"), "contig", column)


def _dropped(layout: Layout) -> Iterator[pa.Table]:
    """The exact pairs that the split cost, unit by unit, in their order."""
    inventory = layout.inventory
    number = np.concatenate(list(layout.dropped.values()))
    reason = np.repeat(list(layout.dropped), [len(cds) for cds in layout.dropped.values()])
    order = np.argsort(number)
    number, reason = number[order], reason[order]
    borders = np.searchsorted(number, inventory.first_cds)
    for unit in np.flatnonzero(np.diff(borders)).tolist():
        own = slice(int(borders[unit]), int(borders[unit + 1]))
        columns = ["id", "contig_number", "start", "end"]
        cds = pq.read_table(inventory.folders[unit] / "cds.parquet", columns=columns)
        cds = cds.take(number[own] - inventory.first_cds[unit])
        contig = pc.add(cds["contig_number"], int(inventory.first_contig[unit]))  # pyright: ignore
        contigs = inventory.contigs.take(contig)
        details = [
            _DETAIL[why].format(split=SPLITS[split])
            for why, split in zip(reason[own], layout.cds_split[number[own]], strict=True)
        ]
        ends = zip(cds["start"].to_pylist(), cds["end"].to_pylist(), strict=True)
        places = pa.array([f"{start + 1}..{end}" for start, end in ends], pa.string())
        about = [cds["id"], contigs["contig"], contigs["source"], pa.array(reason[own]), pa.array(details)]
        yield pa.table([*about, places], schema=REJECTED_SCHEMA)
