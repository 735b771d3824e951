"""Proteins as coding sequences: FASTA and Swiss-Prot flat files, written in the codons of an organism.

Reverse translation gives three nucleotides per residue and no stop; the codon is the most frequent one, or
drawn by its share with a generator that depends on the seed and the protein's name and on nothing else.
Selenocysteine and pyrrolysine are marked as GenBank marks them, by `transl_except`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import BinaryIO, Literal, TypeAlias

import numpy as np

from lifecode.alphabet import encode_nucleotides
from lifecode.data.formats.fasta import fasta_records
from lifecode.data.formats.flat_records import split_before
from lifecode.data.formats.malformed import Settle
from lifecode.data.formats.swissprot import SwissProtEntry, parse_entry
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code

CodonChoice: TypeAlias = Literal["frequent", "sampled"]

_RECODED = {"U": "Sec", "O": "Pyl"}


@dataclass(frozen=True, slots=True)
class CodonUsage:
    """How a protein becomes codons.

    Attributes:
        organism: as for `lifecode.usage_tables`.
        choice: `frequent`, or `sampled` by share.
        seed: of the sampled codons.
        genetic_code: NCBI number.
    """

    organism: str
    choice: CodonChoice
    seed: int
    genetic_code: int

    def dna_of(self, protein: str, name: str) -> str:
        """Three nucleotides per residue; sampled codons depend on the seed and the name."""
        generator = None
        if self.choice == "sampled":
            digest = blake2b(
                f"{self.seed}\0{name}".encode("utf-8", errors="replace"), digest_size=16
            ).digest()
            generator = np.random.default_rng(int.from_bytes(digest))
        return genetic_code(self.genetic_code).reverse_translate(protein, self.organism, generator=generator)


def read_protein_fasta(handle: BinaryIO, source: str, usage: CodonUsage, settle: Settle) -> Iterator[Contig]:
    """Yield the records of a protein FASTA file as `protein` contigs, one CDS each.

    Args:
        handle: uncompressed bytes of the file.
        source: its name.
        usage: how residues become codons.
        settle: takes the fault of a record.
    """
    for name, _, letters in fasta_records(handle, source, settle):
        try:
            contig = _contig(SwissProtEntry(name, letters.decode("latin-1")), source, usage)
        except UserError as fault:
            settle(UserError(fault.problem, source=source, record=name, remedy=fault.remedy))
        else:
            yield contig


def read_swissprot(handle: BinaryIO, source: str, usage: CodonUsage, settle: Settle) -> Iterator[Contig]:
    """Yield the entries of a Swiss-Prot flat file as `protein` contigs, one CDS each, named by accession.

    Args:
        handle: uncompressed bytes of the file.
        source: its name.
        usage: how residues become codons.
        settle: takes the fault of an entry.
    """
    for number, text in enumerate(split_before(handle, b"ID   "), start=1):
        try:
            contig = _contig(parse_entry(text), source, usage)
        except UserError as fault:
            settle(UserError(fault.problem, source=source, record=f"entry {number}", remedy=fault.remedy))
        else:
            yield contig


def _contig(entry: SwissProtEntry, source: str, usage: CodonUsage) -> Contig:
    """A protein as one CDS from its first codon to its last."""
    letters = entry.protein.upper()
    nucleotides = encode_nucleotides(usage.dna_of(letters, entry.accession))
    coding = CodingSequence(
        id=entry.accession,
        gene=entry.gene,
        exons=(Exon(0, len(nucleotides), 1),),
        genetic_code=usage.genetic_code,
        protein=letters.removesuffix("*"),
        transl_except=tuple(
            f"(pos:{3 * i + 1}..{3 * i + 3},aa:{_RECODED[letter]})"
            for letter in _RECODED.keys() & set(letters)
            for i in _places(letters, letter)
        ),
    )
    return Contig(
        name=entry.accession,
        nucleotides=nucleotides,
        source=source,
        organism=entry.organism,
        taxon=entry.taxon,
        genetic_code=usage.genetic_code,
        coding_sequences=(coding,),
        molecule="protein",
    )


def _places(letters: str, letter: str) -> list[int]:
    return [i for i, each in enumerate(letters) if each == letter]
