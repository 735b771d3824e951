"""From sequence files to a corpus on disk: read, verify, split, write.

All contigs and pairs are in memory while this runs, some 10 bytes a nucleotide.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from lifecode.data.corpus import SCHEMA_VERSION, Corpus
from lifecode.data.corpus_folder import (
    existing_corpus,
    file_entry,
    input_entry,
    new_corpus_folder,
    write_json,
)
from lifecode.data.findings import Findings, read_findings
from lifecode.data.reading import Inputs, resolve_inputs
from lifecode.data.records import Contig, Exon
from lifecode.data.segments import cache_folder, record_index, write_segments
from lifecode.data.shards import CDS, DNA, CorpusRow, write_rejected, write_shards
from lifecode.data.split import SPLITS, BlockSplit, Regions, without_twins

BORDER = "border"
DUPLICATE = "duplicate_across_splits"

_RowsByKind: TypeAlias = Mapping[str, Sequence[CorpusRow]]


def prepare_corpus(
    inputs: Inputs,
    output: str | Path,
    *,
    split: BlockSplit | None = None,
    seed: int = 0,
    genetic_code: int = 1,
    require_pairs: bool = True,
) -> Corpus:
    """Read sequence files, keep the exact CDS-protein pairs, split, and write a corpus folder.

    Args:
        inputs: as for `read_records`: paths, globs, names of packaged genomes.
        output: folder to write; when it holds the corpus of the same inputs and settings, that is opened.
        split: how to hold out; by default blocks of 50,000 nucleotides, 5 % validation, 10 % test.
        seed: which blocks are held out.
        genetic_code: NCBI code of CDS that name none.
        require_pairs: fail where no CDS is an exact pair, as with bare FASTA.

    Raises:
        UserError: an input that cannot be read, two contigs of one name, no pairs, an output that holds
            something else, or no permission to write there.
    """
    split = split or BlockSplit()
    output = Path(output).expanduser()
    units = resolve_inputs(inputs)
    identity = {
        "schema_version": SCHEMA_VERSION,
        "seed": seed,
        "split": asdict(split),
        "genetic_code": genetic_code,
        "require_pairs": require_pairs,
        "inputs": [input_entry(file) for unit in units for file in unit.files],
    }
    if (existing := existing_corpus(output, identity)) is not None:
        return existing
    with new_corpus_folder(output, identity) as folder:
        findings = read_findings(units, genetic_code)
        if require_pairs:
            findings.require_pairs()
        rejected = dict(sorted(findings.reasons.items()))
        lengths = {name: len(contig.nucleotides) for name, contig in findings.contigs.items()}
        regions = split.regions(lengths, seed)
        rows = {CDS: _cds_rows(findings, regions), DNA: _dna_rows(findings, regions)}
        shards = _write_tables(folder, rows, findings)
        write_json(folder / "report.json", _report(findings, rejected, regions, rows))
        listed = [file_entry(folder, path) for path in sorted(folder.rglob("*")) if path.is_file()]
        write_json(folder / "manifest.json", {**identity, "shards": shards, "files": listed})
    return Corpus.open(output)


def _cds_rows(findings: Findings, regions: Regions) -> list[CorpusRow]:
    """The exact pairs that lie in one split each, without twins across splits; the others are listed."""
    inside: list[tuple[Contig, CorpusRow]] = []
    for contig, pair in findings.pairs:
        cds = pair.coding_sequence
        split = regions.split_of(contig.name, cds.exons)
        if split is None:
            findings.leave_out(contig, cds.id, BORDER, "crosses a border between splits")
            continue
        row = CorpusRow(
            **_origin(contig, CDS, split, cds.exons, cds.genetic_code),
            id=cds.id,
            gene=cds.gene,
            nucleotides=pair.nucleotides,
            amino_acids=pair.amino_acids,
        )
        inside.append((contig, row))
    keep = without_twins([row.nucleotides for _, row in inside], [row.split for _, row in inside])
    for (contig, row), kept in zip(inside, keep, strict=True):
        if not kept:
            findings.leave_out(
                contig, row.id, DUPLICATE, f"in {row.split}, with a twin that is held out more"
            )
    return [row for (_, row), kept in zip(inside, keep, strict=True) if kept]


def _dna_rows(findings: Findings, regions: Regions) -> list[CorpusRow]:
    """Every region of every contig as one long row."""
    return [
        CorpusRow(
            **_origin(contig, DNA, region.split, (Exon(region.start, region.end, 1),), contig.genetic_code),
            id=f"{contig.name}:{region.start}-{region.end}",
            nucleotides=contig.nucleotides[region.start : region.end],
        )
        for contig in findings.contigs.values()
        for region in regions.of_contig(contig.name)
    ]


def _origin(
    contig: Contig, kind: str, split: str, exons: tuple[Exon, ...], genetic_code: int
) -> dict[str, Any]:
    """The fields of a row that say what it is and where it comes from."""
    return {
        "kind": kind,
        "split": split,
        "source": Path(contig.source).name,
        "contig": contig.name,
        "exons": exons,
        "genetic_code": genetic_code,
        "organism": contig.organism,
        "taxon": contig.taxon,
    }


def _write_tables(folder: Path, rows: _RowsByKind, findings: Findings) -> list[dict[str, Any]]:
    """Write shards, cache and the list of CDS left out; gives the manifest's entry of each shard."""
    (folder / "shards").mkdir()
    shards: list[tuple[Path, int]] = []
    for kind, of_kind in rows.items():
        shards += write_shards(folder / "shards", kind, of_kind)
        for split in SPLITS:
            chosen = [number for number, row in enumerate(of_kind) if row.split == split]
            numbers = [record_index(kind, number) for number in chosen]
            write_segments(cache_folder(folder, kind, split), [of_kind[number] for number in chosen], numbers)
    write_rejected(folder / "rejected.parquet", findings.rejected)
    return [{**file_entry(folder, path), "rows": num_rows} for path, num_rows in shards]


def _report(
    findings: Findings, rejected: dict[str, int], regions: Regions, rows: _RowsByKind
) -> dict[str, Any]:
    """The content of `report.json`; `rejected` are the reasons before the split."""
    return {
        "schema_version": SCHEMA_VERSION,
        "contigs": len(findings.contigs),
        "nucleotides": sum(len(contig.nucleotides) for contig in findings.contigs.values()),
        "cds": {"total": len(findings.pairs) + sum(rejected.values())},
        "pairs": {
            "kept": len(findings.pairs),
            "rejected": rejected,
            "dropped": {reason: findings.reasons[reason] for reason in (BORDER, DUPLICATE)},
        },
        "block_nucleotides": regions.block_nucleotides,
        "block_nucleotides_asked": regions.block_nucleotides_asked,
        "splits": {split: _split_counts(rows, split) for split in SPLITS},
    }


def _split_counts(rows: _RowsByKind, split: str) -> dict[str, int]:
    """What one split holds."""
    cds, dna = (_lengths(rows[kind], split) for kind in (CDS, DNA))
    return {
        "cds": len(cds),
        "cds_codons": sum(cds) // 3,
        "dna_regions": len(dna),
        "dna_nucleotides": sum(dna),
    }


def _lengths(rows: Iterable[CorpusRow], split: str) -> list[int]:
    """Nucleotides of each row of a split."""
    return [len(row.nucleotides) for row in rows if row.split == split]
