"""Coding sequences to proteins and back, one or several at a time."""

from collections.abc import Callable
from typing import Any, overload

import numpy as np

from lifecode.alphabet import as_sequences, codon_ids, encode_nucleotides, letters_of
from lifecode.arguments import arguments_checked
from lifecode.data.formats.proteins import CodonChoice, CodonUsage
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code as code_of


@overload
def translate(cds: str, genetic_code: int = 1, *, complete_cds: bool = False) -> str: ...
@overload
def translate(cds: list[str], genetic_code: int = 1, *, complete_cds: bool = False) -> list[str]: ...
@overload
def translate(cds: Any, genetic_code: int = 1, *, complete_cds: bool = False) -> Any: ...
@arguments_checked
def translate(cds: Any, genetic_code: int = 1, *, complete_cds: bool = False) -> str | list[str]:
    """Protein of a DNA or RNA sequence, one letter per complete codon: stops `*`, ambiguous codons `X`.

    Args:
        cds: read from its first nucleotide, one or two behind the last codon are ignored: text in any case,
            bytes, a Seq or SeqRecord of Biopython, nucleotide ids (length,); or several of these as for
            `alphabet.as_sequences`.
        genetic_code: NCBI `transl_table`.
        complete_cds: read a start codon at the first position as M, and in codes 27, 28 and 31 a codon that
            is a residue inside a gene as the stop at the last position.

    Returns:
        The protein, or a list of them for several sequences.

    Raises:
        UserError: unknown genetic code, or a letter that is no nucleotide, naming the sequence by its index.

    >>> translate("GTGGCUTAA"), translate(["GTGGCUTAA"], 11, complete_cds=True)
    ('VA*', ['MA*'])
    """
    code = code_of(genetic_code)

    def protein(sequence: Any, index: int | None = None) -> str:
        ids = sequence if _are_ids(sequence) else encode_nucleotides(sequence, record=index)
        return code.translate(codon_ids(ids), complete_cds=complete_cds)

    return protein(cds) if _are_ids(cds) else _of_one_or_each(protein, cds)


@overload
def reverse_translate(
    protein: str,
    organism: str = "e_coli",
    codon_choice: CodonChoice = "frequent",
    *,
    genetic_code: int = 1,
    seed: int = 0,
) -> str: ...
@overload
def reverse_translate(
    protein: list[str],
    organism: str = "e_coli",
    codon_choice: CodonChoice = "frequent",
    *,
    genetic_code: int = 1,
    seed: int = 0,
) -> list[str]: ...
@overload
def reverse_translate(
    protein: Any,
    organism: str = "e_coli",
    codon_choice: CodonChoice = "frequent",
    *,
    genetic_code: int = 1,
    seed: int = 0,
) -> Any: ...
@arguments_checked
def reverse_translate(
    protein: Any,
    organism: str = "e_coli",
    codon_choice: CodonChoice = "frequent",
    *,
    genetic_code: int = 1,
    seed: int = 0,
) -> str | list[str]:
    """DNA of a protein, three nucleotides per residue and no stop but where the protein has `*`.

    `translate` gives the protein back, of the 20 residues and `*`; see `GeneticCode.reverse_translate` for
    the other letters.

    Args:
        protein: one-letter residues in either case: text, bytes, a Seq or SeqRecord of Biopython; or several
            of these as for `alphabet.as_sequences`.
        organism: whose codon usage, as for `lifecode.usage_tables`: `e_coli`, `Homo sapiens`, `9606`.
        codon_choice: `frequent` takes the most frequent codon of a residue, `sampled` draws by share.
        genetic_code: NCBI `transl_table`; only codons that it reads as the residue are used.
        seed: of the sampled codons, which are a function of the seed and the protein alone.

    Returns:
        The DNA, or a list for several proteins.

    Raises:
        UserError: unknown organism, genetic code or choice, or a letter that is no residue.

    >>> reverse_translate("MLA*"), reverse_translate(["MLA*"], "h_sapiens")
    ('ATGCTGGCGTAA', ['ATGCTGGCCTGA'])
    """
    usage = CodonUsage(organism, codon_choice, seed, genetic_code)

    def dna(residues: Any, index: int | None = None) -> str:
        letters = residues if isinstance(residues, str) else letters_of(residues).decode("latin-1")
        try:
            return usage.dna_of(letters, str.upper(letters))
        except UserError as fault:
            raise UserError(fault.problem, record=index, remedy=fault.remedy) from fault

    return _of_one_or_each(dna, protein)


def _of_one_or_each(function: Callable[..., str], given: Any) -> str | list[str]:
    """The result of the one sequence that was given, or the list of those of several, called by index."""
    sequences = as_sequences(given)
    if len(sequences) == 1 and sequences[0] is given:
        return function(given)
    return [function(sequence, index) for index, sequence in enumerate(sequences)]


def _are_ids(given: Any) -> bool:
    return isinstance(given, np.ndarray) and given.ndim > 0 and given.dtype.kind not in "SUOT"
