"""The records of the input with one INFO tag more, which `bcftools +split-vep -a LIFECODE` reads.

Each record keeps its line; the tag has an entry for each ALT and transcript, by commas, whose fields are the
columns of the table behind `Allele`, by bars. Within a field `%`, `,`, `;`, `=`, `|`, blanks are written as
percent escapes. An input that was no VCF becomes one record for each of its alleles.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.variants.alleles import Allele
from lifecode.variants.annotate import Annotated
from lifecode.variants.reading.found_alleles import AlleleFile
from lifecode.variants.reading.genome import Genome

TAG = "LIFECODE"
FIELDS = {
    "Consequence": "consequence",
    "IMPACT": "impact",
    "SYMBOL": "gene",
    "Feature": "transcript",
    "STRAND": "strand",
    "HGVSc": "hgvs_c",
    "HGVSp": "hgvs_p",
    "Codons": "codons",
    "Amino_acids": "amino_acids",
    "Shares_codon": "shares_codon",
    "Score": "score",
    "Score_residue": "score_residue",
    "Score_synonymous": "score_synonymous",
    "Entropy": "entropy",
    "Quantile": "quantile",
    "Status": "status",
}
"""Fields of the tag behind `Allele`, and the columns that they are."""

_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
_ESCAPES = str.maketrans({letter: f"%{ord(letter):02X}" for letter in "%,;=| \t&"} | {"&": "&"})


def write_vcf(
    output: Path, given: AlleleFile, rows: Sequence[Annotated], table: pa.Table, genome: Genome
) -> None:
    """Write the annotated VCF, whole or not at all.

    Args:
        output: ends in .vcf.gz or .vcf.
        given: what the variants were read from, with its lines if it was a VCF.
        rows: annotated.
        table: of the same rows.
        genome: for the contig lines of an input that has none.

    Raises:
        UserError: it cannot be written.
    """
    text = "\n".join([*_header(given, rows, genome, table), *_records(given, rows, table)]) + "\n"
    with disk_faults_named(output, remedy="Choose an output where you may write and which has room"):
        output.parent.mkdir(parents=True, exist_ok=True)
        with replacing(output) as file:
            if output.suffix == ".gz":
                _write_bgzip(Path(file.name), text)
            else:
                file.write(text.encode())


def _write_bgzip(path: Path, text: str) -> None:
    """In the blocks of bgzip, so that tabix can index it."""
    import pysam

    with pysam.BGZFile(str(path), "wb", None) as zipped:
        zipped.write(text.encode())


def _header(given: AlleleFile, rows: Sequence[Annotated], genome: Genome, table: pa.Table) -> Iterator[str]:
    head = [line for line in given.header if line.startswith("##")] or ["##fileformat=VCFv4.3"]
    columns = next((line for line in given.header if not line.startswith("##")), None)
    if any(line.startswith(f"##INFO=<ID={TAG},") for line in head):
        raise UserError(
            f"has a tag {TAG} already",
            source=given.source,
            remedy=f"Remove it: bcftools annotate -x INFO/{TAG}",
        )
    yield from head
    if not any(line.startswith("##contig") for line in head):
        names = {row.allele.contig if given.records else row.contig: row.contig for row in rows}
        for name, own in names.items():
            yield f"##contig=<ID={name},length={len(genome.references[own].sequence)}>"
    if not given.records and any(row.allele.extent is not None for row in rows):
        yield '##INFO=<ID=END,Number=1,Type=Integer,Description="End position on CHROM">'
    words = "|".join(("Allele", *FIELDS))
    yield (
        f'##INFO=<ID={TAG},Number=.,Type=String,Description="Consequence annotations from lifecode score, '
        f'one entry an ALT and transcript, text percent-encoded. Format: {words}">'
    )
    for key in ("method", "model"):
        for value in sorted({value for value in table[key].to_pylist() if value}):
            yield f"##lifecode_{key}={value}"
    own = columns.split("\t") if columns else []
    yield "\t".join([*own, *_COLUMNS[len(own) :]])  # a file may end with ALT, a record has INFO now


def _records(given: AlleleFile, rows: Sequence[Annotated], table: pa.Table) -> Iterator[str]:
    columns = [table[name].to_pylist() for name in FIELDS.values()]
    entries: dict[int | Allele, list[str]] = defaultdict(list)
    for row, *values in zip(rows, *columns, strict=True):
        words = [row.allele.alt, *map(_word, values)]
        entries[row.allele.line if given.records else row.allele].append(
            "|".join(word.translate(_ESCAPES) for word in words)
        )
    if given.records:
        for line, record in given.records.items():
            cells = record.split("\t")
            cells += ["."] * (8 - len(cells))
            if line in entries:
                tag = f"{TAG}={','.join(entries[line])}"
                info = cells[7].strip(";")
                cells[7] = tag if info in (".", "") else f"{info};{tag}"
            yield "\t".join(cells)
        return
    seen = set()
    for row in rows:
        allele = row.allele
        if allele not in seen:
            seen.add(allele)
            tag = f"{TAG}={','.join(entries[allele])}"
            if allele.extent is not None and allele.extent.end is not None:
                tag = f"END={allele.extent.end};{tag}"
            cells = (row.contig, allele.position, allele.id, allele.ref, allele.alt, ".", ".", tag)
            yield "\t".join(map(str, cells))


def _word(value: Any) -> str:
    if value is None:
        return ""
    return (
        f"{value:.6g}" if isinstance(value, float) else str(int(value) if isinstance(value, bool) else value)
    )
