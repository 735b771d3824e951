"""What became of every record and every CDS: `report.json` and the table of those left out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lifecode.data.corpus import SCHEMA_VERSION
from lifecode.data.plan import BORDER, DUPLICATE, HOMOLOG, Plan, in_each_split
from lifecode.data.regions import SPLITS
from lifecode.data.shards import CDS, DNA, REJECTED_SCHEMA, RNA, parquet_writer

_DETAIL = {
    BORDER: "crosses a border between splits",
    DUPLICATE: "in {split}, with a twin that is held out more",
    HOMOLOG: "in {split}, with a homolog that is held out more",
}


def report_of(plan: Plan) -> dict[str, Any]:
    """The content of `report.json`."""
    inventory = plan.inventory
    rejected = dict(sorted(inventory.reasons.items()))
    return {
        "schema_version": SCHEMA_VERSION,
        "contigs": len(inventory.contigs),
        "nucleotides": int(inventory.contigs["num_nucleotides"].to_numpy().sum()),
        "skipped": dict(sorted(inventory.skipped.items())),
        "cds": {"total": len(inventory.cds) + sum(rejected.values())},
        "pairs": {
            "kept": len(inventory.cds),
            "rejected": rejected,
            "dropped": {reason: len(cds) for reason, cds in plan.dropped.items()},
        },
        "block_nucleotides": plan.regions.block_nucleotides,
        "block_nucleotides_asked": plan.regions.block_nucleotides_asked,
        "splits": {split: _counts(plan, number) for number, split in enumerate(SPLITS)},
    }


def _counts(plan: Plan, number: int) -> dict[str, int]:
    """What one split holds."""
    rows, nucleotides = ({kind: counts[number] for kind, counts in both.items()} for both in _by_kind(plan))
    return {
        "cds": rows[CDS],
        "cds_codons": nucleotides[CDS] // 3,
        "dna_regions": rows[DNA],
        "dna_nucleotides": nucleotides[DNA],
        "rna_transcripts": rows[RNA],
        "rna_nucleotides": nucleotides[RNA],
    }


def _by_kind(plan: Plan) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    both = {kind: in_each_split(rows) for kind, rows in plan.rows.items()}
    return {kind: counts[0] for kind, counts in both.items()}, {
        kind: counts[1] for kind, counts in both.items()
    }


def write_rejected(path: Path, plan: Plan) -> None:
    """Write the table of CDS that are no exact pair, skipped records, and pairs that fell to the split."""
    with parquet_writer(path, REJECTED_SCHEMA) as writer:
        for folder in plan.inventory.folders:
            with pq.ParquetFile(folder / "rejected.parquet") as file:
                for batch in file.iter_batches():
                    writer.write_batch(batch)
        for table in _dropped(plan):
            writer.write_table(table)


def _dropped(plan: Plan) -> Iterator[pa.Table]:
    """The exact pairs that the split cost, unit by unit, in their order."""
    inventory = plan.inventory
    number = np.concatenate(list(plan.dropped.values()))
    reason = np.repeat(list(plan.dropped), [len(cds) for cds in plan.dropped.values()])
    order = np.argsort(number)
    number, reason = number[order], reason[order]
    borders = np.searchsorted(number, inventory.first_cds)
    for unit in np.flatnonzero(np.diff(borders)).tolist():
        own = slice(int(borders[unit]), int(borders[unit + 1]))
        cds = pq.read_table(inventory.folders[unit] / "cds.parquet", columns=["id", "contig_number"])
        cds = cds.take(number[own] - inventory.first_cds[unit])
        contig = pc.add(cds["contig_number"], int(inventory.first_contig[unit]))  # pyright: ignore
        contigs = inventory.contigs.take(contig)
        details = [
            _DETAIL[why].format(split=SPLITS[split])
            for why, split in zip(reason[own], plan.cds_split[number[own]], strict=True)
        ]
        columns = [cds["id"], contigs["contig"], contigs["source"], pa.array(reason[own]), pa.array(details)]
        yield pa.table(columns, schema=REJECTED_SCHEMA)
