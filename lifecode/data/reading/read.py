"""Files on disk to contigs: what the user names goes in, records come out, one at a time.

`read_records` is for Python; `resolve_inputs` and `read_unit` are its two halves, for those who give each
unit to another process. Memory holds one record with its annotation, whatever the length of the file.
"""

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from lifecode.arguments import arguments_checked
from lifecode.data.cds.coding_sequence import MAX_AMBIGUOUS_SHARE
from lifecode.data.cds.isoforms import with_longest_isoforms
from lifecode.data.formats.bed12 import read_mrna_with_bed12
from lifecode.data.formats.fasta import read_fasta
from lifecode.data.formats.flat_records import record_names
from lifecode.data.formats.gff.reader import read_gff
from lifecode.data.formats.insdc.embl import read_embl
from lifecode.data.formats.insdc.genbank import read_genbank
from lifecode.data.formats.malformed import OnMalformed, Report, Settle, settle_by, warn_of_skipped
from lifecode.data.formats.opening import Format, file_format, opened
from lifecode.data.formats.proteins import CodonChoice, CodonUsage, read_protein_fasta, read_swissprot
from lifecode.data.reading.contig_codes import AskedCodes, with_genetic_code
from lifecode.data.reading.following_stop import with_following_stops
from lifecode.data.reading.inputs import Inputs, InputUnit, packaged_genomes, resolve_inputs
from lifecode.data.records import Contig
from lifecode.errors import UserError
from lifecode.usage_tables import usage_table

__all__ = ["ReadingSettings", "packaged_genomes", "read_records", "read_unit", "resolve_inputs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSettings:
    """What the files do not say.

    Args:
        genetic_code: NCBI code of every contig and protein, whatever its file says; or codes by name of the
            contig, with `default` for those about which nothing else says anything; None: see
            `lifecode.data.reading.contig_codes`.
        organism: codon usage of proteins, as for `lifecode.usage_tables`.
        codon_choice: `frequent` takes the most frequent codon of a residue, `sampled` draws by share.
        seed: of the sampled codons; each protein's are a function of the seed and its name.
        isoforms: `all`, or the `longest` exact pair of each gene on its contig.
        max_ambiguous_share: of the codons of a CDS with an annotated protein that may have an ambiguous
            nucleotide; they are kept without a label.
        on_malformed: `stop` at a malformed record or file, or `skip` and report it.

    Raises:
        UserError: there is no such genetic code or organism, or the share is none.
    """

    genetic_code: int | dict[str, int] | None = None
    organism: str = "e_coli"
    codon_choice: CodonChoice = "frequent"
    seed: int = 0
    isoforms: Literal["all", "longest"] = "all"
    max_ambiguous_share: float = MAX_AMBIGUOUS_SHARE
    on_malformed: OnMalformed = "stop"

    def __post_init__(self) -> None:
        self.asked_codes()
        usage_table(self.organism)
        if not 0 <= self.max_ambiguous_share <= 1:
            problem = f"max_ambiguous_share {self.max_ambiguous_share} is no share"
            raise UserError(problem, remedy="Give 0 to 1, such as 0.05")

    def asked_codes(self) -> AskedCodes:
        """What `genetic_code` says, contig by contig."""
        return AskedCodes.of(self.genetic_code)


@arguments_checked
def read_records(
    inputs: Inputs,
    *,
    report: Report = warn_of_skipped,
    features: Collection[str] = (),
    **settings: Any,
) -> Iterator[Contig]:
    """Yield every contig of the inputs, in order, with its annotated coding sequences.

    Args:
        inputs: a path, a glob, a packaged genome (`ecoli`), or a list of these: GenBank, EMBL, GFF3 or GTF +
            FASTA, BED12 + mRNA FASTA, FASTA (`cds:`, `rna:`, `protein:`, `genome:` say what it holds),
            Swiss-Prot; plain or compressed by gzip, bzip2, xz or zst. See `lifecode.data.reading.inputs` for
            how files are paired.
        report: takes note of what `on_malformed="skip"` leaves out; by default a Python warning.
        features: keys of the feature table, such as `tRNA`, that are read beside CDS into
            `Contig.features`; GenBank and EMBL have them, the other formats none.
        settings: the fields of `ReadingSettings`, such as `genetic_code=4`.

    Raises:
        UserError: at once where an input matches no file or a setting is wrong; while reading, at the first
            malformed file or record (`on_malformed="stop"`), naming both; at the end, where `genetic_code`
            names a contig that is not there.
    """
    chosen = ReadingSettings(**settings)
    units = resolve_inputs(inputs)
    return _read_all(units, chosen, report, features)


def _read_all(
    units: list[InputUnit], settings: ReadingSettings, report: Report, features: Collection[str]
) -> Iterator[Contig]:
    asked = settings.asked_codes()
    found: set[str] = set()
    names: list[str] = []
    for unit in units:
        for contig in read_unit(unit, settings, report, features):
            if (key := asked.key_of(contig)) is not None:
                found.add(key)
            names += [contig.name] if len(names) <= 5 else []
            yield contig
    asked.require_found(found, names)


def read_unit(
    unit: InputUnit,
    settings: ReadingSettings,
    report: Report = warn_of_skipped,
    features: Collection[str] = (),
) -> Iterator[Contig]:
    """Yield the contigs of one unit; arguments and errors as for `read_records`."""
    settle, asked = settle_by(settings.on_malformed, report), settings.asked_codes()
    num_contigs, dialect, share = 0, "", settings.max_ambiguous_share
    try:
        for contig in _contigs(unit, settings, settle, features):
            num_contigs += 1
            contig = with_following_stops(with_genetic_code(contig, asked))
            if contig.dialect is None:
                dialect = dialect or " with ".join(file_format(file).value for file in reversed(unit.files))
                contig = replace(contig, dialect=dialect)
            yield contig if settings.isoforms == "all" else with_longest_isoforms(contig, share)
        if not num_contigs:
            remedy = "Check that it is complete"
            raise UserError("the file has no readable records", source=unit.files[0], remedy=remedy)
    except UserError as fault:
        settle(fault)
    except OSError as fault:
        name = fault.filename or unit.files[0]
        raise UserError(f"cannot be read ({fault.strerror or fault})", source=name) from fault


def _contigs(
    unit: InputUnit, settings: ReadingSettings, settle: Settle, features: Collection[str]
) -> Iterator[Contig]:
    """The contigs of a unit, by the reader that the formats of its files call for."""
    formats = [file_format(file) for file in unit.files]
    names = [str(file) for file in unit.files]
    asked = settings.asked_codes()
    code = asked.where_nothing_says
    usage = CodonUsage(settings.organism, settings.codon_choice, settings.seed, code)
    records_named = partial(_record_names, unit.files[0])
    with ExitStack() as stack:
        files = [stack.enter_context(opened(file)) for file in unit.files]
        match formats, unit.holds:
            case [Format.GENBANK], None:
                yield from read_genbank(files[0], names[0], code, settle, features)
            case [Format.EMBL], None:
                yield from read_embl(files[0], names[0], code, settle, features)
            case [Format.SWISS_PROT], None | "protein":
                yield from read_swissprot(files[0], names[0], usage, settle)
            case ([Format.PROTEIN_FASTA], None) | ([Format.FASTA | Format.PROTEIN_FASTA], "protein"):
                yield from read_protein_fasta(files[0], names[0], usage, settle)
            case [Format.FASTA | Format.PROTEIN_FASTA], None | "dna" | "rna" | "cds" as holds:
                yield from read_fasta(files[0], names[0], code, holds or "dna", settle)
            case [Format.GFF3 | Format.GTF], None:
                again = stack.enter_context(opened(unit.files[0]))
                yield from read_gff(files[0], names[0], again, names[0], None, asked.code_of, settle)
            case [Format.FASTA, Format.GFF3 | Format.GTF], None | "dna":
                yield from read_gff(
                    files[1], names[1], files[0], names[0], records_named, asked.code_of, settle
                )
            case [Format.FASTA, Format.BED12], None | "rna":
                yield from read_mrna_with_bed12(
                    files[0], names[0], records_named, files[1], names[1], code, settle
                )
            case _:
                raise _wrong_combination(unit, formats)


def _record_names(file: Path) -> Iterator[str]:
    with opened(file) as handle:
        yield from record_names(handle)


def _wrong_combination(unit: InputUnit, formats: list[Format]) -> UserError:
    """The fault of files that do not go together, or hold something else than the user says."""
    problem = f"{' with '.join(formats)} cannot be read" + (f" as {unit.holds}" if unit.holds else "")
    return UserError(
        problem,
        source=" + ".join(file.name for file in unit.files),
        remedy="GFF3 and GTF go with a genome, BED12 with mRNAs, and cds:, rna:, protein: with a FASTA file",
    )
