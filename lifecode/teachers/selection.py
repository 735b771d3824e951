"""Which proteins a teacher reads when there is no time for all of them."""

import hashlib
from collections.abc import Sequence


def select_proteins(proteins: Sequence[str], max_residues: int | None, seed: int = 0) -> list[str]:
    """Distinct proteins, in the order of their first appearance, of at most `max_residues` residues together.

    They are ranked by a hash of (seed, protein) and taken until the next one would not fit. So the choice
    depends neither on the order of `proteins` nor on the machine, and a larger budget only adds to it. None
    takes all.
    """
    distinct = list(dict.fromkeys(proteins))
    if max_residues is None or sum(map(len, distinct)) <= max_residues:
        return distinct
    ranked = sorted(distinct, key=lambda protein: hashlib.sha256(f"{seed}:{protein}".encode()).digest())
    chosen, total = set(), 0
    for protein in ranked:
        total += len(protein)
        if total > max_residues:
            break
        chosen.add(protein)
    return [protein for protein in distinct if protein in chosen]
