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
from lifecode.data.reading.coding_records import CodingRecord, coding_records, those_that_spell
from lifecode.data.reading.named_sequences import given_name, named_sequences
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
    if is_path(given):
        source = given
        records = _of_file(Path(given).expanduser())
    else:
        sequences = as_sequences(given)
        several = len(sequences) > 1
        records = [
            (given_name(one) or (f"protein_{i}" if several else "protein"), _letters(one))
            for i, one in enumerate(sequences, start=1)
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
        given: the path of a file as for `coding_records`, or sequences as for `lifecode.LifeCode.embed`. A
            single sequence is that of a single protein, and as many without names as there are proteins
            are theirs in this order; else the name of the protein decides, or else what they spell.
        proteins: letters by name.
        code: NCBI genetic code.
        key: what the sequences are, for the error.

    Raises:
        UserError: none belongs to a protein, two belong to one, or one does not spell its protein; a stop
            codon that the protein does not have is left away.
    """
    if is_path(given):
        records = coding_records(Path(given).expanduser())
    else:
        names, sequences = named_sequences(given, coding=True)
        records = [CodingRecord((str(name),), one) for name, one in zip(names, sequences, strict=True)]
        if len(names) == len(proteins) and not any(isinstance(name, str) for name in names):
            records = [one._replace(names=(name,)) for name, one in zip(proteins, records, strict=True)]
    if len(records) == len(proteins) == 1:
        records = [records[0]._replace(names=(*proteins,))]
    found: dict[str, NDArray[np.int64]] = {}
    for name, protein in proteins.items():
        own = [one for one in records if name in one.names]
        if len(own) != 1:
            own = those_that_spell(own or records, protein, code)
        if len(own) > 1:
            raise UserError(
                "two sequences have this name or spell this protein",
                source=key,
                record=name,
                remedy="Leave one of them out",
            )
        if own:
            found[name] = _codons(own[0].nucleotides, protein, code, key, name)
    if not found:
        raise UserError(
            f"holds no sequence of {', '.join(list(proteins)[:3])}",
            source=given if isinstance(given, str | os.PathLike) else key,
            remedy="Give coding sequences that spell the proteins",
        )
    return found


def _codons(
    nucleotides: NDArray[np.uint8], protein: str, code: int, key: str, name: str
) -> NDArray[np.int64]:
    codons = codon_ids(nucleotides).astype(np.int64)
    if (codons < 0).any():
        raise UserError(
            f"codon {int(np.flatnonzero(codons < 0)[0]) + 1} has a letter that is not A, C, G or T",
            source=key,
            record=name,
            remedy="Write which nucleotide it is",
        )
    one_more = len(codons) == len(protein) + 1 and not protein.endswith("*")
    if one_more and genetic_code(code).stops[codons[-1]]:
        codons = codons[:-1]
    if len(nucleotides) % 3 or len(codons) != len(protein):
        stop = protein.endswith("*")
        residues = f"{len(protein) - stop:,} residues{' and a stop' if stop else ''}"
        problem = f"{len(nucleotides):,} nucleotides are not the codons of {residues}"
        remedy = "Give three nucleotides for each, and a stop codon where the protein has a stop"
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


def is_path(given: Any) -> bool:
    """Whether a file is meant: by a `Path`, or text with a dot or a slash, which no sequence has."""
    return isinstance(given, os.PathLike) or (isinstance(given, str) and ("." in given or "/" in given))


def _of_file(path: Path) -> Sequence[tuple[str, str]]:
    try:
        with opened(path) as handle:
            records = fasta_records(handle, str(path), settle_by("stop", warn_of_skipped))
            return [(record.name, record.letters.decode("latin-1").upper()) for record in records]
    except OSError as fault:
        raise UserError(
            f"cannot be read ({fault.strerror or fault})",
            source=path,
            remedy="Give a FASTA file, or the letters of one protein",
        ) from fault


def _letters(sequence: Any) -> str:
    return letters_of(sequence).decode("latin-1").upper()
