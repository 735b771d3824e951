"""One protein to its designs, and to what they are compared with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import CODONS
from lifecode.design.constraints import Constraints
from lifecode.design.fixed_codons import fixed_codons, require_synonyms
from lifecode.design.host import HostUsage, best_codons, matched_usage
from lifecode.design.masked_codons import MASKED, strided_log_probabilities
from lifecode.design.sampler import Sampling, sample
from lifecode.design.synonyms import choices, residues_of, starting
from lifecode.design.verified import require_translates
from lifecode.errors import UserError
from lifecode.models.life_code.model import LifeCode

Kind: TypeAlias = Literal["design", "best_codon", "matched_usage", "wild_type"]


@dataclass(frozen=True, slots=True, eq=False)
class CodingDesign:
    """A coding sequence of a protein.

    Attributes:
        protein: name of the protein.
        kind: a `design`, or what designs are compared with.
        number: of a design among those of its protein, from 1; 0 for the others.
        codons: ids (L,).
        log_likelihood: mean log P of the model at its codons, every tenth masked at a time, in nats.
        score: by which designs are ranked: the mean log P among synonyms plus `host_weight` times the mean
            log share of the host, in nats.
        changed_by_constraints: codons that the constraints changed after they were drawn.
    """

    protein: str
    kind: Kind
    number: int
    codons: NDArray[np.int64]
    log_likelihood: float
    score: float
    changed_by_constraints: int = 0

    @property
    def id(self) -> str:
        """`NAME|1` of a design, `NAME|best_codon` of another sequence."""
        return f"{self.protein}|{self.number or self.kind}"

    @property
    def dna(self) -> str:
        """Its nucleotides."""
        return "".join(CODONS[codon] for codon in self.codons)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """A protein to design for.

    Attributes:
        name: of the protein.
        protein: one letter a codon.
        draft: codon ids (L,) to start from; None starts from the protein alone.
        keep: positions of the draft whose codons stay.
        wild_type: codon ids (L,) to compare with, or None.
        n: designs wanted.
        seed: of every draw, together with the name.
    """

    name: str
    protein: str
    draft: NDArray[np.int64] | None
    keep: NDArray[np.int64]
    wild_type: NDArray[np.int64] | None
    n: int
    seed: int


def design(
    model: LifeCode,
    task: Task,
    host: HostUsage,
    sampling: Sampling,
    constraints: Constraints,
    on_step: Callable[[str], None] = lambda step: None,
) -> list[CodingDesign]:
    """The designs, the likeliest first, then best codons, matched usage and the wild type.

    Every one of the first is checked to spell the protein, by another way than it was made.

    Raises:
        UserError: a residue without a codon, a codon that cannot be kept or fixed, or constraints that
            nothing satisfies.
    """
    spelling, allowed, held = designable(task, host, sampling, constraints)
    generators = [_generator(task, f"draw {number}") for number in range(task.n * sampling.best_of)]
    start = _start(task, sampling, spelling, host, generators)
    drawn = sample(
        model, start, allowed, host.shares, sampling, generators, lambda number: on_step(f"pass {number}")
    )
    on_step("constraints")
    kept = [
        constraints.satisfied(
            codons,
            protein=task.protein,
            fixed=held,
            code=host.genetic_code,
            seed=int(_generator(task, f"constraints {number}").integers(2**32)),
            name=task.name,
        )
        for number, codons in enumerate(drawn)
    ]
    others: dict[Kind, NDArray[np.int64]] = {
        "best_codon": best_codons(spelling, host),
        "matched_usage": matched_usage(spelling, host, _generator(task, "matched usage")),
    }
    if task.wild_type is not None:
        others["wild_type"] = task.wild_type
    on_step("likelihood")
    spelt = [*kept, *others.values()]
    read = list(zip(spelt, strided_log_probabilities(model, spelt), strict=True))
    means = [float(logits[np.arange(len(codons)), codons].mean()) for codons, logits in read]
    scores = [_score(codons, logits, spelling, host, sampling) for codons, logits in read]
    best = sorted(range(len(kept)), key=lambda i: (-scores[i], i))[: task.n]
    designs = [
        CodingDesign(
            task.name, "design", number, kept[i], means[i], scores[i], int((kept[i] != drawn[i]).sum())
        )
        for number, i in enumerate(best, start=1)
    ]
    for one in designs:
        require_translates(one.dna, task.protein, host.genetic_code, name=one.id)
    beside = [
        CodingDesign(task.name, kind, 0, codons, mean, score)
        for (kind, codons), mean, score in zip(
            others.items(), means[len(kept) :], scores[len(kept) :], strict=True
        )
    ]
    return [*designs, *beside]


def designable(
    task: Task, host: HostUsage, sampling: Sampling, constraints: Constraints
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]:
    """Whether a protein can be designed for, before anything is drawn.

    Returns:
        The codons (L, 64) that spell each position, those that it may have, and the positions that have one
        codon only.

    Raises:
        UserError: a residue without a codon, a codon that cannot be kept or fixed, or no draft to start from.
    """
    spelling = choices(residues_of(task.protein, host.genetic_code, name=task.name), host.genetic_code)
    spelling[0] &= starting(task.protein, host.genetic_code)
    if sampling.start == "draft" and task.draft is None:
        raise UserError(
            "has no draft to start from", source="sampling.start", record=task.name, remedy="Give draft="
        )
    return spelling, *_held(task, spelling, constraints)


def _start(
    task: Task,
    sampling: Sampling,
    spelling: NDArray[np.bool_],
    host: HostUsage,
    generators: Sequence[np.random.Generator],
) -> NDArray[np.int64]:
    """The codons (L,), or (n, L) of each sequence, that precede the first pass."""
    if sampling.start == "masked":
        return np.full(len(spelling), MASKED)
    if task.draft is not None and sampling.start != "host":
        return task.draft
    return np.stack([matched_usage(spelling, host, draw) for draw in generators])


def _held(
    task: Task, spelling: NDArray[np.bool_], constraints: Constraints
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """The codons (L, 64) that each position may have, and the positions that have one only."""
    allowed = spelling.copy()
    for place in task.keep.tolist():
        assert task.draft is not None
        codon = int(task.draft[place])
        if not spelling[place, codon]:
            raise UserError(
                f"codon {place + 1}, {CODONS[codon]}, reads {task.protein[place]} as a start codon only",
                source="keep",
                record=task.name,
                remedy="Leave it out of keep",
            )
        allowed[place] = np.arange(len(CODONS)) == codon
    fixed = fixed_codons(constraints.fixed_codons)
    require_synonyms(fixed, spelling, task.protein, name=task.name)
    for place, codon in fixed.items():
        if not allowed[place, codon]:
            raise UserError(
                f"position {place + 1} is kept and has another codon than {CODONS[codon]}",
                source="constraints.fixed_codons",
                record=task.name,
                remedy="Leave it out of keep",
            )
        allowed[place] = np.arange(len(CODONS)) == codon
    held = [*fixed, *([0] if allowed[0].sum() == 1 else [])]
    return allowed, np.union1d(task.keep, np.array(held, dtype=np.int64)).astype(np.int64)


def _score(
    codons: NDArray[np.int64],
    logits: NDArray[np.float64],
    spelling: NDArray[np.bool_],
    host: HostUsage,
    sampling: Sampling,
) -> float:
    """Mean log-probability among synonyms, the host's share weighed as in the sampling.

    An alternative start codon, which spells M by its place alone, counts as a codon without synonyms, 0, as
    ATG does in a design.
    """
    own = np.arange(len(codons)), codons
    among = np.logaddexp.reduce(np.where(spelling, logits, -np.inf), axis=1)
    scores = logits[own] - among + sampling.host_weight * np.log(host.shares[codons])
    return float(np.where(spelling[own], scores, 0).mean())


def _generator(task: Task, use: str) -> np.random.Generator:
    """Depends on the seed, the name and the use alone, so that no protein changes another's designs."""
    text = f"{task.seed}\0{task.name}\0{use}".encode("utf-8", errors="replace")
    return np.random.default_rng(int.from_bytes(blake2b(text, digest_size=16).digest()))


def designs_of(sequences: Sequence[CodingDesign]) -> list[CodingDesign]:
    """Those that were designed."""
    return [one for one in sequences if one.kind == "design"]
