"""The proteins to design for, and the coding sequences that they have already, by name."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, as_sequences, codon_ids, letters_of
from lifecode.data.formats.fasta import fasta_records
from lifecode.data.formats.malformed import settle_by, warn_of_skipped
from lifecode.data.formats.opening import opened
from lifecode.data.reading.named_sequences import named_sequences
from lifecode.design.synonyms import synonym_family
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code

_SHORTEST_DNA = 20
"""Letters of a sequence of A, C, G, T and N alone that is hardly a protein."""


def named_proteins(given: Any) -> dict[str, str]:
    """Proteins in capital letters by name.

    Args:
        given: the path of a FASTA file, or one or several proteins as for `alphabet.as_sequences`: those
            without a name of their own are called `protein`, or `protein_1`, `protein_2`, ...

    Raises:
        UserError: a file that cannot be read or holds none, two of one name, or nucleotides.
    """
    source: object = "protein"
    if isinstance(given, os.PathLike) or (isinstance(given, str) and ("." in given or "/" in given)):
        source = given
        records = _of_file(Path(given).expanduser())
    else:
        sequences = as_sequences(given)
        names = [getattr(one, "id", None) for one in sequences]
        several = len(sequences) > 1
        records = [
            (str(name) if name else f"protein_{i}" if several else "protein", _letters(one))
            for i, (name, one) in enumerate(zip(names, sequences, strict=True), start=1)
        ]
    if not records:
        raise UserError("holds no protein", source=source, remedy="Give a FASTA file of at least one")
    proteins: dict[str, str] = {}
    for name, letters in records:
        if name in proteins:
            raise UserError(
                "two proteins have this name", source=source, record=name, remedy="Give each its own"
            )
        if len(letters) >= _SHORTEST_DNA and set(letters) <= set("ACGTN"):
            raise UserError(
                "reads like nucleotides, and a protein is wanted",
                source=source,
                record=name,
                remedy="Translate it, with lifecode.translate say, and give the sequence itself as a draft",
            )
        proteins[name] = letters
    return proteins


def coding_sequences(
    given: Any, proteins: dict[str, str], code: int, *, key: str
) -> dict[str, NDArray[np.int64]]:
    """Codon ids (L,) of the coding sequence of every protein that has one, and of one at least.

    Args:
        given: the path of a FASTA file, or sequences as for `lifecode.LifeCode.embed`; a single sequence is
            that of a single protein whatever its name, else names decide.
        proteins: letters by name.
        code: NCBI genetic code.
        key: what the sequences are, for the error.

    Raises:
        UserError: none belongs to a protein, two belong to one, or one does not spell its protein; a stop
            codon that the protein does not have is left away.
    """
    sequences = named_sequences(
        Path(given).expanduser() if isinstance(given, str) and "." in given else given
    )
    names = [str(name) for name in sequences.names]
    if len(names) == len(proteins) == 1:
        names = list(proteins)
    found: dict[str, NDArray[np.int64]] = {}
    for name, nucleotides in zip(names, sequences.nucleotides, strict=True):
        if name in found:
            raise UserError(
                "two sequences have this name", source=key, record=name, remedy="Leave one of them out"
            )
        if name in proteins:
            found[name] = _codons(nucleotides, proteins[name], code, key, name)
    if not found:
        raise UserError(
            f"holds no sequence of {', '.join(list(proteins)[:3])}",
            source=given if isinstance(given, str | os.PathLike) else key,
            remedy="Name each coding sequence as its protein",
        )
    return found


def _codons(
    nucleotides: NDArray[np.uint8], protein: str, code: int, key: str, name: str
) -> NDArray[np.int64]:
    codons = codon_ids(nucleotides).astype(np.int64)
    one_more = len(codons) == len(protein) + 1 and not protein.endswith("*")
    if one_more and codons[-1] >= 0 and genetic_code(code).stops[codons[-1]]:
        codons = codons[:-1]
    if len(nucleotides) % 3 or len(codons) != len(protein) or (codons < 0).any():
        problem = f"{len(nucleotides):,} nucleotides are not the codons of {len(protein):,} residues"
        remedy = "Give A, C, G and T, three for each residue"
        raise UserError(problem, source=key, record=name, remedy=remedy)
    spelled = [AMINO_ACIDS[index] for index in synonym_family(code)[codons]]
    if protein[0] == "M" and genetic_code(code).starts[codons[0]]:
        spelled[0] = "M"
    for place, (letter, wanted) in enumerate(zip(spelled, protein, strict=True), start=1):
        if letter != wanted:
            raise UserError(
                f"codon {place} spells {letter}, and the protein has {wanted}",
                source=key,
                record=name,
                remedy=f"Give a sequence of this protein, read by genetic code {code} from its start on",
            )
    return codons


def _of_file(path: Path) -> Sequence[tuple[str, str]]:
    try:
        with opened(path) as handle:
            records = fasta_records(handle, str(path), settle_by("stop", warn_of_skipped))
            return [(record.name, record.letters.decode("latin-1").upper()) for record in records]
    except OSError as fault:
        raise UserError(f"cannot be read ({fault.strerror or fault})", source=path) from fault


def _letters(sequence: Any) -> str:
    return letters_of(sequence).decode("latin-1").upper()
