"""How a model reads genes it never saw, and what codon statistics reach at the same positions.

Masked figures mask whole codons, `[MASK]` only, at 15 % of the positions between start and stop codon
(both are known from where they stand). Masks depend on the seed and the gene alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import IGNORE, MASK, NO_RESIDUE, codon_ids
from lifecode.data.batches.masking import generator
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, Packed, fill_rows, pack
from lifecode.data.corpus.segments import SegmentTable
from lifecode.errors import UserError
from lifecode.evaluation.baselines import BothNeighbours, CodonUnigram, majority_residue
from lifecode.evaluation.metrics import (
    BOTH_NEIGHBOURS,
    CODON_UNIGRAM,
    MAJORITY_RESIDUE,
    MASKED_CODON_CROSS_ENTROPY,
    MASKED_TRANSLATION_ACCURACY,
    TRANSLATION_ACCURACY,
)
from lifecode.evaluation.tally import Mean, Tally
from lifecode.models.life_code.model import LifeCode
from lifecode.randomness.permutation import permuted
from lifecode.randomness.random_words import Use, word_key

_MASKS, _SHUFFLES = 1001, 1002
"""First words of the random keys, apart from those of training."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How a model is read on held-out genes.

    Attributes:
        mask_fraction: share of a gene's codons, start and stop apart, masked at a time.
        passes: how often every gene is masked anew.
        max_codons: of a packed row; a longer gene has a row of its own.
        seed: of the masks.
        max_train_residues: of training genes that the teacher's mean and the probe of its features are
            fitted on.
        max_genes: of the held-out genes, drawn by the seed; None reads all.
    """

    mask_fraction: float = 0.15
    passes: int = 1
    max_codons: int = 8192
    seed: int = 0
    max_train_residues: int = 100_000
    max_genes: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.mask_fraction <= 1:
            raise UserError(f"mask_fraction {self.mask_fraction} does not lie in (0, 1]")
        least = min(self.passes, self.max_codons, self.max_train_residues)
        if least < 1 or (self.max_genes is not None and self.max_genes < 1):
            raise UserError("passes, max_codons, max_train_residues and max_genes are at least 1")

    def chosen(self, genes: NDArray[np.integer]) -> list[int]:
        """Those of the held-out genes that are read, by their numbers and in their order."""
        if self.max_genes is None or len(genes) <= self.max_genes:
            return genes.tolist()
        order = permuted(np.arange(len(genes)), len(genes), word_key(Use.ORDER, self.seed))
        return np.sort(genes[order[: self.max_genes]]).tolist()


@dataclass(frozen=True, slots=True)
class Gene:
    """A held-out gene with the codons that are masked in it.

    Attributes:
        index: its number in the table.
        ids: nucleotide ids (3L,).
        codons: codon ids (L,), -1 where ambiguous.
        amino_acids: residue or stop of each codon (L,), `NO_RESIDUE` where ambiguous.
        masked: codon positions that are masked (n,); none is ambiguous.
    """

    index: int
    ids: NDArray[np.uint8]
    codons: NDArray[np.int16]
    amino_acids: NDArray[np.int64]
    masked: NDArray[np.int64]

    def corrupted(self) -> NDArray[np.uint8]:
        """The ids with `[MASK]` at the masked codons."""
        triplets = self.ids.reshape(-1, 3).copy()
        triplets[self.masked] = MASK
        return triplets.reshape(-1)


def held_out_genes(
    table: SegmentTable, settings: HeldOut, *, rows: Sequence[int] | None = None, shuffled: bool = False
) -> list[Gene]:
    """Genes of a table, once a pass; `shuffled` permutes the codons between start and stop first."""
    genes = []
    for repeat in range(settings.passes):
        for index in range(len(table)) if rows is None else rows:
            ids = np.asarray(table.nucleotides(index))
            key = (settings.seed, repeat, table.record_index(index))
            inner = np.arange(1, len(ids) // 3 - 1)
            amino_acids = np.asarray(table.amino_acids(index)).astype(np.int64)
            if shuffled:
                order = np.arange(len(ids) // 3)
                order[1:-1] = generator(_SHUFFLES, *key).permutation(inner)
                ids, amino_acids = ids.reshape(-1, 3)[order].reshape(-1), amino_acids[order]
            codons = codon_ids(ids)
            drawn = generator(_MASKS, *key).random(len(inner)) < settings.mask_fraction
            genes.append(Gene(index, ids, codons, amino_acids, inner[drawn & (codons[inner] >= 0)]))
    return genes


class MaskedScores(NamedTuple):
    """What a model makes of the masked codons of one gene.

    Attributes:
        cross_entropy: nats over 64 codons at each (n,).
        translated: whether the residue of each is right (n,); None for a model without a translator.
    """

    cross_entropy: NDArray[np.float32]
    translated: NDArray[np.bool_] | None


@torch.inference_mode()
def read_masked(model: LifeCode, genes: Sequence[Gene], max_codons: int) -> list[MaskedScores]:
    """The scores of every gene, packed into rows of at most `max_codons`."""
    scores: dict[int, MaskedScores] = {}
    translator = model.codec.translator
    for row, packed in packed_rows([gene.corrupted() for gene in genes], max_codons):
        embeddings = model.codon_projection(model.encode(packed))
        at = in_row(packed, [genes[i].masked for i in row]).to(embeddings.device)
        borders = packed.cu_seqlens.to(embeddings.device)
        log_probabilities = model.codec.codon_log_probabilities(embeddings, borders, at).cpu()
        truth = torch.from_numpy(np.concatenate([genes[i].codons[genes[i].masked] for i in row])).long()
        cross_entropy = -log_probabilities.gather(1, truth[:, None]).squeeze(1).numpy()
        ends = np.cumsum([len(genes[i].masked) for i in row])[:-1]
        translated: list[NDArray[np.bool_] | None] = [None] * len(row)
        if translator is not None:
            residues = np.concatenate([genes[i].amino_acids[genes[i].masked] for i in row])
            translated[:] = np.split(translator(embeddings[at]).argmax(-1).cpu().numpy() == residues, ends)
        own = zip(np.split(cross_entropy, ends), translated, strict=True)
        scores |= {i: MaskedScores(*of_gene) for i, of_gene in zip(row, own, strict=True)}
    return [scores[i] for i in range(len(genes))]


def masked_metrics(scores: Sequence[MaskedScores]) -> dict[str, Mean]:
    """`masked_codon_cross_entropy` (nats over 64 codons); with a translator `masked_translation_accuracy`."""
    cross_entropy, translation = Tally(), Tally()
    for of_gene in scores:
        cross_entropy.add(of_gene.cross_entropy)
        if of_gene.translated is not None:
            translation.add(of_gene.translated)
    figures = {MASKED_CODON_CROSS_ENTROPY.name: cross_entropy.mean()}
    if translation.n or not cross_entropy.n:
        figures[MASKED_TRANSLATION_ACCURACY.name] = translation.mean()
    return figures


@torch.inference_mode()
def translation_metrics(model: LifeCode, genes: Sequence[Gene], max_codons: int) -> dict[str, Mean]:
    """`translation_accuracy`: share of all codons, start and stop too, translated right from unmasked genes.

    Nothing for a model without a translator.
    """
    translator = model.codec.translator
    if translator is None:
        return {}
    tally = Tally()
    for row, packed in packed_rows([gene.ids for gene in genes], max_codons):
        residues = np.concatenate([_framed(genes[i].amino_acids) for i in row])
        predicted = translator(model.codon_projection(model.encode(packed))).argmax(-1).cpu()
        known = (residues != IGNORE) & (residues != NO_RESIDUE)
        tally.add(predicted[torch.from_numpy(known)] == torch.from_numpy(residues[known]))
    return {TRANSLATION_ACCURACY.name: tally.mean()}


def baseline_metrics(train: SegmentTable, rows: Sequence[int], genes: Sequence[Gene]) -> dict[str, Mean]:
    """The codon baselines, counted on some training genes, at the masked positions of `genes`.

    Args:
        train: the CDS of the training split.
        rows: numbers of those that are counted.
        genes: held out.
    """
    majority = majority_residue(np.asarray(train.amino_acids(i)) for i in rows)
    unigram, neighbours = (
        baseline(codon_ids(np.asarray(train.nucleotides(i))) for i in rows)
        for baseline in (CodonUnigram, BothNeighbours)
    )
    by_unigram, by_neighbours, by_majority = Tally(), Tally(), Tally()
    for gene in genes:
        by_unigram.add(unigram.cross_entropy(gene.codons, gene.masked))
        by_neighbours.add(neighbours.cross_entropy(gene.codons, gene.masked))
        by_majority.add(gene.amino_acids[gene.masked] == majority)
    return {
        CODON_UNIGRAM.name: by_unigram.mean(),
        BOTH_NEIGHBOURS.name: by_neighbours.mean(),
        MAJORITY_RESIDUE.name: by_majority.mean(),
    }


def packed_rows(
    sequences: Sequence[NDArray[np.uint8]], max_codons: int
) -> Iterator[tuple[list[int], Packed]]:
    """The indices and the packed row of every group of sequences."""
    lengths = np.array([len(ids) // 3 + NUM_SPECIAL_CODONS for ids in sequences], dtype=np.int64)
    for row in fill_rows(lengths, max(max_codons, int(lengths.max(initial=0)))):
        yield row, pack([sequences[i] for i in row])


def in_row(packed: Packed, positions: Sequence[NDArray[np.int64]]) -> Tensor:
    """Codon positions of each segment, counted in the packed row."""
    starts = packed.cu_seqlens[:-1].tolist()
    return torch.from_numpy(
        np.concatenate([start + 1 + own for start, own in zip(starts, positions, strict=True)])
    )


def _framed(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.pad(labels, 1, constant_values=IGNORE)
