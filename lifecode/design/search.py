"""The sequence nearest to a design that satisfies constraints, found by DnaChisel (MIT) among its synonyms.

What the search need not have changed it takes back. Where it fails, it begins again from codons of which some
are drawn anew. It draws from NumPy's global generator, which is seeded for it and restored.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import CODONS, NUM_CODONS, STOP
from lifecode.design.synonyms import choices, residues_of, synonym_family
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code

_FRAMES = re.compile("[\u2500-\u257f]")
"""What DnaChisel draws around its words."""
_COUNTED = re.compile(r"FAILURE: \d+ constraints evaluations failed\s+FAIL ")
_REDRAWN = (0.0, 0.1, 0.3, 1.0)
"""Share of the codons that each attempt draws anew: a search that begins elsewhere may find a way."""


def found_near(
    codons: NDArray[np.integer],
    specifications: Callable[[int], Iterable[Any]],
    *,
    protein: str,
    fixed: NDArray[np.integer],
    code: int,
    seed: int,
    name: str,
) -> NDArray[np.int64]:
    """The codons (L,), changed where a constraint needs it.

    Args:
        codons: of a sequence that spells the protein.
        specifications: DnaChisel's, for so many nucleotides.
        protein: one letter a codon, `*` for a stop.
        fixed: positions whose codons stay.
        code: NCBI genetic code.
        seed: of the search.
        name: of the protein, for the error.

    Raises:
        UserError: no such sequence exists, or none was found; says what DnaChisel says.
    """
    from dnachisel import NoSolutionError

    faults: list[NoSolutionError] = []
    for share in _REDRAWN:
        draw = np.random.default_rng((seed, len(faults)))
        start = _redrawn(codons, fixed, share, code, draw)
        try:
            return _solved(start, specifications, protein, fixed, code, draw)
        except NoSolutionError as fault:
            faults.append(fault)
    raise UserError(
        f"the constraints cannot all be satisfied: {_first_sentence(faults[0])}",
        source="constraints",
        record=name,
        remedy="Loosen one of them, keep fewer codons, or try another seed",
    ) from faults[0]


def _solved(
    codons: NDArray[np.integer],
    specifications: Callable[[int], Iterable[Any]],
    protein: str,
    fixed: NDArray[np.integer],
    code: int,
    draw: np.random.Generator,
) -> NDArray[np.int64]:
    import dnachisel

    text = "".join(CODONS[codon] for codon in codons)
    with _seeded(int(draw.integers(2**32))):
        problem = dnachisel.DnaOptimizationProblem(
            text,
            constraints=[
                *_spelling(protein, code),
                *(dnachisel.AvoidChanges(location=(3 * i, 3 * i + 3)) for i in fixed.tolist()),
                *specifications(len(text)),
            ],
            objectives=[dnachisel.AvoidChanges()],
            logger=None,  # pyright: ignore[reportArgumentType]
        )
        problem.resolve_constraints()
        problem.optimize()
    found = problem.sequence
    return np.array([CODONS.index(found[i : i + 3]) for i in range(0, len(found), 3)], dtype=np.int64)


def _spelling(protein: str, code: int) -> list[Any]:
    """That every codon spells its residue; DnaChisel knows no stop codon that also spells one."""
    import dnachisel

    table = genetic_code(code)
    if (table.residues[:NUM_CODONS][table.stops[:NUM_CODONS]] == STOP).all():
        return [dnachisel.EnforceTranslation(genetic_table=table.name, translation=protein)]
    synonyms = choices(residues_of(protein, code, name="protein"), code)
    return [
        dnachisel.EnforceChoice(
            choices=[CODONS[codon] for codon in np.flatnonzero(own)], location=(3 * i, 3 * i + 3)
        )
        for i, own in enumerate(synonyms)
    ]


def _redrawn(
    codons: NDArray[np.integer],
    fixed: NDArray[np.integer],
    share: float,
    code: int,
    draw: np.random.Generator,
) -> NDArray[np.int64]:
    """The codons with so large a share of those that are not fixed drawn anew among their synonyms."""
    family = synonym_family(code)
    changed = np.array(codons, dtype=np.int64)
    for place in np.flatnonzero(draw.random(len(codons)) < share):
        if place not in fixed:
            changed[place] = draw.choice(np.flatnonzero(family == family[codons[place]]))
    return changed


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def _first_sentence(fault: Exception) -> str:
    """What DnaChisel says but for its advice; where it blames itself, what it left unsolved."""
    text, _, unsolved = " ".join(str(fault).split()).partition("to the maintainers:")
    said = _FRAMES.sub("", unsolved or text.partition(" Try to increase")[0])
    return " ".join(_COUNTED.sub("", said).replace(" FAIL ", "; ").split()).strip(" .=>")
