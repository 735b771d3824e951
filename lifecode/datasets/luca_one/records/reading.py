"""All that the user names, read to contigs with their gene types and to proteins with their labels.

Everything is in memory: a byte a nucleotide, the proteins with what is known of them, no rows.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lifecode.data.formats.malformed import Settle, settle_by
from lifecode.data.formats.opening import Format, file_format, opened
from lifecode.data.reading.contig_names import Namesake, told_apart
from lifecode.data.reading.inputs import Inputs, InputUnit, files_of, resolve_inputs
from lifecode.data.reading.read import ReadingSettings, read_unit
from lifecode.data.records import Contig
from lifecode.data.splits.twins import strandless_digest
from lifecode.datasets.luca_one.records.gene_regions import FEATURES, gene_regions
from lifecode.datasets.luca_one.records.gene_rows import AnnotatedContig
from lifecode.datasets.luca_one.records.interpro import Entries, accession_of, interpro_spans
from lifecode.datasets.luca_one.records.label_source import LabelSource, sourced_labels
from lifecode.datasets.luca_one.records.left_out import LeftOut
from lifecode.datasets.luca_one.records.orders import Orders
from lifecode.datasets.luca_one.records.protein_rows import LabelledProtein
from lifecode.datasets.luca_one.records.structures import Chain, chains_of
from lifecode.datasets.luca_one.records.swissprot import Protein, swissprot_proteins
from lifecode.errors import UserError

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSources:
    """The files that rows are made from.

    Attributes:
        input: sequences, as for `read_records`; None where structures alone are given.
        interpro: `protein2ipr.dat` or TSV of InterProScan.
        interpro_entries: `entry.list` of InterPro, which says of what type an entry is.
        structures: mmCIF and PDB files; of two of one sequence the first counts.
        orders: names of taxonomic orders, or the folder of the NCBI's taxonomy; see `Orders.read`.
        labels: further sources of labels of the proteins of `input`, by names of the user's.
    """

    input: Inputs | None = None
    interpro: Inputs = ()
    interpro_entries: str | Path | None = None
    structures: Inputs = ()
    orders: str | Path | None = None
    labels: Mapping[str, LabelSource] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Records:
    """What was read.

    Attributes:
        contigs: with their gene types.
        proteins: with their labels; no two of one name.
        left_out: what is in neither.
        structures: how many chains have their sequence from SEQRES, and how many the observed one.
    """

    contigs: list[AnnotatedContig]
    proteins: list[LabelledProtein]
    left_out: LeftOut
    structures: Counter[str]


def read_sources(
    sources: RowSources, reading: ReadingSettings, *, pseudogenes: bool = True, say: Say = lambda _: None
) -> Records:
    """Read all files.

    Args:
        sources: what to read.
        reading: what the files do not say.
        pseudogenes: as for `gene_regions`.
        say: is told what is being read.

    Raises:
        UserError: a file that is not there or cannot be read, or that another one is needed for.
    """
    left_out = LeftOut()
    if sources.interpro and sources.interpro_entries is None:
        raise UserError(
            "matches do not say of what type an entry is",
            source="interpro",
            remedy="Give interpro_entries=entry.list, which InterPro has beside protein2ipr.dat.gz",
        )
    orders = Orders.read(sources.orders)
    entries = None if sources.interpro_entries is None else Entries.read(sources.interpro_entries)
    structures = _files_of(sources.structures)
    if not sources.input and not structures:
        raise UserError("no input was given", remedy="Name sequence files by input, or structures")
    units = resolve_inputs(sources.input) if sources.input else []
    contigs: list[tuple[int, Contig]] = []
    proteins: dict[str, Protein] = {}
    for number, record in _records(units, reading, left_out, say):
        if isinstance(record, Contig):
            contigs.append((number, record))
        elif (before := proteins.get(record.id)) is not None:
            left_out.add(record.id, "protein_of_a_name_given_before", record.source)
            if before.sequence == record.sequence and _num_labels(record) > _num_labels(before):
                proteins[record.id] = record
        else:
            proteins[record.id] = record
    say("finding the gene types")
    annotated = [
        AnnotatedContig(
            contig, gene_regions(contig, left_out, pseudogenes=pseudogenes), orders.order_of(contig.lineage)
        )
        for contig in _named(contigs, units)
    ]
    say("reading the matches of InterPro")
    lengths = {name: len(protein.sequence) for name, protein in proteins.items()}
    matches = interpro_spans(_files_of(sources.interpro), entries, lengths, left_out) if entries else {}
    sourced = sourced_labels(sources.labels, {name: protein.sequence for name, protein in proteins.items()})
    labelled = {
        name: LabelledProtein(
            protein,
            orders.order_of(protein.lineage),
            matches.get(name, {}),
            sourced=sourced.get(name, ()),
        )
        for name, protein in proteins.items()
    }
    told = _with_structures(labelled, structures, reading, left_out, say)
    return Records(annotated, list(labelled.values()), left_out, told)


def _records(
    units: Sequence[InputUnit], reading: ReadingSettings, left_out: LeftOut, say: Say
) -> Iterator[tuple[int, Contig | Protein]]:
    """Contigs and proteins as they stand in the files, with the number of their unit."""

    def report(source: str, record: str, problem: str) -> None:
        left_out.add(record or Path(source).name, "malformed_record", problem)

    for number, unit in enumerate(units):
        for count, record in enumerate(_of_unit(unit, reading, report, left_out), start=1):
            say(f"{unit.files[0].name}: {count:,} records read")
            yield number, record


def _of_unit(
    unit: InputUnit, reading: ReadingSettings, report: Callable[[str, str, str], None], left_out: LeftOut
) -> Iterator[Contig | Protein]:
    file = unit.files[0]
    if _is_swissprot(unit):
        settle = settle_by(reading.on_malformed, report)
        with opened(file) as handle:
            yield from swissprot_proteins(handle, str(file), settle, left_out)
        return
    for contig in read_unit(unit, reading, report, FEATURES):
        yield _protein_of(contig) if contig.molecule == "protein" else contig


def _is_swissprot(unit: InputUnit) -> bool:
    try:
        return file_format(unit.files[0]) == Format.SWISS_PROT
    except (UserError, OSError):
        return False  # reading it will say what is wrong


def _protein_of(contig: Contig) -> Protein:
    """A record of a protein FASTA file; the accession out of a name as UniProt writes it."""
    sequence = contig.coding_sequences[0].protein or ""
    return Protein(id=accession_of(contig.name), sequence=sequence, source=Path(contig.source).name)


def _named(contigs: Sequence[tuple[int, Contig]], units: Sequence[InputUnit]) -> Iterator[Contig]:
    """The contigs, those of several files that share a name with their file behind it, as in a corpus."""
    alike = Counter(contig.name for _, contig in contigs)
    namesakes = [
        Namesake(number, contig.name, strandless_digest(contig.nucleotides)[0], unit)
        for number, (unit, contig) in enumerate(contigs)
        if alike[contig.name] > 1
    ]
    renamed = told_apart(namesakes, units)
    for number, (_, contig) in enumerate(contigs):
        yield replace(contig, name=renamed[number]) if number in renamed else contig


def _with_structures(
    proteins: dict[str, LabelledProtein],
    files: Iterable[Path],
    reading: ReadingSettings,
    left_out: LeftOut,
    say: Say,
) -> Counter[str]:
    """Give each protein of a chain's sequence its coordinates; a chain of no protein becomes one."""

    def note(source: str, _: str, problem: str) -> None:
        left_out.add(Path(source).name, "malformed_structure", problem)

    settle: Settle = settle_by(reading.on_malformed, note)
    names: dict[str, list[str]] = {}
    for name, labelled in proteins.items():
        names.setdefault(labelled.protein.sequence, []).append(name)
    seen: set[str] = set()
    told: Counter[str] = Counter()
    for count, file in enumerate(files, start=1):
        say(f"{file.name}: {count:,} structures read")
        try:
            chains: list[Chain] = list(chains_of(file))
        except UserError as fault:
            settle(fault)
            continue
        if not chains:
            left_out.add(file.name, "structure_without_protein")
        for chain in chains:
            if chain.sequence in seen:
                left_out.add(chain.id, "structure_of_a_sequence_given_before", chain.source)
                continue
            seen.add(chain.sequence)
            told[chain.sequence_from] += 1
            for name in names.get(chain.sequence) or [_new(chain, proteins)]:
                proteins[name] = replace(proteins[name], coordinates=chain.coordinates)
    return told


def _new(chain: Chain, proteins: dict[str, LabelledProtein]) -> str:
    """The name of a chain, of which a protein is made; numbered where another has it."""
    name, number = chain.id, 1
    while name in proteins:
        number += 1
        name = f"{chain.id}#{number}"
    proteins[name] = LabelledProtein(Protein(id=name, sequence=chain.sequence, source=chain.source))
    return name


def _files_of(named: Inputs) -> list[Path]:
    """Files and matches of globs, each once."""
    found: dict[Path, None] = {}
    for entry in [named] if isinstance(named, str | Path) else named:
        found |= dict.fromkeys(files_of(str(entry)))
    return list(found)


def _num_labels(protein: Protein) -> int:
    """How much a record says of its protein: a FASTA file nothing, Swiss-Prot more."""
    return len(protein.keywords) + len(protein.sites) + len(protein.lineage)
