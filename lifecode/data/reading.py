"""Files on disk to contigs: what the user names goes in, records come out, one at a time.

`read_records` is for Python; `resolve_inputs` and `read_unit` are its two halves, for those who give each
unit to another process. Memory holds one record with its annotation, whatever the length of the file.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

from lifecode.data.bed12 import read_mrna_with_bed12
from lifecode.data.fasta import read_fasta
from lifecode.data.genbank import read_genbank
from lifecode.data.gff import read_gff
from lifecode.data.inputs import Inputs, InputUnit, packaged_genomes, resolve_inputs
from lifecode.data.isoforms import with_longest_isoforms
from lifecode.data.malformed import OnMalformed, Report, Settle, settle_by, warn_of_skipped
from lifecode.data.opening import Format, file_format, opened
from lifecode.data.proteins import CodonChoice, CodonUsage, read_protein_fasta, read_swissprot
from lifecode.data.records import Contig
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code as require_genetic_code
from lifecode.genetic_code import require_codon_usage

__all__ = ["ReadingSettings", "packaged_genomes", "read_records", "read_unit", "resolve_inputs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSettings:
    """What the files do not say.

    Args:
        genetic_code: NCBI code of CDS that name none, and of proteins.
        organism: codon usage of proteins, a table of `python_codon_tables`.
        codon_choice: `frequent` takes the most frequent codon of a residue, `sampled` draws by share.
        seed: of the sampled codons; each protein's are a function of the seed and its name.
        isoforms: `all`, or the `longest` of each gene on its contig.
        on_malformed: `stop` at a malformed record or file, or `skip` and report it.

    Raises:
        UserError: there is no such genetic code or organism.
    """

    genetic_code: int = 1
    organism: str = "e_coli"
    codon_choice: CodonChoice = "frequent"
    seed: int = 0
    isoforms: Literal["all", "longest"] = "all"
    on_malformed: OnMalformed = "stop"

    def __post_init__(self) -> None:
        require_genetic_code(self.genetic_code)
        require_codon_usage(self.organism)


def read_records(inputs: Inputs, *, report: Report = warn_of_skipped, **settings: Any) -> Iterator[Contig]:
    """Yield every contig of the inputs, in order, with its annotated coding sequences.

    Args:
        inputs: a path, a glob, a packaged genome (`ecoli`), or a list of these: GenBank, GFF3 or GTF + FASTA,
            BED12 + mRNA FASTA, FASTA (`cds:`, `rna:`, `protein:`, `genome:` say what it holds), Swiss-Prot;
            plain, gzip or bgzip. See `lifecode.data.inputs` for how files are paired.
        report: takes note of what `on_malformed="skip"` leaves out; by default a Python warning.
        settings: the fields of `ReadingSettings`, such as `genetic_code=4`.

    Raises:
        UserError: at once where an input matches no file or a setting is wrong; while reading, at the first
            malformed file or record (`on_malformed="stop"`), naming both.
    """
    chosen = ReadingSettings(**settings)
    units = resolve_inputs(inputs)
    return (contig for unit in units for contig in read_unit(unit, chosen, report))


def read_unit(
    unit: InputUnit, settings: ReadingSettings, report: Report = warn_of_skipped
) -> Iterator[Contig]:
    """Yield the contigs of one unit; arguments and errors as for `read_records`."""
    settle = settle_by(settings.on_malformed, report)
    num_contigs = 0
    try:
        for contig in _contigs(unit, settings, settle):
            num_contigs += 1
            yield contig if settings.isoforms == "all" else with_longest_isoforms(contig)
        if not num_contigs:
            remedy = "Check that it is complete"
            raise UserError("the file has no readable records", source=unit.files[0], remedy=remedy)
    except UserError as fault:
        settle(fault)
    except OSError as fault:
        name = fault.filename or unit.files[0]
        raise UserError(f"cannot be read ({fault.strerror or fault})", source=name) from fault


def _contigs(unit: InputUnit, settings: ReadingSettings, settle: Settle) -> Iterator[Contig]:
    """The contigs of a unit, by the reader that the formats of its files call for."""
    formats = [file_format(file) for file in unit.files]
    names = [str(file) for file in unit.files]
    code = settings.genetic_code
    usage = CodonUsage(settings.organism, settings.codon_choice, settings.seed, code)
    with ExitStack() as stack:
        files = [stack.enter_context(opened(file)) for file in unit.files]
        match formats, unit.holds:
            case [Format.GENBANK], None:
                yield from read_genbank(files[0], names[0], code, settle)
            case [Format.SWISS_PROT], None | "protein":
                yield from read_swissprot(files[0], names[0], usage, settle)
            case ([Format.PROTEIN_FASTA], None) | ([Format.FASTA | Format.PROTEIN_FASTA], "protein"):
                yield from read_protein_fasta(files[0], names[0], usage, settle)
            case [Format.FASTA | Format.PROTEIN_FASTA], None | "dna" | "rna" | "cds" as holds:
                yield from read_fasta(files[0], names[0], code, holds or "dna", settle)
            case [Format.GFF3 | Format.GTF], None:
                yield from read_gff(files[0], names[0], None, names[0], code, settle)
            case [Format.FASTA, Format.GFF3 | Format.GTF], None | "dna":
                yield from read_gff(files[1], names[1], files[0], names[0], code, settle)
            case [Format.FASTA, Format.BED12], None | "rna":
                yield from read_mrna_with_bed12(files[0], names[0], files[1], names[1], code, settle)
            case _:
                raise _wrong_combination(unit, formats)


def _wrong_combination(unit: InputUnit, formats: list[Format]) -> UserError:
    """The fault of files that do not go together, or hold something else than the user says."""
    problem = f"{' with '.join(formats)} cannot be read" + (f" as {unit.holds}" if unit.holds else "")
    return UserError(
        problem,
        source=" + ".join(file.name for file in unit.files),
        remedy="GFF3 and GTF go with a genome, BED12 with mRNAs, and cds:, rna:, protein: with a FASTA file",
    )
