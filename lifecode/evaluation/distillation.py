"""How much of the teacher a student explains on genes it never saw.

`kd_explained` asks the student's protein decoder, which only distillation trains. `teacher_probe` asks its
hidden states: a ridge regression from them to the teacher's features, fitted on training genes, is the same
question to a model with distillation, without it, or with wrong targets.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import codon_ids
from lifecode.data.batches.batch import ResidueFeatures
from lifecode.data.corpus.segments import SegmentTable
from lifecode.evaluation.masked_genes import in_row, packed_rows
from lifecode.evaluation.ridge import RidgeSums
from lifecode.evaluation.tally import Mean
from lifecode.models.life_code.model import LifeCode
from lifecode.objectives.distillation import DistillationLoss, FeatureMoments
from lifecode.randomness.permutation import permuted
from lifecode.randomness.random_words import Use, word_key

_NUM_CODONS = 64


def sample_of_genes(
    table: SegmentTable, features: ResidueFeatures, max_residues: int, seed: int
) -> list[int]:
    """Genes that the teacher has read, drawn by the seed alone until `max_residues` would be exceeded."""
    order = permuted(np.arange(len(table)), len(table), word_key(Use.ORDER, seed)) if len(table) else []
    genes, total = [], 0
    for index in map(int, order):
        seen = features.get(table.protein(index))
        if seen is None:
            continue
        total += len(seen)
        if genes and total > max_residues:
            break
        genes.append(index)
    return genes


@torch.inference_mode()
def kd_explained(
    model: LifeCode,
    distillation: DistillationLoss,
    *,
    train: SegmentTable,
    train_genes: Sequence[int],
    held_out: SegmentTable,
    held_out_genes: Sequence[int],
    features: ResidueFeatures,
    max_codons: int = 8192,
) -> Mean:
    """1 - sum KL(teacher || student) / sum KL(teacher || mean teacher of `train_genes`).

    0 is what the mean distribution of the teacher reaches, 1 a perfect student; `n` counts residues. A
    `distillation` that has seen no step, of a run without it, gets its centre and scale from `train_genes`.
    """
    assert model.protein_decoder is not None
    device = model.codon_projection.weight.device
    targets = partial(_targets, features, train, train_genes, device)
    distillation = _with_moments(distillation, targets())
    total, num_train = torch.zeros((), device=device, dtype=torch.float32), 0
    for seen in targets():
        total = total + distillation.teacher_log_probabilities(seen).exp().sum(0)
        num_train += len(seen)
    if not num_train:
        return Mean(float("nan"), 0)
    log_mean = (total / num_train).log()
    from_student, from_mean, num_residues = 0.0, 0.0, 0
    for hidden, seen, _ in _read(model, held_out, held_out_genes, features, max_codons):
        teacher = distillation.teacher_log_probabilities(seen)
        student = distillation.student_log_probabilities(model.protein_decoder(hidden))
        from_student += float((teacher.exp() * (teacher - student)).sum())
        from_mean += float((teacher.exp() * (teacher - log_mean)).sum())
        num_residues += len(seen)
    return Mean(1 - from_student / from_mean if num_residues else float("nan"), num_residues)


@torch.inference_mode()
def teacher_probe(
    model: LifeCode,
    *,
    train: SegmentTable,
    train_genes: Sequence[int],
    held_out: SegmentTable,
    held_out_genes: Sequence[int],
    features: ResidueFeatures,
    max_codons: int = 8192,
) -> tuple[Mean, Mean]:
    """Share of the variance of the teacher's features, R^2, that is linear in the model's hidden states.

    Variance is over residues around the mean of `train_genes`, on which the ridge regression is fitted, and
    summed over features; `n` counts held-out residues.

    Returns:
        R^2 of the hidden states, and of the codon alone (its mean features in `train_genes`).
    """
    sums, codon_sums = RidgeSums(), RidgeSums()
    for hidden, seen, codons in _read(model, train, train_genes, features, max_codons):
        sums.add(hidden, seen)
        codon_sums.add(_one_hot(codons), seen)
    if not sums.count:
        return Mean(float("nan"), 0), Mean(float("nan"), 0)
    fit, codon_fit = sums.fit(), codon_sums.fit()
    errors, num_residues = np.zeros(3), 0
    for hidden, seen, codons in _read(model, held_out, held_out_genes, features, max_codons):
        truth = seen.cpu().double()
        guesses = (fit.predict(hidden), codon_fit.predict(_one_hot(codons)), fit.output_mean)
        errors += [float((truth - guess).square().sum()) for guess in guesses]
        num_residues += len(truth)
    shares = 1 - errors[:2] / errors[2] if num_residues else np.full(2, np.nan)
    return Mean(float(shares[0]), num_residues), Mean(float(shares[1]), num_residues)


def _read(
    model: LifeCode,
    table: SegmentTable,
    genes: Sequence[int],
    features: ResidueFeatures,
    max_codons: int,
) -> Iterator[tuple[Tensor, Tensor, NDArray[np.int16]]]:
    """Row by row, of genes the teacher has read: hidden states (R, d), its features (R, D'), codons (R,)."""
    device = model.codon_projection.weight.device
    known = [index for index in genes if features.get(table.protein(index)) is not None]
    sequences = [np.asarray(table.nucleotides(index)) for index in known]
    for row, packed in packed_rows(sequences, max_codons):
        seen = [_seen(features, table, known[i]) for i in row]
        at = in_row(packed, [np.arange(len(protein)) for protein in seen])
        codons = [codon_ids(sequences[i])[: len(protein)] for i, protein in zip(row, seen, strict=True)]
        hidden = model.encode(packed)[at.to(device)]
        yield hidden, torch.from_numpy(np.concatenate(seen)).to(device), np.concatenate(codons)


def _seen(features: ResidueFeatures, table: SegmentTable, index: int) -> NDArray[np.float32]:
    seen = features.get(table.protein(index))
    assert seen is not None
    return np.array(seen, dtype=np.float32)


def _targets(
    features: ResidueFeatures, table: SegmentTable, genes: Sequence[int], device: torch.device
) -> Iterator[Tensor]:
    """Teacher features (num_residues, D') of each gene."""
    for index in genes:
        yield torch.from_numpy(_seen(features, table, index)).to(device)


def _with_moments(distillation: DistillationLoss, targets: Iterable[Tensor]) -> DistillationLoss:
    """The loss as it is, or if no step has moved its centre and scale, with those of the targets."""
    if int(distillation.num_updates):
        return distillation
    moments = [DistillationLoss.moments(seen) for seen in targets]
    if not moments:
        return distillation
    measured = deepcopy(distillation).to(moments[0].total.device)
    measured.update(FeatureMoments(*(torch.stack(parts).sum(0) for parts in zip(*moments, strict=True))))
    return measured


def _one_hot(codons: NDArray[np.int16]) -> Tensor:
    ids = torch.from_numpy(codons).long()
    known = (ids >= 0).long()[:, None]  # an ambiguous codon is none of them
    return torch.nn.functional.one_hot(ids.clamp(min=0), _NUM_CODONS) * known
