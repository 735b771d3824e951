"""Does a design spell its protein? Biopython is asked, and nothing that draws codons goes through it.

DnaChisel translates by Biopython's tables too, but what it makes is read here as any other DNA.
"""

import warnings

from Bio import BiopythonWarning
from Bio.Data import CodonTable
from Bio.Seq import Seq

from lifecode.errors import UserError


def require_translates(dna: str, protein: str, code: int, *, name: str) -> None:
    """Raises a `UserError` unless DNA translates to a protein, codon for codon, and has no other letter.

    Args:
        dna: letters A, C, G and T.
        protein: one letter a codon, with `*` where the last is a stop.
        code: NCBI genetic code.
        name: of the design.
    """
    table = CodonTable.unambiguous_dna_by_id[code]
    body, stop = (dna[:-3], dna[-3:]) if protein.endswith("*") else (dna, "")
    residues = protein.removesuffix("*")
    with warnings.catch_warnings():  # that a code has codons which spell a residue and stop too
        warnings.simplefilter("ignore", BiopythonWarning)
        spelled = "" if len(body) % 3 else str(Seq(body).translate(table=table))
    if spelled != residues or set(dna) - set("ACGT") or (stop and stop not in table.stop_codons):
        raise UserError(
            "does not translate to its protein, so nothing is written",
            record=name,
            remedy="This is a fault of the program: please report it with the command",
        )
