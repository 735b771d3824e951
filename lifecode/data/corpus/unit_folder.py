"""Stage 1: one input unit, read, judged and stored, so that nothing later parses it again.

contigs.parquet     one row per contig: origin, length, hash
cds.parquet         one row an exact pair, with its sequence as ids and the hash of it
nucleotides.bin     ids of the genomic contigs and transcripts, one after another, a byte each
rejected.parquet    every CDS that is no exact pair, every record that was skipped
unit.json           counts, and the checksum of each of these files: it is written last

One contig is in memory at a time, and exact pairs until they make a row group. The folder takes a byte per
nucleotide for as long as the corpus is being prepared.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lifecode.data.cds.coding_sequence import ExactPair, Rejection, verify_all
from lifecode.data.corpus.corpus import SCHEMA_VERSION
from lifecode.data.corpus.row_writer import RowWriter
from lifecode.data.corpus.shards import REJECTED_SCHEMA
from lifecode.data.reading.inputs import InputUnit
from lifecode.data.reading.read import ReadingSettings, read_unit
from lifecode.data.reading.summary import ReadingSummary
from lifecode.data.records import Contig, Exon
from lifecode.data.splits.similarity import SKETCH, protein_sketch
from lifecode.data.splits.twins import DIGEST, strandless_digest
from lifecode.genetic_code import residue_letters
from lifecode.host.checksum import digest_of, file_entry, matches_entry, write_json
from lifecode.host.durable import new_folder

_CONTIG_SCHEMA = pa.schema(
    [
        ("contig", pa.string()),
        ("source", pa.string()),
        ("organism", pa.string()),
        ("taxon", pa.int64()),
        ("genetic_code", pa.int16()),
        ("molecule", pa.string()),
        ("num_nucleotides", pa.int64()),
        ("digest", DIGEST),
        ("backward", pa.bool_()),  # the digest is that of the other strand
    ]
)
_CDS_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("contig_number", pa.int64()),  # row of contigs.parquet
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("strand", pa.int8()),
        ("exons", pa.string()),
        ("exon_starts", pa.list_(pa.int64())),
        ("exon_ends", pa.list_(pa.int64())),
        ("genetic_code", pa.int16()),
        ("gene", pa.string()),
        ("num_nucleotides", pa.int64()),
        ("nucleotides", pa.large_binary()),
        ("amino_acids", pa.large_binary()),
        ("protein", pa.string()),
        ("protein_source", pa.string()),
        ("digest", DIGEST),
        ("sketch", SKETCH),  # null unless homologs are to be kept together
    ]
)
_WITH_NUCLEOTIDES = ("dna", "rna")


@dataclass(frozen=True, slots=True)
class ReadTask:
    """One unit to store.

    Attributes:
        unit: the files.
        settings: how they are read.
        sketches: whether the exact pairs get a k-mer sketch.
        folder: the unit's folder; its name is its identity.
    """

    unit: InputUnit
    settings: ReadingSettings
    sketches: bool
    folder: Path


def read_task(
    unit: InputUnit,
    files: Sequence[dict[str, Any]],
    settings: ReadingSettings,
    *,
    sketches: bool,
    units: Path,
) -> ReadTask:
    """The task of a unit, whose folder is named after everything that its content depends on.

    Args:
        unit: the files.
        files: name and sha256 of each.
        settings: how they are read.
        sketches: whether the exact pairs get a k-mer sketch.
        units: folder of all units' folders.
    """
    content = {
        "schema_version": SCHEMA_VERSION,
        "files": list(files),
        "settings": asdict(settings),
        "sketches": sketches,
    }
    return ReadTask(unit, settings, sketches, units / digest_of(content))


def store_unit(task: ReadTask) -> None:
    """Read a unit into its folder; one that is there already and whole is left as it is.

    Raises:
        UserError: a file or record that cannot be read.
    """
    if _is_complete(task.folder):
        return
    shutil.rmtree(task.folder, ignore_errors=True)
    try:
        with new_folder(task.folder) as unfinished:
            _write(task, unfinished)
    except OSError:
        if not _is_complete(task.folder):  # else a worker that outlived its killed main process was quicker
            raise


def _is_complete(folder: Path) -> bool:
    """Whether a unit's folder is finished and every file in it has its checksum."""
    if not (folder / "unit.json").is_file():
        return False
    entries = json.loads((folder / "unit.json").read_text())["files"]
    return all(matches_entry(folder, entry) for entry in entries)


def read_counts(folder: Path) -> dict[str, Any]:
    """What was found in a unit: `ReadingSummary.as_json`."""
    return json.loads((folder / "unit.json").read_text())


def with_names(contigs: pa.Table, renamed: Mapping[int, str]) -> pa.Table:
    """A table of contigs with new names in some rows."""
    if not renamed:
        return contigs
    names = contigs["contig"].to_pylist()
    for row, name in renamed.items():
        names[row] = name
    return contigs.set_column(contigs.column_names.index("contig"), "contig", pa.array(names, pa.string()))


def stored_nucleotides(contigs: pa.Table) -> np.ndarray:
    """(num_contigs,) where each contig begins in `nucleotides.bin`; -1 for those that are not in it."""
    stored = np.isin(contigs["molecule"].to_pylist(), _WITH_NUCLEOTIDES)
    lengths = np.where(stored, contigs["num_nucleotides"].to_numpy(), 0)
    return np.where(stored, np.cumsum(lengths) - lengths, -1)


def _write(task: ReadTask, folder: Path) -> None:
    """Everything a unit's folder holds."""
    summary = ReadingSummary([file.name for file in task.unit.files], task.settings.asked_codes())
    contigs = RowWriter(folder / "contigs.parquet", _CONTIG_SCHEMA)
    rejected = RowWriter(folder / "rejected.parquet", REJECTED_SCHEMA)
    pairs = RowWriter(folder / "cds.parquet", _CDS_SCHEMA)

    def report(source: str, record: str, problem: str) -> None:
        rejected.add(summary.skipped_row(source, record, problem))

    with contigs, rejected, pairs, (folder / "nucleotides.bin").open("wb") as nucleotides:
        for number, contig in enumerate(read_unit(task.unit, task.settings, report)):
            summary.add(contig)
            contigs.add(_contig_row(contig))
            if contig.molecule in _WITH_NUCLEOTIDES:
                nucleotides.write(np.ascontiguousarray(contig.nucleotides).data)
            for row in _judged(contig, number, task.settings.max_ambiguous_share, summary, rejected):
                row["sketch"] = protein_sketch(row["amino_acids"]).tobytes() if task.sketches else None
                pairs.add(row, num_nucleotides=row["num_nucleotides"])
            del contig  # before the next one is read
    files = [file_entry(folder, path) for path in sorted(folder.iterdir())]
    write_json(folder / "unit.json", {**summary.as_json(), "files": files})


def _judged(
    contig: Contig,
    number: int,
    max_ambiguous_share: float,
    summary: ReadingSummary,
    rejected: "RowWriter",
) -> Iterator[dict[str, Any]]:
    """The rows of a contig's exact pairs; its other CDS are counted and listed."""
    verdicts = verify_all(contig, max_ambiguous_share)
    for coding_sequence, verdict in zip(contig.coding_sequences, verdicts, strict=True):
        if isinstance(verdict, Rejection):
            rejected.add(summary.rejected_row(coding_sequence, contig, verdict))
        else:
            yield _pair_row(verdict, number)


def _contig_row(contig: Contig) -> dict[str, Any]:
    """A contig without its sequence."""
    digest, backward = strandless_digest(contig.nucleotides)
    return {
        "contig": contig.name,
        "source": Path(contig.source).name,
        "organism": contig.organism,
        "taxon": contig.taxon,
        "genetic_code": contig.genetic_code,
        "molecule": contig.molecule,
        "num_nucleotides": len(contig.nucleotides),
        "digest": digest,
        "backward": backward,
    }


def _pair_row(pair: ExactPair, contig_number: int) -> dict[str, Any]:
    """An exact pair as a row of `_CDS_SCHEMA`, its sequences still arrays."""
    cds = pair.coding_sequence
    return {
        "id": cds.id,
        "contig_number": contig_number,
        **coordinates(cds.exons),
        "exon_starts": [exon.start for exon in cds.exons],
        "exon_ends": [exon.end for exon in cds.exons],
        "genetic_code": cds.genetic_code,
        "gene": cds.gene,
        "num_nucleotides": len(pair.nucleotides),
        "nucleotides": pair.nucleotides,
        "amino_acids": pair.amino_acids,
        "protein": residue_letters(pair.amino_acids).removesuffix("*"),
        "protein_source": cds.protein_source,
        "digest": strandless_digest(pair.nucleotides)[0],
    }


def coordinates(exons: Sequence[Exon]) -> dict[str, Any]:
    """The columns of a shard that say where a row lies on its contig."""
    strands = {exon.strand for exon in exons}
    return {
        "start": min(exon.start for exon in exons),
        "end": max(exon.end for exon in exons),
        "strand": strands.pop() if len(strands) == 1 else 0,
        "exons": ",".join(f"{start}..{end}({'+' if strand == 1 else '-'})" for start, end, strand in exons),
    }
