"""Gibbs sampling of codons among synonyms, under a masked model and the usage of a host.

In a pass every codon that has synonyms is masked once and drawn anew, a block of positions at a time, given
all others. A block is at most the share of codons that the model was trained to guess at a time, and its
codons are drawn independently of one another: blocks of one codon would be Gibbs' own, and dearer by their
number. How many passes are enough is not known, so they are counted, not waited for.

From a protein alone there are two beginnings. With all codons masked the first blocks are drawn by a model
that sees neither residues nor species; codons drawn by the host's usage tell it both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lifecode.arguments import fields_checked
from lifecode.design.masked_codons import MASKED, masked_log_probabilities
from lifecode.errors import UserError
from lifecode.models.life_code.model import LifeCode

Start: TypeAlias = Literal["draft", "host", "masked"]


@fields_checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How codons are drawn.

    Args:
        start: what precedes the first pass: the `draft`, codons drawn by the `host`'s usage, or all `masked`;
            None takes the draft where there is one, else `host`. Positions of a draft that are kept stay.
        passes: over the sequence, at most; fewer where one changes nothing.
        mask_fraction: share of the codons masked and drawn at a time.
        temperature: 1 draws by probability, 0 takes the likeliest codon.
        host_weight: exponent of the host's share of a codon, by which the model's probability is multiplied;
            0 leaves it to the model.
        best_of: sequences drawn for each that is kept; kept are the likeliest.
    """

    start: Start | None = None
    passes: int = 3
    mask_fraction: float = 0.1
    temperature: float = 1.0
    host_weight: float = 0.5
    best_of: int = 1

    def __post_init__(self) -> None:
        for name, value, good, range_ in (
            ("passes", self.passes, self.passes >= 1, "at least 1"),
            ("mask_fraction", self.mask_fraction, 0 < self.mask_fraction <= 1, "in (0, 1]"),
            ("temperature", self.temperature, 0 <= self.temperature < np.inf, "at least 0"),
            ("host_weight", self.host_weight, 0 <= self.host_weight < np.inf, "at least 0"),
            ("best_of", self.best_of, self.best_of >= 1, "at least 1"),
        ):
            if not good:
                raise UserError(f"{name} {value} is not {range_}", remedy=f"Give a number {range_}")


def sample(
    model: LifeCode,
    start: NDArray[np.integer],
    allowed: NDArray[np.bool_],
    host_shares: NDArray[np.float64],
    settings: Sampling,
    generators: Sequence[np.random.Generator],
    on_pass: Callable[[int], None] = lambda number: None,
) -> NDArray[np.int64]:
    """Codons (n, L) of one sequence for each generator.

    Args:
        model: read as in evaluation mode.
        start: codon ids (L,), or of each sequence (n, L), to begin with; `MASKED` where there is none yet.
        allowed: (L, 64) codons that each position may have; where it is one, it is taken.
        host_shares: (64,) share of each codon among its synonyms, none 0.
        settings: passes and weights.
        generators: one for each sequence, which depends on no other.
        on_pass: told which pass, from 1, begins.
    """
    begun = np.where(allowed.sum(axis=1) == 1, allowed.argmax(axis=1), start)
    codons = np.array(np.broadcast_to(begun, (len(generators), len(allowed))), dtype=np.int64)
    free = np.flatnonzero(allowed.sum(axis=1) > 1)
    num_blocks = min(int(np.ceil(1 / settings.mask_fraction)), len(free))
    prior = settings.host_weight * np.log(host_shares)
    changing = list(range(len(codons))) if num_blocks else []
    for number in range(1, settings.passes + 1):
        if not changing:
            break
        on_pass(number)
        before = codons.copy()
        orders = [np.array_split(generators[i].permutation(free), num_blocks) for i in changing]
        for blocks in zip(*orders, strict=True):
            for i, block in zip(changing, blocks, strict=True):
                codons[i, block] = MASKED
            expected = masked_log_probabilities(model, [codons[i] for i in changing], blocks)
            for i, block, logits in zip(changing, blocks, expected, strict=True):
                scores = logits + prior
                codons[i, block] = _drawn(scores, allowed[block], settings.temperature, generators[i])
        changing = [i for i in changing if (codons[i] != before[i]).any()]
    return codons


def _drawn(
    scores: NDArray[np.float64], allowed: NDArray[np.bool_], temperature: float, draw: np.random.Generator
) -> NDArray[np.int64]:
    """A codon (n,) of each row of scores (n, 64) among those allowed."""
    scores = np.where(allowed, scores, -np.inf)
    if temperature == 0:
        return scores.argmax(axis=1)
    with np.errstate(over="ignore"):  # of a temperature near 0, which leaves the likeliest alone
        weights = np.exp((scores - scores.max(axis=1, keepdims=True)) / temperature)
    cumulative = np.cumsum(weights, axis=1)
    wanted = draw.random(len(scores)) * cumulative[:, -1]
    return (cumulative <= wanted[:, None]).sum(axis=1)
