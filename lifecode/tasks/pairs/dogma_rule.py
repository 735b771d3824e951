"""The rule of the central dogma, without learning: does this DNA translate to this protein?

Three frames are translated as they are; then introns that begin with GT and end with AG are left out, any
number and anywhere. The protein must begin at a start codon and end before a stop or at the end of the DNA.
One strand is read. Where a set of pairs is made by breaking translation, this solves it, and a model that
does not reach the rule has not learnt it.
"""

from bisect import bisect_left
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import CODONS, codon_ids, decode_nucleotides, encode_nucleotides
from lifecode.genetic_code import GeneticCode, genetic_code
from lifecode.tasks.pairs.pair_examples import PairExamples

SHORTEST_INTRON = 20
_CODE = 1
_BACTERIAL_STARTS = 11


def rule_features(examples: PairExamples) -> NDArray[np.float32]:
    """(n, 1): 1 where the first sequence, a DNA, translates to the second, a protein."""
    code, starts = genetic_code(_CODE), genetic_code(_BACTERIAL_STARTS)
    first, second = examples.first, examples.second
    pairs = list(zip(first.rows.tolist(), second.rows.tolist(), strict=True))
    found = {(i, j): translates_to(first.letters[i], second.letters[j], code, starts) for i, j in set(pairs)}
    return np.array([[found[pair]] for pair in pairs], dtype=np.float32)


def translates_to(dna: str, protein: str, code: GeneticCode, starts: GeneticCode) -> bool:
    """Whether one frame, or exons between GT-AG introns, hold the protein.

    Args:
        dna: letters.
        protein: letters of residues, with or without a stop behind them.
        code: that is read.
        starts: whose start codons may stand for M.
    """
    ids = encode_nucleotides(dna)
    protein = protein.upper().rstrip("*")
    if not protein or len(ids) < 3 * len(protein):
        return False
    if any(_in_frame(ids[frame:], protein, code, starts) for frame in range(3)):
        return True
    return _spliced(decode_nucleotides(ids), protein, code, starts)


def _in_frame(ids: NDArray[np.uint8], protein: str, code: GeneticCode, starts: GeneticCode) -> bool:
    codons = codon_ids(ids)
    letters = code.translate(codons)
    at = letters.find(protein[1:], 1)
    while at > 0:
        end = at + len(protein) - 1
        begins = letters[at - 1] == protein[0] or (protein[0] == "M" and starts.starts[codons[at - 1]])
        if begins and (end >= len(codons) or letters[end] == "*"):
            return True
        at = letters.find(protein[1:], at + 1)
    return False


def _spliced(dna: str, protein: str, code: GeneticCode, starts: GeneticCode) -> bool:
    """The same along any introns; all places that are reached with as many residues are followed together."""
    acceptors = [place + 2 for place in range(len(dna) - 1) if dna.startswith("AG", place)]
    first = [
        code.letters[i] == ord(protein[0]) or (protein[0] == "M" and starts.starts[i]) for i in range(64)
    ]
    begins = {codon for codon, fits in zip(CODONS, first, strict=True) if fits}
    places = {at + 3 for at in range(len(dna) - 2) if dna[at : at + 3] in begins}
    for residue in protein[1:]:
        places = _one_codon(places, dna, _prefixes(residue, code.number), acceptors)
        if not places:
            return False
    at_the_end = any(at > len(dna) - 3 for at in places)
    return at_the_end or bool(_one_codon(places, dna, _prefixes("*", code.number), acceptors))


def _one_codon(places: set[int], dna: str, prefixes: frozenset[str], acceptors: list[int]) -> set[int]:
    """Where a codon ends that begins at one of these places, introns before or inside it left out."""
    reached = {(at, "") for at in places}
    for _ in range(3):
        further = set()
        for at, part in reached:
            nexts = [at]
            if dna.startswith("GT", at):
                nexts += acceptors[bisect_left(acceptors, at + SHORTEST_INTRON) :]
            further |= {
                (place + 1, part + dna[place])
                for place in nexts
                if place < len(dna) and part + dna[place] in prefixes
            }
        reached = further
    return {at for at, _ in reached}


@cache
def _prefixes(residue: str, code: int) -> frozenset[str]:
    """The codons of a residue, and all that they begin with."""
    letters = genetic_code(code).letters
    codons = [codon for number, codon in enumerate(CODONS) if letters[number] == ord(residue)]
    return frozenset(codon[:length] for codon in codons for length in (1, 2, 3))
