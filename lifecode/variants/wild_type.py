"""The wild type of a mutational scan, as the model that is asked reads it: codons, or residues."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, NUM_CODONS, codon_ids, encode_nucleotides
from lifecode.data.formats.proteins import CodonUsage
from lifecode.errors import UserError
from lifecode.genetic_code import GeneticCode, genetic_code
from lifecode.models.masked_reading import MaskedModel, MaskedReader
from lifecode.variants.reading.reverse_translation import ReverseTranslation
from lifecode.variants.reading.scan_files import Substitution


@dataclass(frozen=True, slots=True)
class WildType:
    """A protein that is mutated.

    Attributes:
        ids: nucleotide ids of its codons (3L,), or ASCII codes of its residues (L,), as the reader has it.
        reader: the model.
        usage: in which codons new residues are written, and by which code codons are read.
        protein: its residues; the first is M by an alternative start codon too.
        how_written: how codons were chosen, where any had to be.
    """

    ids: NDArray[np.uint8]
    reader: MaskedReader
    usage: CodonUsage
    protein: str
    how_written: str | None = None

    @property
    def code(self) -> GeneticCode:
        """By which codons are read."""
        return genetic_code(self.usage.genetic_code)

    @property
    def num_places(self) -> int:
        """Codons or residues."""
        return len(self.ids) // self.reader.letters_per_place

    @property
    def unit(self) -> str:
        """What a place is, in the plural."""
        return "codons" if self.reader.letters_per_place == 3 else "residues"

    def residue_log_p(self, log_p: NDArray[np.floating]) -> NDArray[np.float64]:
        """log P of each residue of `AMINO_ACIDS` (n, 21), from what the reader says."""
        if self.reader.columns == NUM_CODONS:
            return residue_log_p(log_p, self.code)
        return log_p.astype(np.float64)

    def mutated(self, mutant: tuple[Substitution, ...]) -> NDArray[np.uint8]:
        """Its ids with substitutions; a drawn codon depends on place and residue alone."""
        ids, size = self.ids.copy(), self.reader.letters_per_place
        for one in mutant:
            if one.new == one.old:
                continue
            letters = one.new
            if size == 3:
                dna = self.usage.dna_of(one.new, f"{one.place + 1}{one.new}")
                ids[3 * one.place : 3 * one.place + 3] = encode_nucleotides(dna)
            else:
                ids[one.place] = ord(letters)
        return ids

    def residues_of(self, ids: NDArray[np.uint8], *, from_start: bool = True) -> NDArray[np.int64]:
        """Index in `AMINO_ACIDS` of what stands at each place of ids (L,), -1 for anything else.

        Args:
            ids: of the wild type, or of a mutant or a stretch of it.
            from_start: whether they begin where the wild type does: its first codon spells its first residue.
        """
        if self.reader.letters_per_place == 3:
            codons = codon_ids(ids).astype(np.int64)
            found = np.where(codons < 0, -1, self.code.residues[codons].astype(np.int64))
            if from_start and len(found) and (ids[:3] == self.ids[:3]).all():
                found[0] = AMINO_ACIDS.find(self.protein[0])
            return found
        table = np.full(256, -1, dtype=np.int64)
        table[[ord(letter) for letter in AMINO_ACIDS]] = np.arange(len(AMINO_ACIDS))
        return table[ids]


def wild_types(
    reader: MaskedReader,
    protein: str,
    codons: str | None,
    written: ReverseTranslation,
    genetic_code: int,
    *,
    draws_mutants: bool,
) -> list[WildType]:
    """A wild type in the letters that a model reads: one, or one for each draw of codons.

    Args:
        reader: the model.
        protein: its residues.
        codons: its coding sequence; None: a model of codons reads the protein, and a stop, as `written`.
        written: in which codons the protein and new residues are.
        genetic_code: NCBI number.
        draws_mutants: whether new residues are read as codons too, as by `pseudo_likelihood`.
    """
    usages = written.usages(genetic_code)
    if reader.letters_per_place == 1:
        ids = np.frombuffer(protein.encode("ascii", "replace"), dtype=np.uint8)
        return [WildType(ids, reader, usages[0], protein)]
    if codons is not None:
        how = f"new residues in {written.told}" if draws_mutants else None
        own = usages if draws_mutants else usages[:1]
        return [WildType(encode_nucleotides(codons), reader, usage, protein, how) for usage in own]
    stopped = protein + "*"
    return [
        WildType(
            encode_nucleotides(usage.dna_of(stopped, stopped.upper())),
            reader,
            usage,
            protein,
            f"in {written.told}",
        )
        for usage in usages
    ]


def scan_reader(model: MaskedModel, method: str) -> MaskedReader:
    """The reading of a model in which mutants of a protein are judged: codons if it has them, else residues.

    Raises:
        UserError: the model has none of them, or no translation head for `translator`.
    """
    if method == "translator":
        reader = model.masked_reader("translation")
        if reader is None:
            raise UserError(
                "the model has no translation head",
                source="method",
                remedy="Choose masked, or a model of codons with a translator, such as lifecode-mini",
            )
        return reader
    reader = model.masked_reader("codon") or model.masked_reader("residue")
    if reader is None:
        raise UserError(
            "the model reads neither codons nor residues",
            source="checkpoint",
            remedy="Give a model of codons or of proteins",
        )
    return reader


def residue_log_p(log_p: NDArray[np.floating], code: GeneticCode) -> NDArray[np.float64]:
    """log P of each residue of `AMINO_ACIDS` (n, 21) from that of codons (n, 64)."""
    log_p = log_p.astype(np.float64)
    columns = []
    for residue in range(len(AMINO_ACIDS)):
        own = code.residues[:64] == residue
        columns.append(
            np.logaddexp.reduce(log_p[:, own], axis=1) if own.any() else np.full(len(log_p), -np.inf)
        )
    return np.stack(columns, axis=1)


def checked_cds(cds: str, protein: str, number: int) -> str:
    """The codons of a wild type, with its stop if it has one.

    Args:
        cds: nucleotides of whole codons.
        protein: what they have to read as; a first M may be another start codon.
        number: NCBI genetic code.

    Raises:
        UserError: they read otherwise; the first residue that differs is named.
    """
    code = genetic_code(number)
    codons = codon_ids(encode_nucleotides(cds, source="cds"))
    read = code.translate(codons, complete_cds=protein.startswith("M"))
    read, wanted = read.removesuffix("*"), protein.removesuffix("*")
    pairs = zip(read, wanted, strict=False)
    recoded = "".join(b if a == "*" and b in "UO" else a for a, b in pairs)
    read = recoded + read[len(recoded) :]
    if len(cds) % 3 or read != wanted:
        place = next((i for i, (a, b) in enumerate(zip(read, wanted, strict=False)) if a != b), None)
        where = (
            f"residue {place + 1} is {read[place]}, not {wanted[place]}"
            if place is not None
            else f"it has {len(cds):,} nucleotides for {len(wanted):,} residues"
        )
        raise UserError(
            f"does not read as the protein: {where}", source="cds", remedy="Give the CDS of this very protein"
        )
    return cds
